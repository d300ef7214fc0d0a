/** What an ExternalSecret reads, entry by entry: `data` one key each, `dataFrom` many. */
import type { Json } from '../kube/json.ts';
import { asArray, dig, get, isObject, text } from '../kube/json.ts';
import type { Obstacle } from './conversion.ts';

export interface StoreReference {
  readonly name: string;
  readonly kind: 'SecretStore' | 'ClusterSecretStore';
}

export interface Entry {
  /** 'spec.data[0]'. */
  readonly where: string;
  readonly store: StoreReference;
  readonly reads:
    /** One value, as one key of the Secret. */
    | { readonly how: 'key'; readonly key: string; readonly remote: Remote }
    /** The properties of one value, each as a key of the Secret. */
    | { readonly how: 'extract'; readonly remote: Remote }
    /** What a folder has; `selects` where not all of it. */
    | { readonly how: 'find'; readonly selects: boolean };
  /** What only External Secrets can do with it. */
  readonly special: readonly Obstacle[];
}

export interface Remote {
  readonly key: string;
  /** The property of a JSON value; '' for the whole. */
  readonly property: string;
  readonly decodes: boolean;
}

/** The entries, and what reads no store at all. */
export interface Entries {
  readonly entries: readonly Entry[];
  readonly obstacles: readonly Obstacle[];
}

export function entriesOf(spec: Json | undefined): Entries {
  const common = get(spec, 'secretStoreRef');
  const data = asArray(get(spec, 'data')).map((one, index) => dataEntry(one, `spec.data[${index}]`, common));
  const from = asArray(get(spec, 'dataFrom')).map((one, index) =>
    fromEntry(one, `spec.dataFrom[${index}]`, common),
  );
  // What comes first gives way: `data` stands over `dataFrom`.
  const all = [...from, ...data];
  return {
    entries: all.filter((one) => 'reads' in one),
    obstacles: all.filter((one): one is Obstacle => !('reads' in one)),
  };
}

function dataEntry(one: Json, where: string, common: Json | undefined): Entry | Obstacle {
  const reference = get(one, 'remoteRef');
  return {
    where,
    store: storeOf(dig(one, 'sourceRef', 'storeRef') ?? common),
    reads: { how: 'key', key: text(one, 'secretKey') ?? '', remote: remoteOf(reference) },
    special: specialOf(reference, `${where}.remoteRef`),
  };
}

function fromEntry(one: Json, where: string, common: Json | undefined): Entry | Obstacle {
  const generator = dig(one, 'sourceRef', 'generatorRef');
  if (generator !== undefined) {
    const kind = text(generator, 'kind') ?? 'generator';
    return {
      where: `${where}.sourceRef.generatorRef`,
      why: `a ${kind} makes a new value at each refresh, and nothing in Infisical takes its place`,
    };
  }
  const store = storeOf(dig(one, 'sourceRef', 'storeRef') ?? common);
  const [extract, find] = [get(one, 'extract'), get(one, 'find')];
  const rewrites = asArray(get(one, 'rewrite')).length > 0;
  const rewritten = rewrites ? [special(`${where}.rewrite`, 'it gives keys other names by a rule')] : [];
  if (isObject(extract)) {
    return {
      where,
      store,
      reads: { how: 'extract', remote: remoteOf(extract) },
      special: [...specialOf(extract, `${where}.extract`), ...rewritten],
    };
  }
  if (!isObject(find)) return { where, why: 'it neither extracts nor finds' };
  const tags = isObject(get(find, 'tags')) ? [special(`${where}.find.tags`, 'it selects by tags')] : [];
  return {
    where,
    store,
    reads: { how: 'find', selects: ['name', 'path'].some((field) => get(find, field) !== undefined) },
    special: [...specialOf(find, `${where}.find`), ...tags, ...rewritten],
  };
}

function storeOf(reference: Json | undefined): StoreReference {
  const kind = text(reference, 'kind') === 'ClusterSecretStore' ? 'ClusterSecretStore' : 'SecretStore';
  return { kind, name: text(reference, 'name') ?? '' };
}

function remoteOf(reference: Json | undefined): Remote {
  return {
    key: text(reference, 'key') ?? '',
    property: text(reference, 'property') ?? '',
    decodes: text(reference, 'decodingStrategy') === 'Base64',
  };
}

const STRATEGIES: readonly (string | undefined)[] = [undefined, 'None', 'Base64'];

function specialOf(reference: Json | undefined, where: string): readonly Obstacle[] {
  const strategy = text(reference, 'decodingStrategy');
  const found: Obstacle[] = [];
  if (!STRATEGIES.includes(strategy)) {
    found.push(special(`${where}.decodingStrategy`, `it decodes by ${strategy}`));
  }
  if (text(reference, 'metadataPolicy') === 'Fetch') {
    found.push(special(`${where}.metadataPolicy`, 'it reads metadata and not the value'));
  }
  const version = text(reference, 'version') ?? '';
  if (version !== '') found.push(special(`${where}.version`, `it stays at version ${version}`));
  return found;
}

function special(where: string, what: string): Obstacle {
  return { where, why: `${what}, which no sync resource of Infisical does` };
}
