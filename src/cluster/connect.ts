/** Finds the API server and who we are to it: a kubeconfig that was asked for, the pod we run in, or ~/.kube/config. */
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Asker, Client } from './client.ts';
import { createClient } from './client.ts';
import { ConnectError } from './connect-error.ts';
import type { Credentials } from './credentials.ts';
import { refreshed } from './credentials.ts';
import { podCredentials, podNamespace, runsInPod } from './in-cluster.ts';
import { openKubeconfig } from './kubeconfig.ts';

export interface ConnectOptions {
  /** Path of a kubeconfig; default: $KUBECONFIG, the pod's service account, ~/.kube/config. */
  readonly kubeconfig?: string;
  /** Name of a context; default the current one. */
  readonly context?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where a pod finds its token and CA. */
  readonly serviceAccountDir?: string;
}

const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

/** A client of the cluster that is meant. Nothing is sent yet. Throws ConnectError with the file, the context and what to do. */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const { credentials, ...asker } = await find(options);
  // The first reading fails here, with its own words, rather than in the first call.
  await credentials.current();
  return createClient(credentials, asker);
}

interface Found extends Asker {
  readonly credentials: Credentials;
}

async function find(options: ConnectOptions): Promise<Found> {
  const env = options.env ?? process.env;
  const directory = options.serviceAccountDir ?? SERVICE_ACCOUNT_DIR;
  const files = filesAskedFor(options.kubeconfig, env['KUBECONFIG']);
  const explicit = files.length > 0 || options.context !== undefined;
  if (!explicit && runsInPod(env)) {
    return {
      credentials: refreshed(async () => podCredentials(env, directory)),
      namespace: await podNamespace(env, directory),
      inPod: true,
    };
  }
  const { namespace, read } = await openKubeconfig(
    files.length > 0 ? files : homeConfig(env),
    options.context,
  );
  return { credentials: refreshed(read), namespace, inPod: false };
}

function filesAskedFor(flag: string | undefined, variable: string | undefined): readonly string[] {
  if (flag !== undefined && flag !== '') return [flag];
  return (variable ?? '').split(delimiter).filter((file) => file !== '');
}

function homeConfig(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const home = env['HOME'] ?? env['USERPROFILE'] ?? homedir();
  if (home === '') throw new ConnectError('no kubeconfig: give --kubeconfig or set KUBECONFIG', 3);
  return [join(home, '.kube', 'config')];
}
