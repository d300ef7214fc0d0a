/**
 * An API server's answers to the reloader, without an API server: workloads with a pod and five Secrets each, a
 * Lease, Secrets that can be rotated, and the moment at which a workload is restarted.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../src/kube/json.ts';
import type { KeyPair } from '../tools/certificates.ts';
import { BENCH_NAMESPACE, namespaceManifest, secretMetadata, serviceAccount } from './inputs.ts';

export interface ReloadApi {
  readonly url: string;
  /** Requests so far, watches and Leases aside. */
  readonly requests: number;
  /** Writes the data of a workload's first Secret; resolves with the milliseconds until the workload is restarted. */
  rotate(workload: number): Promise<number>;
  close(): void;
}

export interface ReloadContents {
  readonly workloads: number;
  /** How many of them asked for restarts. */
  readonly asking: number;
  /** Secrets of which nothing is heard. */
  readonly secretsEach: number;
}

interface Secret {
  version: number;
  data: string;
  writtenAt: string;
}

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/';

export async function startReloadApi(pair: KeyPair, contents: ReloadContents): Promise<ReloadApi> {
  const { workloads, secretsEach } = contents;
  const secrets = new Map<string, Secret>();
  for (let index = 0; index < workloads * secretsEach; index += 1)
    secrets.set(`s${index}`, { version: 1, data: 'b2xk', writtenAt: '2026-11-01T00:00:00Z' });
  const lists = listsOf(contents, () => [...secrets].map(([name, secret]) => metadataOf(name, secret)));
  const watchers = new Set<ServerResponse>();
  const waiting = new Map<string, (at: number) => void>();
  let lease: JsonObject | undefined;
  let version = 1;
  let requests = 0;

  const server = createServer({ cert: pair.certPem, key: pair.keyPem }, (request, response) => {
    void receive(request, response);
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://stub');
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const method = request.method ?? 'GET';
    if (pathname.startsWith(LEASES)) return json(response, ...answerLease(method, body));
    if (searchParams.has('watch')) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      if (pathname === '/api/v1/secrets') watchers.add(response);
      return undefined;
    }
    requests += 1;
    if (method === 'PATCH') {
      const name = pathname.split('/').at(-1) ?? '';
      waiting.get(name)?.(performance.now());
      return json(response, 200, {});
    }
    if (method === 'POST') return json(response, 201, {});
    const [, name] = /\/secrets\/([^/]+)$/.exec(pathname) ?? [];
    const secret = name === undefined ? undefined : secrets.get(name);
    if (name !== undefined && secret !== undefined) {
      const metadata = metadataOf(name, secret);
      const whole = { ...metadata, kind: 'Secret', type: 'Opaque', data: { PASSWORD: secret.data } };
      return json(response, 200, request.headers.accept?.includes('Partial') === true ? metadata : whole);
    }
    const items = lists.get(pathname)?.();
    if (items === undefined) return json(response, 404, { kind: 'Status', code: 404, reason: 'NotFound' });
    const start = Number(searchParams.get('continue') ?? 0);
    const limit = Number(searchParams.get('limit') ?? items.length) || items.length;
    const next = start + limit < items.length ? { continue: String(start + limit) } : {};
    const metadata = { resourceVersion: '1', ...next };
    return json(response, 200, {
      kind: 'List',
      apiVersion: 'v1',
      metadata,
      items: items.slice(start, start + limit),
    });
  }
  function answerLease(method: string, body: string): [number, JsonObject] {
    if (method === 'GET') return lease === undefined ? [404, { kind: 'Status', code: 404 }] : [200, lease];
    const given = JSON.parse(body) as { readonly metadata: JsonObject };
    lease = { ...given, metadata: { ...given.metadata, resourceVersion: String((version += 1)) } };
    return [200, lease];
  }
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests;
    },
    async rotate(workload) {
      const name = `s${workload * secretsEach}`;
      const began = performance.now();
      const restarted = new Promise<number>((resolve) => waiting.set(`w${workload}`, resolve));
      const secret: Secret = {
        version: (version += 1),
        data: Buffer.from(`rotated ${version}`).toString('base64'),
        writtenAt: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      };
      secrets.set(name, secret);
      const event = JSON.stringify({ type: 'MODIFIED', object: metadataOf(name, secret) });
      for (const watcher of watchers) watcher.write(`${event}\n`);
      return (await restarted) - began;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function listsOf(
  { workloads, asking, secretsEach }: ReloadContents,
  secrets: () => readonly JsonObject[],
): ReadonlyMap<string, () => readonly JsonObject[]> {
  const many = (make: (index: number) => JsonObject): readonly JsonObject[] =>
    Array.from({ length: workloads }, (_, index) => make(index));
  return new Map([
    ['/api/v1/namespaces', () => [namespaceManifest()]],
    ['/api/v1/serviceaccounts', () => [serviceAccount()]],
    ['/api/v1/secrets', secrets],
    ['/api/v1/pods', () => many((index) => podOf(index, secretsEach))],
    ['/apis/apps/v1/statefulsets', () => many((index) => statefulSet(index, index < asking))],
    ...[
      'apps/v1/deployments',
      'apps/v1/daemonsets',
      'apps/v1/replicasets',
      'batch/v1/jobs',
      'batch/v1/cronjobs',
    ].map((path) => [`/apis/${path}`, () => []] as const),
  ]);
}

function statefulSet(index: number, asks: boolean): JsonObject {
  return {
    metadata: {
      ...named(`w${index}`),
      ...(asks ? { annotations: { 'secrets.floe.dev/auto-reload': 'true' } } : {}),
    },
    spec: { replicas: 1, template: { metadata: {}, spec: {} } },
    status: { updateRevision: 'r1' },
  };
}

function podOf(index: number, secretsEach: number): JsonObject {
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    name: `w${index}`,
    uid: `w${index}`,
    controller: true,
  };
  const names = Array.from({ length: secretsEach }, (_, each) => `s${index * secretsEach + each}`);
  return {
    metadata: {
      ...named(`w${index}-0`),
      ownerReferences: [owner],
      labels: { 'controller-revision-hash': 'r1' },
      annotations: { 'secrets.floe.dev/versions': names.map((name) => `${name}=1`).join() },
    },
    spec: {
      nodeName: 'node',
      containers: [{ name: 'app', image: 'app', envFrom: names.map((name) => ({ secretRef: { name } })) }],
    },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'app', state: { running: { startedAt: '2026-11-02T00:00:05Z' } } }],
    },
  };
}

function named(name: string): JsonObject {
  return {
    name,
    namespace: BENCH_NAMESPACE,
    uid: name.replace(/-0$/, ''),
    resourceVersion: '1',
    creationTimestamp: '2026-11-02T00:00:00Z',
  };
}

function metadataOf(name: string, { version, writtenAt }: Secret): JsonObject {
  const { metadata, ...rest } = secretMetadata(name) as { readonly metadata: JsonObject };
  const managedFields = [
    { manager: 'operator', operation: 'Update', time: writtenAt, fieldsV1: { 'f:data': {} } },
  ];
  return { ...rest, metadata: { ...metadata, resourceVersion: String(version), managedFields } };
}

function json(response: ServerResponse, status: number, body: JsonObject): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
