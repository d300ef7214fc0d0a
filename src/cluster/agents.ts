/** The connections to the API server: one agent for as long as the TLS material stays the same. */
import { isDeepStrictEqual } from 'node:util';
import { Agent, ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
import type { Endpoint } from './credentials.ts';

const OPTIONS = {
  // A watch is a request that does not end: over one shared connection a lost packet would stall all of them.
  allowH2: false,
  headersTimeout: 30_000,
  bodyTimeout: 30_000,
  // The API server closes a connection that was idle for 90 s; ours must be the shorter.
  keepAliveTimeout: 30_000,
  keepAliveMaxTimeout: 60_000,
} as const;
const CONNECT = { timeout: 5_000, keepAlive: true, keepAliveInitialDelay: 30_000 } as const;

export interface Agents {
  /** The agent of this endpoint; another one only after a rotation of its certificates. */
  of(endpoint: Endpoint): Dispatcher;
  /** Ends every connection at once, watches included. */
  close(): Promise<void>;
}

export function createAgents(): Agents {
  let last: { readonly endpoint: Endpoint; readonly agent: Dispatcher } | undefined;
  return {
    of(endpoint) {
      if (last?.endpoint === endpoint) return last.agent;
      if (last !== undefined && sameConnection(last.endpoint, endpoint)) {
        last = { endpoint, agent: last.agent };
        return last.agent;
      }
      // Calls that are under way end on the old agent.
      last?.agent.close().catch(() => undefined);
      last = { endpoint, agent: createAgent(endpoint) };
      return last.agent;
    },
    close: async () => last?.agent.destroy(),
  };
}

function createAgent({ tls, proxy }: Endpoint): Dispatcher {
  if (proxy !== undefined)
    return new ProxyAgent({ ...OPTIONS, uri: proxy, requestTls: { ...CONNECT, ...tls } });
  return new Agent({ ...OPTIONS, connect: { ...CONNECT, ...tls } });
}

function sameConnection(one: Endpoint, other: Endpoint): boolean {
  return one.proxy === other.proxy && isDeepStrictEqual(one.tls, other.tls);
}
