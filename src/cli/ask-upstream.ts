/** `validate --upstream`: whether the stores have what the Secrets of a manifest are made of. */
import { createLimiter } from '../cluster/limiter.ts';
import type { Config } from '../config/config.ts';
import type { KubeObject } from '../kube/object.ts';
import type { UpstreamPlace } from '../plugins/upstream-places.ts';
import { upstreamPlaces } from '../plugins/upstream-places.ts';
import { openStore } from '../upstream/open.ts';
import type { Store } from '../upstream/store.ts';
import { UpstreamError, isUpstream } from '../upstream/upstream-error.ts';
import type { Terminal } from './terminal.ts';

/** Requests to stores under way at the same time. */
const AT_ONCE = 4;

/** One Secret and what is asked of it. */
export interface Question {
  /** Its sync resources. */
  readonly objects: readonly KubeObject[];
  /** Keys that the manifest asks for. */
  readonly keys: readonly string[];
}

/** What the store said of one place. */
export interface UpstreamAnswer {
  /** 'Infisical floe-platform/prod/compute'. */
  readonly place: string;
  /** Undefined where it could not be asked. */
  readonly keys?: readonly string[];
  /** Asked for, and not there; none where a template or folders below make the Secret's keys. */
  readonly missingKeys: readonly string[];
  readonly error?: UpstreamError;
}

/** The answers of one Secret, in the order of its places; none where nothing upstream can be asked. */
export type AskUpstream = (question: Question) => Promise<readonly UpstreamAnswer[]>;

/** Whether the store answered, and what was asked for is not there; every other failure leaves it unknown. */
export function saysNo(error: UpstreamError): boolean {
  return isUpstream(
    error,
    'projectNotFound',
    'environmentNotFound',
    'pathNotFound',
    'secretNotFound',
    'mountNotFound',
  );
}

/** Whether something that a Secret is made of is not in its store. */
export function lacks({ missingKeys, error }: UpstreamAnswer): boolean {
  return missingKeys.length > 0 || (error !== undefined && saysNo(error));
}

/** Opens each store once, lends the asking, and closes them. */
export async function withUpstream<T>(
  settings: Config['upstream'],
  { env, cwd }: Terminal,
  work: (ask: AskUpstream) => Promise<T>,
): Promise<T> {
  const opened = new Map<string, Promise<Store>>();
  const answered = new Map<string, Promise<Answered>>();
  const limit = createLimiter(AT_ONCE);
  const storeOf = async (plugin: string): Promise<Store> => {
    const store = opened.get(plugin) ?? openOne(plugin, { settings, env, cwd });
    opened.set(plugin, store);
    return store;
  };
  // Many Secrets may come of one place, and stores count requests.
  const answerTo = async (place: UpstreamPlace): Promise<Answered> => {
    const key = JSON.stringify(place);
    const answer =
      answered.get(key) ?? limit(async () => answerOf(storeOf, place, elsewhere(place, settings, env)));
    answered.set(key, answer);
    return answer;
  };
  try {
    return await work(async ({ objects, keys }) => {
      const places = objects.flatMap(upstreamPlaces);
      return withMissing(await Promise.all(places.map(answerTo)), places, keys);
    });
  } finally {
    for (const store of opened.values()) await store.then((one) => one.close()).catch(() => undefined);
  }
}

async function openOne(
  plugin: string,
  { settings, env, cwd }: { readonly settings: Config['upstream'] } & Pick<Terminal, 'env' | 'cwd'>,
): Promise<Store> {
  const store = await openStore(plugin, { settings, env, cwd, namespace: '' });
  if (store === undefined)
    throw new UpstreamError('unsupported', `plugin ${plugin} has no store that can be asked`);
  return store;
}

type Answered = Omit<UpstreamAnswer, 'missingKeys'>;

async function answerOf(
  storeOf: (plugin: string) => Promise<Store>,
  place: UpstreamPlace,
  stranger: UpstreamError | undefined,
): Promise<Answered> {
  const parts = [place.project, place.environment, place.path].filter((part) => part !== '');
  const where = parts.join('/').replaceAll(/\/{2,}/g, '/');
  try {
    if (stranger !== undefined) throw stranger;
    const store = await storeOf(place.plugin);
    const keys = await store.list(place);
    return { place: `${store.name} ${store.describe(place)}`, keys };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return { place: `${place.plugin} ${where}`, error };
  }
}

/** Another Infisical or namespace of Vault than the settings name would answer for the wrong one. */
function elsewhere(
  { plugin, instance }: UpstreamPlace,
  { infisical, vault }: Config['upstream'],
  env: Terminal['env'],
): UpstreamError | undefined {
  if (instance === '') return undefined;
  if (plugin === 'infisical') {
    if (siteOf(instance) === siteOf(infisical.hostAPI)) return undefined;
    return new UpstreamError(
      'notConfigured',
      'its sync resource reads another Infisical than upstream.infisical.hostAPI names',
    );
  }
  const ours = vault.namespace === '' ? (env['VAULT_NAMESPACE'] ?? '') : vault.namespace;
  const same = instance.replaceAll(/^\/|\/$/g, '') === ours.replaceAll(/^\/|\/$/g, '');
  if (same) return undefined;
  return new UpstreamError(
    'notConfigured',
    'its sync resource reads another namespace of Vault than upstream.vault.namespace names',
  );
}

/** Scheme and host, without the `/api` that some write; '' where it is no URL. */
function siteOf(hostAPI: string): string {
  const url = URL.parse(hostAPI);
  return url === null ? '' : `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/api$/, '')}`;
}

/** A key may come of any of the places; that it is missing is known only where all of them were seen as they are. */
function withMissing(
  answers: readonly Answered[],
  places: readonly UpstreamPlace[],
  wanted: readonly string[],
): readonly UpstreamAnswer[] {
  const exact =
    places.every(({ isReshaped }) => !isReshaped) && answers.every(({ keys }) => keys !== undefined);
  const there = new Set(answers.flatMap(({ keys = [] }) => keys));
  const missing = exact ? wanted.filter((key) => !there.has(key)) : [];
  return answers.map((answer, index) => ({ ...answer, missingKeys: index === 0 ? missing : [] }));
}
