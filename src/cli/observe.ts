/** The cluster's side of a command: manifests in files, or the API server with the rights of whoever asks. */
import { ApiError } from '../cluster/api-error.ts';
import type { Client } from '../cluster/client.ts';
import type { WorldContents } from '../cluster/world-files.ts';
import { readWorldContents, worldOfContents } from '../cluster/world-files.ts';
import { wordsOf } from '../cluster/failure.ts';
import { targetsOf } from '../cluster/watched-kinds.ts';
import type { ReadFailure } from '../kube/world.ts';
import type { SyncKind } from '../plugins/plugin.ts';
import type { Settings } from '../review/settings.ts';
import type { LiveWorld } from './live-world.ts';
import type { Options } from './options.ts';
import { flagOption, listOption, textOption } from './options.ts';
import type { Terminal } from './terminal.ts';
import { ADVICE, CommandError, EXIT } from './terminal.ts';

/** What was seen, of which namespace; undefined where it was all of them. */
export interface Observation {
  readonly contents: WorldContents;
  readonly namespace?: string;
  /** What could not be seen. */
  readonly failures: readonly ReadFailure[];
}

/** Looks once: at `--world`, or at the cluster. Throws what the file system or the API server says. */
export async function observe(
  options: Options,
  terminal: Terminal,
  kinds: readonly SyncKind[],
): Promise<Observation> {
  return withObserver(options, terminal, kinds, async (look) => look());
}

/** As observe, as often as it is asked, over one connection. */
export async function withObserver<T>(
  options: Options,
  terminal: Terminal,
  kinds: readonly SyncKind[],
  work: (look: () => Promise<Observation>) => Promise<T>,
): Promise<T> {
  const paths = listOption(options, 'world');
  if (paths.length > 0) {
    return work(async () => {
      const contents = await readWorldContents(paths, { kinds, cwd: terminal.cwd });
      return { contents, failures: [], ...namespaceOf(options, homeOf(contents, kinds)) };
    });
  }
  return withClient(options, terminal, async (client) => {
    const chosen = namespaceOf(options, client.namespace);
    await tellOfTypos(client, options, terminal);
    const { readSnapshot } = await import('../cluster/snapshot.ts');
    return work(async () => {
      const contents = await readSnapshot(client, { kinds, ...chosen });
      return { contents, failures: contents.failures, ...chosen };
    });
  });
}

/**
 * Works over `--world`, or over the cluster with live reads. `review` asks the cluster only with `--live`, and works
 * over nothing at all without either.
 */
export async function withWorld<T>(
  options: Options,
  terminal: Terminal,
  settings: Settings,
  work: (world: LiveWorld) => Promise<T>,
): Promise<T> {
  const paths = listOption(options, 'world');
  const { kinds } = settings;
  const live = flagOption(options, 'live');
  if (live && paths.length > 0) throw new CommandError('--live and --world exclude each other', EXIT.usage);
  if (!live) {
    const contents = await readWorldContents(paths, { kinds, cwd: terminal.cwd });
    const home = textOption(options, 'namespace') ?? homeOf(contents, kinds);
    const world = worldOfContents(contents, kinds);
    return work({ world, home, read: async () => false, failures: () => [] });
  }
  return withClient(options, terminal, async (client) => {
    const { openLiveWorld } = await import('./live-world.ts');
    return work(await openLiveWorld(client, settings, textOption(options, 'namespace') ?? client.namespace));
  });
}

/** A namespace that does not exist is as empty as one that is merely empty: where `-n` names one, that is said. */
export async function tellOfTypos(client: Client, options: Options, { stderr }: Terminal): Promise<void> {
  const namespace = textOption(options, 'namespace');
  if (namespace === undefined || flagOption(options, 'allNamespaces')) return;
  const { isMissing } = await import('../cluster/snapshot.ts');
  if (await isMissing(client, namespace)) stderr.write(`Warning: there is no namespace ${namespace}\n`);
}

/** A namespace for those who take undefined for all of them. */
export function within(namespace: string | undefined): { readonly namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}

/** Connects for the time of one piece of work. */
export async function withClient<T>(
  options: Options,
  { env }: Terminal,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const { connect } = await import('../cluster/connect.ts');
  const kubeconfig = textOption(options, 'kubeconfig');
  const context = textOption(options, 'context');
  const client = await connect({
    env,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  try {
    return await work(client);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 0) throw error;
    const server = `the Kubernetes API server at ${await client.address()}`;
    throw new CommandError(`${server}: ${error.message}; ${ADVICE[0]}`, EXIT.network);
  } finally {
    await client.close();
  }
}

/** Tells on stderr what could not be seen, and gives the exit codes that follow from it. */
export function reportFailures(failures: readonly ReadFailure[], { stderr }: Terminal): readonly number[] {
  for (const words of wordsOf(failures)) stderr.write(`Warning: ${words}; the result is incomplete\n`);
  return failures.map(exitCodeOfFailure);
}

export function exitCodeOfFailure({ reason }: ReadFailure): number {
  return reason === 'forbidden' ? EXIT.permission : EXIT.network;
}

function namespaceOf(options: Options, otherwise: string): { readonly namespace?: string } {
  return within(
    flagOption(options, 'allNamespaces') ? undefined : (textOption(options, 'namespace') ?? otherwise),
  );
}

/** Files have no context that says where one is: it is the only namespace with Secrets, else kubectl's default. */
export function homeOf({ secrets, syncResources }: WorldContents, kinds: readonly SyncKind[]): string {
  const targets = syncResources.flatMap((object) => targetsOf(kinds, object));
  const [only, ...others] = new Set([...secrets, ...targets].map(({ namespace }) => namespace));
  return only === undefined || others.length > 0 ? 'default' : only;
}
