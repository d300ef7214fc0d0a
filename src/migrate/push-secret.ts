/** What a PushSecret becomes: an InfisicalPushSecret, which brings the same keys of the same Secret to Infisical. */
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, dig, get, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { nameOf, namespaceOf } from '../kube/object.ts';
import type { PushWish } from '../plugins/infisical-manifest.ts';
import { infisicalPushSecretFor } from '../plugins/infisical-manifest.ts';
import type { Conversion, Destination, Obstacle } from './conversion.ts';
import { keeperOf } from './eso-metadata.ts';
import type { InfisicalWish } from './infisical-target.ts';
import { NO_LOGIN, below, unplaced } from './infisical-target.ts';
import { manifestOfObject } from './manners.ts';
import { valueOf } from './values.ts';

/** One key of the Secret, and what it is upstream. */
interface Pushed {
  readonly key: string;
  readonly folder: string;
  readonly name: string;
}

export function convertPushSecret(object: KubeObject, wish: InfisicalWish): Conversion {
  const { raw } = object;
  const spec = get(raw, 'spec');
  const entries = asArray(get(spec, 'data')).map(pushedBy);
  const pushed = entries.filter((one): one is Pushed => 'name' in one);
  const obstacles = [
    ...refusals(spec),
    ...entries.filter((one): one is Obstacle => 'why' in one),
    ...severalFolders(pushed),
    ...unplaced(wish.destination),
    ...(wish.login === undefined ? [NO_LOGIN] : []),
  ];
  const keeper = keeperOf(raw);
  const stores = asArray(get(spec, 'secretStoreRefs')).map((one) => text(one, 'name') ?? '?');
  const base = {
    namespace: namespaceOf(raw),
    secret: text(dig(spec, 'selector', 'secret'), 'name') ?? '-',
    kind: object.kind.kind,
    name: nameOf(raw),
    source: stores.join(', '),
    from: manifestOfObject(object),
    obstacles,
    notes: [
      `from then on it pushes to Infisical and no longer to ${stores.join(', ')}; what is there stays`,
      ...(keeper === undefined
        ? []
        : [`${keeper} keeps the PushSecret: take it out there, or it comes back`]),
    ],
  };
  if (obstacles.length > 0 || wish.login === undefined) return base;
  const place = { ...wish.destination, path: placeOf(wish.destination, pushed) };
  return { ...base, to: infisicalPushSecretFor(wishOf(raw, { pushed, place, wish, login: wish.login })) };
}

interface Parts {
  readonly pushed: readonly Pushed[];
  readonly place: Destination;
  readonly wish: InfisicalWish;
  readonly login: NonNullable<InfisicalWish['login']>;
}

function wishOf(raw: JsonObject, { pushed, place, wish, login }: Parts): PushWish {
  const spec = get(raw, 'spec');
  const interval = text(spec, 'refreshInterval');
  return {
    namespace: namespaceOf(raw),
    name: nameOf(raw),
    hostAPI: wish.hostAPI,
    login,
    ...place,
    secret: text(dig(spec, 'selector', 'secret'), 'name') ?? '',
    replaces: (text(spec, 'updatePolicy') ?? 'Replace') === 'Replace',
    deletes: text(spec, 'deletionPolicy') === 'Delete',
    template: Object.fromEntries(pushed.map(({ key, name }) => [name, `{{ ${valueOf(key)} }}`])),
    ...(interval !== undefined && /^\d+[smhd]$/.test(interval) ? { interval } : {}),
  };
}

/** A folder of Vault or the like becomes one below the path that is wished. */
function placeOf({ path }: Destination, pushed: readonly Pushed[]): string {
  const folder = pushed[0]?.folder ?? '';
  return folder === '' ? path : below(path, folder);
}

/** `db` with the property `PASSWORD` is the key PASSWORD in the folder `db`; without one it is the key itself. */
function pushedBy(entry: Json, index: number): Pushed | Obstacle {
  const where = `spec.data[${index}]`;
  const match = get(entry, 'match');
  const reference = get(match, 'remoteRef');
  const [key, remote, property] = [
    text(match, 'secretKey') ?? '',
    (text(reference, 'remoteKey') ?? '').replaceAll(/^\/+|\/+$/g, ''),
    text(reference, 'property') ?? '',
  ];
  if (get(entry, 'metadata') !== undefined) {
    return { where: `${where}.metadata`, why: 'it is of the other store alone' };
  }
  const strategy = text(entry, 'conversionStrategy') ?? 'None';
  if (strategy !== 'None')
    return { where: `${where}.conversionStrategy`, why: `it renames keys by ${strategy}` };
  if (key === '')
    return { where: `${where}.match.secretKey`, why: 'it pushes the whole Secret as one value' };
  const slash = remote.lastIndexOf('/');
  if (property !== '') return { key, folder: remote, name: property };
  return { key, folder: slash === -1 ? '' : remote.slice(0, slash), name: remote.slice(slash + 1) };
}

function severalFolders(pushed: readonly Pushed[]): readonly Obstacle[] {
  const folders = new Set(pushed.map(({ folder }) => folder));
  if (folders.size < 2) return [];
  return [
    { where: 'spec.data', why: 'it pushes to several places, and an InfisicalPushSecret to one folder' },
  ];
}

function refusals(spec: Json | undefined): readonly Obstacle[] {
  const selector = get(spec, 'selector');
  const found: Obstacle[] = [];
  const refuse = (where: string, why: string): void => void found.push({ where, why });
  if (get(selector, 'generatorRef') !== undefined) {
    refuse('spec.selector.generatorRef', 'it pushes what a generator makes, and has no Secret');
  } else if (text(get(selector, 'secret'), 'name') === undefined) {
    refuse('spec.selector.secret', 'it chooses Secrets by labels, and an InfisicalPushSecret names one');
  }
  if (asArray(get(spec, 'data')).length === 0) refuse('spec.data', 'it names no keys');
  for (const field of ['dataTo', 'template']) {
    if (get(spec, field) !== undefined) refuse(`spec.${field}`, 'it makes other values than the Secret has');
  }
  return found;
}
