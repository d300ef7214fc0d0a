import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { Endpoint } from './api-client.ts';

export interface KubeconfigEntry {
  readonly server: string;
  readonly ca: string;
  readonly token: string;
}

/** A kubeconfig with one context; JSON is YAML, and every client reads it. */
export function kubeconfigText({ server, ca, token }: KubeconfigEntry): string {
  const name = 'floe-test';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      { name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly clusters?: readonly { readonly name: string; readonly cluster: Fields }[];
  readonly users?: readonly { readonly name: string; readonly user: Fields }[];
  readonly contexts?: readonly {
    readonly name: string;
    readonly context: { readonly cluster: string; readonly user: string };
  }[];
}

type Fields = Readonly<Record<string, string | undefined>>;

export interface CurrentContext {
  readonly context: string;
  readonly endpoint: Endpoint;
}

/** Server and credentials of a kubeconfig's current context: a token or a client certificate, no plugins. */
export function readKubeconfig(file: string): CurrentContext {
  const config: Kubeconfig = parse(readFileSync(file, 'utf8'));
  const context = config['current-context'] ?? '';
  const names = config.contexts?.find(({ name }) => name === context)?.context;
  const cluster = config.clusters?.find(({ name }) => name === names?.cluster)?.cluster;
  const user = config.users?.find(({ name }) => name === names?.user)?.user ?? {};
  const server = cluster?.['server'];
  if (cluster === undefined || server === undefined) throw new Error(`${file}: no context '${context}'`);
  const read = (fields: Fields, key: string): string | undefined => dataOrFile(fields, key, dirname(file));
  const endpoint: Endpoint = {
    server: server.replace(/\/$/, ''),
    ca: read(cluster, 'certificate-authority') ?? '',
    token: user['token'],
    cert: read(user, 'client-certificate'),
    key: read(user, 'client-key'),
  };
  if (endpoint.token === undefined && endpoint.cert === undefined) {
    throw new Error(`${file}: '${context}' has neither a token nor a client certificate`);
  }
  return { context, endpoint };
}

function dataOrFile(fields: Fields, key: string, directory: string): string | undefined {
  const data = fields[`${key}-data`];
  if (data !== undefined) return Buffer.from(data, 'base64').toString();
  const file = fields[key];
  return file === undefined ? undefined : readFileSync(resolve(directory, file), 'utf8');
}
