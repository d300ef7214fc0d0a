/** `floe-secrets create NAME`: a new secret through the plugin that the namespace's pods would use. */
import { readNamespaces } from '../cluster/snapshot.ts';
import type { Client } from '../cluster/client.ts';
import { loadConfig } from '../config/load.ts';
import type { KubeObject } from '../kube/object.ts';
import { NAMESPACE } from '../kube/object.ts';
import type { Policy } from '../review/policy.ts';
import { policyOf } from '../review/policy.ts';
import type { Settings } from '../review/settings.ts';
import { settingsOf } from '../review/settings.ts';
import { hasStore, homeOf, openStore } from '../upstream/open.ts';
import { placeOf } from '../upstream/secrets-plugin.ts';
import type { Place } from '../upstream/store.ts';
import type { Made, Wish } from './create-parts.ts';
import { createInStore } from './create-parts.ts';
import { readSources } from './from-sources.ts';
import { withClient } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption, secretOption, textOption } from './options.ts';
import type { Format } from './print.ts';
import { counted, listDocument, printable, structured } from './print.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, exitCodeOf, guarded, messageOf } from './terminal.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** Exit code 1 where it exists already; 2, 3, 4 and 8 as everywhere. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const name = secretOption(options);
    if (flagOption(options, 'allNamespaces')) {
      throw new CommandError('a Secret is in one namespace: name it with -n instead of -A', EXIT.usage);
    }
    const values = await readSources(options, terminal);
    const settings = settingsOf(loadConfig({ env: terminal.env, cwd: terminal.cwd, flags: {} }));
    const made = await withClient(options, terminal, async (client) => {
      const namespace = textOption(options, 'namespace') ?? client.namespace;
      const policy = await policyFor(client, settings, namespace);
      const plugin = choosePlugin({ settings, policy, namespace }, options, terminal);
      const { upstream } = settings.config;
      const opening = { settings: upstream, env: terminal.env, cwd: terminal.cwd, api: client, namespace };
      const store = await openStore(plugin, opening).catch((error: unknown) => {
        const isChosen = textOption(options, 'plugin') !== undefined;
        throw isChosen || exitCodeOf(error) !== EXIT.usage ? error : withWayOut(error, policy);
      });
      if (store === undefined) throw new Error(`plugin ${plugin} has no store`);
      const place = placeFor(name, { plugin, home: homeOf(plugin, opening), policy, options });
      const wish: Wish = { name, namespace, values, place, dryRun: flagOption(options, 'dryRun') };
      try {
        return await createInStore(store, wish, { client, settings: upstream, terminal });
      } finally {
        await store.close();
      }
    });
    if (format === 'text') terminal.stdout.write(made.map(madeLine).join(''));
    else terminal.stdout.write(structured(format, madeDocument(made)));
    return EXIT.ok;
  });
}

/** Who chose no plugin may not have meant the store whose credentials are missing. */
function withWayOut(error: unknown, { chain }: Policy): unknown {
  if (chain.every(({ id }) => id !== 'k8s')) return error;
  return new CommandError(`${messageOf(error)}; or make a native Secret: --plugin k8s`, EXIT.usage);
}

async function policyFor(client: Client, settings: Settings, namespace: string): Promise<Policy> {
  const [found] = await readNamespaces(client, { namespace });
  const object: KubeObject = found ?? { kind: NAMESPACE, raw: {} };
  return policyOf(settings, object);
}

interface Choice {
  readonly settings: Settings;
  readonly policy: Policy;
  readonly namespace: string;
}

/** `--plugin`, else the first of the chain that this program can create with. */
function choosePlugin(
  { settings, policy, namespace }: Choice,
  options: Options,
  { stderr }: Terminal,
): string {
  const asked = textOption(options, 'plugin');
  const ids = policy.chain.map(({ id }) => id);
  if (asked === undefined) {
    const first = ids.find(hasStore);
    if (first !== undefined) return first;
    throw new CommandError(
      `no plugin of the chain '${ids.join(', ')}' can create a secret: choose one with --plugin, such as --plugin k8s`,
      EXIT.usage,
    );
  }
  const plugin = settings.plugins.get(asked);
  if (plugin === undefined) {
    const known = [...settings.plugins.keys()].join(', ');
    throw new CommandError(`--plugin ${asked} is not enabled: use one of ${known}`, EXIT.usage);
  }
  if (!hasStore(plugin.id)) {
    const reason = 'its store is asked by its operator alone';
    throw new CommandError(`--plugin ${asked} cannot create a secret: ${reason}`, EXIT.usage);
  }
  if (!ids.includes(plugin.id)) {
    stderr.write(
      `Warning: the chain of namespace ${namespace} is '${ids.join(', ')}': its pods cannot inject what '${plugin.id}' makes\n`,
    );
  }
  return plugin.id;
}

interface PlaceParts {
  readonly plugin: string;
  readonly home: Place;
  readonly policy: Policy;
  readonly options: Options;
}

/** The settings' place with the secret's name below, but for what the options say. */
function placeFor(name: string, { plugin, home, policy, options }: PlaceParts): Place {
  const whole = placeOf(home, name);
  const given = ['project', 'environment', 'path'].filter(
    (option) => textOption(options, option) !== undefined,
  );
  if (plugin === 'k8s') {
    if (given.length === 0) return whole;
    throw new CommandError(
      `--${given[0]} is of upstream stores; a native Secret is in its namespace`,
      EXIT.usage,
    );
  }
  const environment = home.environment === '' ? (policy.environment ?? '') : home.environment;
  return {
    project: textOption(options, 'project') ?? whole.project,
    environment: textOption(options, 'environment') ?? environment,
    path: textOption(options, 'path') ?? whole.path,
  };
}

function madeLine({ kind, name, where, keys, action, dryRun }: Made): string {
  const what = keys === undefined ? '' : `, ${counted(keys.length, 'key')}`;
  return `${printable(`${kind} ${name} ${action} in ${where}${what}`)}${dryRun ? ' (dry run)' : ''}\n`;
}

/** Names alone: what was written is in no output. */
function madeDocument(made: readonly Made[]): object {
  const items = made.map(({ kind, name, where, keys, action, dryRun }) => ({
    kind,
    name,
    where,
    keys: keys ?? null,
    action,
    dryRun,
  }));
  return listDocument('CreateList', items, {
    created: made.filter(({ action }) => action === 'created').length,
  });
}
