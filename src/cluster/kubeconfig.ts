/**
 * Kubeconfigs, read by @kubernetes/client-node (contexts, client certificates, tokens, exec plugins). Only its
 * configuration is used: it opens a connection for each request, this program's client keeps one.
 */
import { access } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { ConnectError } from './connect-error.ts';
import type { Endpoint, Tls } from './credentials.ts';
import { endpointOf } from './credentials.ts';

export interface OpenedKubeconfig {
  /** Of the context; `default` where it names none. */
  readonly namespace: string;
  /** Runs a credential plugin if need be. Throws ConnectError. */
  read(): Promise<Endpoint>;
}

/** Opens kubeconfigs, merged as kubectl merges $KUBECONFIG. Throws ConnectError. */
export async function openKubeconfig(
  files: readonly string[],
  contextName: string | undefined,
): Promise<OpenedKubeconfig> {
  const where = files.map((file) => `'${file}'`).join(', ');
  const config = await load(files, where);
  const context = chooseContext(config, contextName, where);
  return {
    namespace: config.getContextObject(context)?.namespace || 'default',
    read: async () => endpointNow(config, `context '${context}' of kubeconfig ${where}`),
  };
}

async function load(files: readonly string[], where: string): Promise<KubeConfig> {
  const found = await existing(files);
  if (found.length === 0) {
    throw new ConnectError(
      `kubeconfig ${where} does not exist: give --kubeconfig, set KUBECONFIG, or run in a pod with a service account`,
      3,
    );
  }
  const { KubeConfig: Config } = await import('@kubernetes/client-node');
  const merged = new Config();
  for (const file of found) {
    const config = new Config();
    try {
      config.loadFromFile(file);
      merge(merged, config);
    } catch {
      // The parser's own words quote the file, which holds tokens and keys.
      throw new ConnectError(`kubeconfig '${file}' cannot be read: check it with kubectl config view`, 1);
    }
  }
  return merged;
}

/** As kubectl merges: of two entries with one name the first file's counts. */
function merge(into: KubeConfig, from: KubeConfig): void {
  const isNew = (known: readonly Named[]) => (one: Named) => known.every(({ name }) => name !== one.name);
  for (const cluster of from.clusters.filter(isNew(into.clusters))) into.addCluster(cluster);
  for (const user of from.users.filter(isNew(into.users))) into.addUser(user);
  for (const context of from.contexts.filter(isNew(into.contexts))) into.addContext(context);
  if (!into.currentContext) into.setCurrentContext(from.currentContext);
}

interface Named {
  readonly name: string;
}

async function existing(files: readonly string[]): Promise<readonly string[]> {
  const checks = await Promise.allSettled(files.map(async (file) => access(file)));
  return files.filter((_, index) => checks[index]?.status === 'fulfilled');
}

function chooseContext(config: KubeConfig, wanted: string | undefined, where: string): string {
  const names = config.contexts.map(({ name }) => name);
  const name = wanted ?? config.currentContext ?? '';
  if (name === '') throw new ConnectError(`kubeconfig ${where} has no current context: give --context`, 2);
  if (!names.includes(name)) {
    throw new ConnectError(
      `context '${name}' is not in kubeconfig ${where}; it has: ${names.join(', ') || 'none'}`,
      2,
    );
  }
  config.setCurrentContext(name);
  return name;
}

async function endpointNow(config: KubeConfig, where: string): Promise<Endpoint> {
  const cluster = config.getCurrentCluster();
  if (cluster === null || !URL.canParse(cluster.server)) {
    throw new ConnectError(
      `${where} names no cluster with a server's URL: check it with kubectl config view`,
      1,
    );
  }
  if (cluster.proxyUrl?.startsWith('socks') === true) {
    throw new ConnectError(`${where} asks for a SOCKS proxy, which is not supported: use an HTTP proxy`, 1);
  }
  const options = await applied(config, where);
  return endpointOf(cluster.server, {
    headers: headersOf(options),
    tls: tlsOf(options),
    ...(cluster.proxyUrl === undefined ? {} : { proxy: cluster.proxyUrl }),
  });
}

async function applied(config: KubeConfig, where: string): Promise<RequestOptions> {
  const options: RequestOptions = {};
  const cluster = config.getCurrentCluster();
  // The library refuses plain HTTP (kubectl proxy) unless verification is off, which means nothing there.
  if (cluster?.server.startsWith('http:') === true) Object.assign(cluster, { skipTLSVerify: true });
  try {
    await config.applyToHTTPSOptions(options);
  } catch {
    const command = config.getCurrentUser()?.exec as { readonly command?: unknown } | undefined;
    const plugin =
      typeof command?.command === 'string' ? `its credential plugin '${command.command}'` : 'its user';
    // The plugin's output may be a token, so none of it is shown.
    throw new ConnectError(
      `${where}: ${plugin} gave no usable credentials: try kubectl get --raw /version`,
      1,
    );
  }
  return options;
}

function headersOf(options: RequestOptions): Record<string, string> {
  const given = Object.entries((options.headers ?? {}) as Record<string, unknown>);
  const headers = Object.fromEntries(
    given
      .filter(([, value]) => typeof value === 'string')
      .map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  if (typeof options.auth !== 'string') return headers;
  return { authorization: `Basic ${Buffer.from(options.auth).toString('base64')}`, ...headers };
}

function tlsOf(options: RequestOptions): Tls {
  const pem = ['ca', 'cert', 'key'] as const;
  const material = pem.flatMap((part) => {
    const value = options[part];
    return typeof value === 'string' || Buffer.isBuffer(value) ? [[part, value.toString()] as const] : [];
  });
  return {
    ...Object.fromEntries(material),
    ...(options.servername === undefined ? {} : { servername: options.servername }),
    ...(options.rejectUnauthorized === false ? { rejectUnauthorized: false } : {}),
  };
}
