// A webhook over real TLS on a port of the kernel's choosing, with a judgement that the test hands in.
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Decision } from '../../src/review/decision.ts';
import type { Request } from '../../src/review/request.ts';
import type { AppParts, WebhookApp } from '../../src/server/app.ts';
import { createApp } from '../../src/server/app.ts';
import { createAudit } from '../../src/server/audit.ts';
import { listen } from '../../src/server/listen.ts';
import type { Log } from '../../src/server/log.ts';
import { createLog } from '../../src/server/log.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import type { Authority, KeyPair } from '../../tools/certificates.ts';
import { makeAuthority } from '../../tools/certificates.ts';

export const authority: Authority = await makeAuthority('floe test');
export const servingPair: KeyPair = await authority.issue({ names: ['localhost'] });

export interface Webhook {
  readonly app: WebhookApp;
  readonly port: number;
  readonly auditLines: string[];
  readonly logLines: string[];
  readonly metrics: AppParts['metrics'];
}

export async function startWebhook(parts: Partial<AppParts> = {}): Promise<Webhook> {
  const auditLines: string[] = [];
  const { log, lines: logLines } = recordedLog();
  const metrics = createMetrics({ certificateExpiry: () => 0 });
  const app = createApp({
    tls: { cert: servingPair.certPem, key: servingPair.keyPem },
    admit: () => decision({}),
    audit: createAudit({ write: (line) => auditLines.push(line), authenticated: false }),
    metrics,
    log,
    draining: () => false,
    ...parts,
  });
  const port = await listen(app, 0);
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  return { app, port, auditLines, logLines, metrics };
}

export function recordedLog(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  return { log: createLog('info', { write: (line) => void lines.push(line) }), lines };
}

export function decision(given: Partial<Decision>): Decision {
  return {
    allowed: true,
    plugin: 'k8s',
    mayWait: false,
    findings: [],
    warnings: [],
    patch: [],
    injected: [],
    verdicts: [],
    auditAnnotations: {},
    wanted: [],
    ...given,
  };
}

/** The envelope as the API server sends it. */
export function review(request: object = {}): string {
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u-1',
      operation: 'CREATE',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      namespace: 'floe-jobs',
      name: 'dbt',
      userInfo: { username: 'jane', groups: [] },
      object: { metadata: { name: 'dbt' } },
      ...request,
    },
  });
}

/** A request as the door reads it, for what is tested without a socket. */
export function requestOf(given: Partial<Request> = {}): Request {
  return {
    door: 'validate',
    uid: 'u-1',
    operation: 'CREATE',
    group: '',
    kind: 'Pod',
    subResource: '',
    name: 'dbt',
    namespace: 'floe-jobs',
    object: {},
    user: { username: 'jane', groups: [] },
    dryRun: false,
    ...given,
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Of the AdmissionReview. */
  readonly response: {
    readonly uid?: string;
    readonly allowed?: boolean;
    readonly status?: { readonly code?: number; readonly message?: string };
  };
  readonly socket: TLSSocket;
  /** Of the certificate that the server showed. */
  readonly serial: string;
}

export interface Post {
  readonly path?: string;
  readonly method?: string;
  readonly type?: string | undefined;
  readonly agent?: Agent;
  readonly client?: KeyPair;
  readonly ca?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Posts a body and reads the whole answer; rejects where the connection fails. */
export function post(port: number, body: string, given: Post = {}): Promise<Answer> {
  const type = 'type' in given ? given.type : 'application/json';
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      {
        host: 'localhost',
        port,
        path: given.path ?? '/validate?timeout=5s',
        method: given.method ?? 'POST',
        ca: given.ca ?? authority.certPem,
        agent: given.agent ?? new Agent({ keepAlive: false }),
        headers: {
          ...(type === undefined ? {} : { 'content-type': type }),
          'content-length': Buffer.byteLength(body),
          ...given.headers,
        },
        ...(given.client === undefined ? {} : { cert: given.client.certPem, key: given.client.keyPem }),
      },
      (incoming) => {
        const socket = incoming.socket as TLSSocket;
        const serial = socket.getPeerCertificate()?.serialNumber ?? '';
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text,
            response: responseOf(text),
            socket,
            serial,
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function responseOf(text: string): Answer['response'] {
  try {
    return (JSON.parse(text) as { response?: Answer['response'] }).response ?? {};
  } catch {
    return {};
  }
}

/** A directory with a pair, as a Secret of type kubernetes.io/tls is mounted. */
export function certificateDirectory(pair: KeyPair): string {
  const directory = mkdtempSync(join(tmpdir(), 'floe-certs-'));
  writePair(directory, pair);
  return directory;
}

export function writePair(directory: string, pair: KeyPair): void {
  writeFileSync(join(directory, 'tls.crt'), pair.certPem);
  writeFileSync(join(directory, 'tls.key'), pair.keyPem);
}
