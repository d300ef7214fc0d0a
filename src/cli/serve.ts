/** `floe-secrets serve`: settings from everywhere, then the webhook until a signal ends it. */
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { ALL_SETTINGS, SHORT_FLAGS } from '../config/settings.ts';
import type { Terminal } from './terminal.ts';

/** Where the webhook takes its cluster from. */
export interface ServeOptions {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Absolute path of a watched folder of manifests, instead of a cluster. */
  readonly world: string | undefined;
  /** The settings as they are now: files change under a process. Throws as at its start. */
  readonly settings: () => Config;
}

/** Serves until the process is asked to end; gives the exit code. */
export type Serve = (config: Config, options: ServeOptions) => Promise<number>;

/** Runs the command with commander's options, where a flag `--server-port` is called `serverPort`. */
export async function run(
  options: Readonly<Record<string, unknown>>,
  { terminal, serve }: { readonly terminal: Terminal; readonly serve: Serve },
): Promise<number> {
  const { cwd, env } = terminal;
  const settings = (): Config =>
    loadConfig({ file: string(options['config']), env, flags: flagsOf(options), cwd });
  const world = string(options['world']);
  return serve(settings(), {
    settings,
    kubeconfig: string(options['kubeconfig']),
    context: string(options['context']),
    world: world === undefined ? undefined : resolve(cwd, world),
  });
}

/** The settings' flags that were given, by their long names; a short form is the same flag. */
function flagsOf(options: Readonly<Record<string, unknown>>): Record<string, string | undefined> {
  const given = (flag: string): string | undefined => string(options[camelCase(flag)]);
  const flags = Object.fromEntries(ALL_SETTINGS.map(({ flag }) => [flag, given(flag)]));
  for (const [short, flag] of Object.entries(SHORT_FLAGS)) flags[flag] = given(short) ?? flags[flag];
  return flags;
}

function camelCase(flag: string): string {
  return flag.replaceAll(/-([a-z0-9])/g, (_dash, letter: string) => letter.toUpperCase());
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
