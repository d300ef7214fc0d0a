/**
 * An API server's answers to the webhook's reads, without an API server: what is measured is the webhook. Lists
 * and watches of a few kinds, and a metadata-only GET of any Secret.
 */
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject } from '../src/kube/json.ts';
import type { KeyPair } from '../tools/certificates.ts';
import { infisicalSecret, many, namespaceManifest, secretMetadata, serviceAccount } from './inputs.ts';

export interface StubApi {
  readonly url: string;
  close(): void;
}

export interface StubContents {
  readonly secrets: number;
  readonly syncResources: number;
}

export async function startStubApi(pair: KeyPair, contents: StubContents): Promise<StubApi> {
  const lists = listsOf(contents);
  const server = createServer({ cert: pair.certPem, key: pair.keyPem }, (request, response) => {
    request.resume();
    answer(request, response, lists);
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `https://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

type Lists = ReadonlyMap<string, () => readonly JsonObject[]>;

function listsOf({ secrets, syncResources }: StubContents): Lists {
  const lists: [string, () => readonly JsonObject[]][] = [
    ['/api/v1/namespaces', () => [namespaceManifest()]],
    ['/api/v1/serviceaccounts', () => [serviceAccount()]],
    ['/api/v1/secrets', () => many(secrets, (index) => secretMetadata(`secret-${index}`))],
  ];
  if (syncResources > 0) {
    lists.push([
      '/apis/secrets.infisical.com/v1alpha1/infisicalsecrets',
      () => many(syncResources, infisicalSecret),
    ]);
    lists.push(['/apis/secrets.infisical.com/v1beta1/infisicalstaticsecrets', () => []]);
  }
  return new Map(lists);
}

function answer(request: IncomingMessage, response: ServerResponse, lists: Lists): void {
  const url = new URL(request.url ?? '/', 'https://stub');
  const secret = /^\/api\/v1\/namespaces\/[^/]+\/secrets\/([^/]+)$/.exec(url.pathname)?.[1];
  if (secret !== undefined) return json(response, 200, secretMetadata(secret));
  const list = lists.get(url.pathname);
  if (list === undefined)
    return json(response, 404, { kind: 'Status', apiVersion: 'v1', code: 404, reason: 'NotFound' });
  if (url.searchParams.has('watch')) {
    // A watch on which nothing happens; the headers alone tell the client that it stands.
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    return;
  }
  page(response, list(), url.searchParams);
}

function page(response: ServerResponse, items: readonly JsonObject[], parameters: URLSearchParams): void {
  const limit = Number(parameters.get('limit') ?? items.length) || items.length;
  const start = Number(parameters.get('continue') ?? 0);
  const next = start + limit < items.length ? { continue: String(start + limit) } : {};
  json(response, 200, {
    kind: 'List',
    apiVersion: 'v1',
    metadata: { resourceVersion: '1', ...next },
    items: items.slice(start, start + limit),
  });
}

function json(response: ServerResponse, status: number, body: JsonObject): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
