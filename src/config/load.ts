/** One frozen Config from a file, the environment and flags; each beats the one before. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isObject } from '../kube/json.ts';
import { complaints, unknownWord } from './complaint.ts';
import type { Config } from './config.ts';
import { FILE_SCHEMA, SETTINGS_SCHEMA, frozenConfig } from './config.ts';
import { ConfigError } from './error.ts';
import { readYaml } from './file.ts';
import { chainOfManifest } from './manifest.ts';
import type { NamedSetting, Setting } from './settings.ts';
import { ALL_SETTINGS, DEFAULT_CONFIG_FILE, ENV_PREFIX } from './settings.ts';

export interface ConfigSources {
  /** As `--config` gave it. Without it the default file is read where there is one. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By the flag's long name without dashes (`server-port`), as text. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  /** What relative paths of flags and the environment start from. */
  readonly cwd: string;
}

/** Everything that was said, and who said it. */
interface Layers {
  readonly input: Record<string, unknown>;
  /** Where a setting was set, by its path joined with dots; without an entry it was in the file. */
  readonly origins: Map<string, string>;
  readonly place: (path: readonly PropertyKey[]) => string;
  readonly directory: string;
}

/**
 * Reads, merges and checks all sources. Throws ConfigError that names every wrong setting at once; its exit code
 * is 2, or 3 where a file that was asked for is not there.
 */
export function loadConfig(sources: ConfigSources): Config {
  const layers = readFileLayer(sources);
  rejectUnknownEnvironment(sources.env);
  for (const named of ALL_SETTINGS) {
    const env = sources.env[named.env];
    // An empty variable is an unset one, as in most programs; a service link is not meant for us.
    if (env !== undefined && env !== '' && !/^(tcp|udp|sctp):\/\//.test(env)) {
      put(layers, named, env, `environment ${named.env}`);
    }
    const flag = sources.flags[named.flag];
    if (flag !== undefined) put(layers, named, flag, `flag --${named.flag}`);
  }
  const schema = 'apiVersion' in layers.input || 'kind' in layers.input ? FILE_SCHEMA : SETTINGS_SCHEMA;
  applyManifest(layers, sources.cwd);
  return check(layers, schema);
}

function readFileLayer(sources: ConfigSources): Layers {
  const origins = new Map<string, string>();
  const file = sources.file === undefined ? DEFAULT_CONFIG_FILE : resolve(sources.cwd, sources.file);
  if (sources.file === undefined && !existsSync(file)) {
    return { input: {}, origins, place: () => 'defaults', directory: sources.cwd };
  }
  const { data, place } = readYaml(file, 'config file');
  if (!isObject(data)) throw new ConfigError(`config file ${file} must be a mapping`);
  // The two keys that say what a file is are what a file alone must have.
  const input = { apiVersion: undefined, kind: undefined, ...structuredClone(data) };
  return { input, origins, place, directory: dirname(file) };
}

function rejectUnknownEnvironment(env: ConfigSources['env']): void {
  const known = new Set(ALL_SETTINGS.map((named) => named.env));
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith(ENV_PREFIX) && !known.has(name) && !isForeign(name),
  );
  if (unknown.length > 0) fail(unknown.map((name) => unknownWord('environment variable', name, known)));
}

/**
 * Kubernetes gives pods variables for every Service of their namespace: one named floe-secrets-webhook gives
 * FLOE_SECRETS_WEBHOOK_SERVICE_HOST, FLOE_SECRETS_WEBHOOK_PORT_443_TCP_ADDR and more of the kind.
 */
function isForeign(name: string): boolean {
  if (name === `${ENV_PREFIX}DEBUG`) return true;
  return /_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT$|_PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?$/.test(name);
}

function put(layers: Layers, named: NamedSetting, text: string, origin: string): void {
  let section = layers.input;
  for (const key of named.path.slice(0, -1)) {
    const inner = (section[key] ??= {});
    // The file has something else than a mapping here, which is the file's mistake to report.
    if (!isObject(inner)) return;
    section = inner;
  }
  section[named.path.at(-1) ?? ''] = READERS[named.setting.kind](text.trim());
  layers.origins.set(named.path.join('.'), origin);
}

const asIs = (text: string): unknown => text;
const asCount = (text: string): unknown => (/^\d+$/.test(text) ? Number(text) : text);
const asList = (text: string): unknown =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** Text of a flag or variable as the file would have it; what cannot be read stays text, for the schema. */
const READERS: Readonly<Record<Setting['kind'], (text: string) => unknown>> = {
  port: asCount,
  count: asCount,
  duration: asIs,
  text: asIs,
  choice: asIs,
  mode: asIs,
  switch: (text) => (text === 'true' || text === 'false' ? text === 'true' : text),
  list: asList,
  autoList: (text) => (text === 'auto' ? text : asList(text)),
  aliases: (text) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  },
};

/** The manifest gives the default of `plugins.default`: whoever sets that key itself means it. */
function applyManifest(layers: Layers, cwd: string): void {
  const manifest = layers.input['manifest'];
  const plugins = (layers.input['plugins'] ??= {});
  if (typeof manifest !== 'string' || manifest === '' || !isObject(plugins) || 'default' in plugins) return;
  const chain = chainOfManifest(resolve(layers.origins.has('manifest') ? cwd : layers.directory, manifest));
  if (chain !== undefined) layers.input['plugins'] = { ...plugins, default: [...chain] };
}

function check(layers: Layers, schema: typeof FILE_SCHEMA | typeof SETTINGS_SCHEMA): Config {
  const result = schema.safeParse(layers.input);
  if (result.success) {
    const { apiVersion: _version, kind: _kind, ...settings } = result.data;
    return frozenConfig(settings);
  }
  const said = result.error.issues.flatMap((issue) => complaints(issue, layers.input, placeOf(layers)));
  return fail([...new Set(said)]);
}

function placeOf({ origins, place }: Layers): (path: readonly PropertyKey[]) => string {
  return (path) => {
    const steps = path.map(String);
    const origin = steps.map((_, at) => origins.get(steps.slice(0, at + 1).join('.'))).find(Boolean);
    return origin ?? place(path);
  };
}

function fail(said: readonly string[]): never {
  throw new ConfigError(said.length === 1 ? `config: ${said[0]}` : `config:\n  ${said.join('\n  ')}`);
}
