import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../src/cluster/client.ts';
import type { ConnectOptions } from '../../src/cluster/connect.ts';
import { connect } from '../../src/cluster/connect.ts';
import { ConnectError } from '../../src/cluster/connect-error.ts';
import { refreshed } from '../../src/cluster/credentials.ts';
import { exemptingHome, homeOf } from '../../src/cluster/home.ts';
import { defaultConfig } from '../../src/config/config.ts';
import { settingsOf } from '../../src/review/settings.ts';
import type { FakeApi } from './fake-api.ts';
import { startFakeApi, status } from './fake-api.ts';

const NAMESPACES = '/api/v1/namespaces';

let api: FakeApi;
let directory: string;
const clients: Client[] = [];
beforeEach(async () => {
  api = await startFakeApi();
  api.serve(NAMESPACES);
  directory = mkdtempSync(join(tmpdir(), 'floe-connect-'));
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map(async (client) => client.close()));
  rmSync(directory, { recursive: true });
  await api.close();
});

function write(name: string, content: string): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

function kubeconfig(user: object, more: { file?: string; context?: object; cluster?: object } = {}): string {
  const cluster = { server: api.url, 'certificate-authority-data': Buffer.from(api.ca).toString('base64') };
  const config = {
    'current-context': 'here',
    clusters: [{ name: 'c', cluster: { ...cluster, ...more.cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u', ...more.context } }],
  };
  return write(more.file ?? 'config', JSON.stringify(config));
}

/** Connects without this machine's own environment. */
async function open(options: ConnectOptions = {}): Promise<Client> {
  const client = await connect({ env: { HOME: directory }, serviceAccountDir: directory, ...options });
  clients.push(client);
  return client;
}

async function refusal(options: ConnectOptions): Promise<ConnectError> {
  const error: unknown = await open(options).catch((fault: unknown) => fault);
  if (!(error instanceof ConnectError)) throw new Error(`no ConnectError but ${String(error)}`);
  return error;
}

const authorizations = () => api.requests.map(({ authorization }) => authorization);

describe('a pod', () => {
  const env = () => {
    const { hostname, port } = new URL(api.url);
    return { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  };

  it('uses its service account, and its token anew after a rotation', async () => {
    write('token', 'first\n');
    write('ca.crt', api.ca);
    write('namespace', 'floe-secrets-system');
    const client = await open({ env: env() });
    expect(client.namespace).toBe('floe-secrets-system');
    await client.get(NAMESPACES);
    write('token', 'second\n');
    api.intercept(({ authorization }, response) => {
      if (authorization === 'Bearer second') return false;
      status(response, 401, 'Unauthorized', 'Unauthorized');
      return true;
    });
    await client.get(NAMESPACES);
    expect(authorizations()).toEqual(['Bearer first', 'Bearer first', 'Bearer second']);
  });

  it('lives where its service account says, else where its environment does, and is never judged there', async () => {
    write('token', 'first');
    write('ca.crt', api.ca);
    const exempt = (client: Client) => settingsOf(exemptingHome(defaultConfig(), client)).exemptNamespaces;
    const variable = await open({ env: { ...env(), POD_NAMESPACE: 'by-variable' } });
    expect(homeOf(variable)).toBe('by-variable');
    expect(exempt(variable)).toContain('by-variable');
    write('namespace', 'default');
    const installed = await open({ env: { ...env(), POD_NAMESPACE: 'by-variable' } });
    expect(homeOf(installed)).toBe('default');
    expect(exempt(installed)).toContain('default');
    const person = await open({ kubeconfig: kubeconfig({}, { context: { namespace: 'jobs' } }) });
    expect([homeOf(person), exempt(person).has('jobs')]).toEqual(['jobs', false]);
    expect(homeOf(await open({ kubeconfig: kubeconfig({}) }))).toBe('floe-secrets-system');
  });

  it('without a token says which file is missing and what to do', async () => {
    const error = await refusal({ env: env() });
    expect(error.exitCode).toBe(3);
    expect(error.message).toContain(join(directory, 'token'));
    expect(error.message).toContain('automountServiceAccountToken');
  });
});

describe('a kubeconfig', () => {
  it('is the one of the flag, else of $KUBECONFIG, else of the home directory', async () => {
    const flag = kubeconfig({ token: 'flag' }, { file: 'flag' });
    const variable = kubeconfig({ token: 'variable' }, { file: 'variable' });
    mkdirSync(join(directory, '.kube'));
    kubeconfig({ token: 'home' }, { file: '.kube/config' });
    const env = { HOME: directory, KUBECONFIG: variable };
    await (await open({ kubeconfig: flag, env })).get(NAMESPACES);
    await (await open({ env })).get(NAMESPACES);
    await (await open()).get(NAMESPACES);
    expect(authorizations()).toEqual(['Bearer flag', 'Bearer variable', 'Bearer home']);
  });

  it('may be several, of which the first that has a name counts', async () => {
    const first = kubeconfig({ token: 'first' }, { file: 'first' });
    const second = kubeconfig({ token: 'second' }, { file: 'second' });
    const env = { KUBECONFIG: [first, join(directory, 'none'), second].join(':') };
    await (await open({ env })).get(NAMESPACES);
    expect(authorizations()).toEqual(['Bearer first']);
  });

  it('gives the namespace of its context', async () => {
    expect((await open({ kubeconfig: kubeconfig({}, { context: { namespace: 'jobs' } }) })).namespace).toBe(
      'jobs',
    );
    expect((await open({ kubeconfig: kubeconfig({}) })).namespace).toBe('default');
  });

  it('with a user name and a password sends them', async () => {
    await (await open({ kubeconfig: kubeconfig({ username: 'jane', password: 'p' }) })).get(NAMESPACES);
    expect(authorizations()).toEqual([`Basic ${Buffer.from('jane:p').toString('base64')}`]);
  });

  it('with a credential plugin runs it', async () => {
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'made' },
    };
    const script = write('plugin.js', `process.stdout.write(${JSON.stringify(JSON.stringify(credential))})`);
    const exec = { apiVersion: credential.apiVersion, command: process.execPath, args: [script] };
    const client = await open({ kubeconfig: kubeconfig({ exec }) });
    await client.get(NAMESPACES);
    await client.get(NAMESPACES);
    expect(authorizations()).toEqual(['Bearer made', 'Bearer made']);
  });

  it.each([
    ['prints nonsense', 'process.stdout.write("hunter2")'],
    ['fails', 'process.stderr.write("hunter2"); process.exit(1)'],
  ])('whose plugin %s is an error without what it wrote', async (_, script) => {
    const exec = { command: process.execPath, args: [write('plugin.js', script)] };
    const error = await refusal({ kubeconfig: kubeconfig({ exec }) });
    expect(error.message).toContain(`credential plugin '${process.execPath}'`);
    expect(error.message).toContain("context 'here'");
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2');
  });

  it('that is missing, empty, broken or for other contexts is an error that names it', async () => {
    const missing = join(directory, 'none');
    expect(await refusal({ kubeconfig: missing })).toMatchObject({ exitCode: 3 });
    expect((await refusal({ kubeconfig: missing })).message).toContain(`'${missing}' does not exist`);
    const broken = await refusal({ kubeconfig: write('broken', 'users: [{token: hunter2') });
    expect(broken.exitCode).toBe(1);
    expect(broken.message).not.toContain('hunter2');
    expect(await refusal({ kubeconfig: write('empty', '') })).toMatchObject({ name: 'ConnectError' });
    const other = await refusal({ kubeconfig: kubeconfig({}), context: 'there' });
    expect(other.exitCode).toBe(2);
    expect(other.message).toMatch(/context 'there' is not in kubeconfig '.*'; it has: here/);
    const proxied = kubeconfig({}, { cluster: { 'proxy-url': 'socks5://localhost:1' } });
    expect((await refusal({ kubeconfig: proxied })).message).toContain('SOCKS');
  });
});

describe('credentials', () => {
  it('are read once for many who ask, and the last good ones stay while reading fails', async () => {
    let readings = 0;
    const endpoint = { origin: 'https://x', basePath: '', headers: {}, tls: {} };
    const credentials = refreshed(async () => {
      readings += 1;
      if (readings > 1) throw new Error('gone');
      return endpoint;
    });
    expect(await Promise.all([credentials.current(), credentials.current()])).toEqual([endpoint, endpoint]);
    expect(readings).toBe(1);
    expect(await credentials.current(true)).toBe(endpoint);
    expect(readings).toBe(2);
  });
});
