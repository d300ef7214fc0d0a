/**
 * Which Secrets a file of SOPS stands for: a Kubernetes Secret, the templates of a SopsSecret, or the file itself where
 * it holds nothing but keys and values. Asked before it is decrypted for the names, and afterwards for the values.
 */
import type { JsonObject } from '../kube/json.ts';
import { asArray, asObject, dig, get, text } from '../kube/json.ts';
import { isDnsLabel, isDnsSubdomain } from '../kube/names.ts';
import { groupOf } from '../kube/object.ts';
import type { Obstacle } from './conversion.ts';
import type { SopsEntry } from './sops-entries.ts';
import { entriesOf, keyObstacles } from './sops-entries.ts';
import type { Tree } from './sops-file.ts';

export interface SecretInFile {
  readonly kind: 'SOPS file' | 'Secret' | 'SopsSecret';
  /** Which document, and which template of it: the same before and after it is decrypted. */
  readonly id: string;
  /** Of the manifest: 'SopsSecret db'; of a file of values ''. */
  readonly title: string;
  readonly name: string;
  /** '' where the file does not say. */
  readonly namespace: string;
  readonly type: string;
  readonly immutable: boolean;
  readonly labels: JsonObject;
  readonly annotations: JsonObject;
  /** Sorted by key. */
  readonly entries: readonly SopsEntry[];
  readonly obstacles: readonly Obstacle[];
}

export interface Reading {
  /** Of a Secret that the file itself stands for. */
  readonly name: string;
  /** Whether keys of mappings in mappings are joined by '_'; without it they are an obstacle. */
  readonly flatten: boolean;
}

const CIPHERTEXT = /^ENC\[/;

/** Of several documents in their order; what is no Secret is one with an obstacle, so that nothing is passed over. */
export function secretsIn(documents: readonly Tree[], reading: Reading): readonly SecretInFile[] {
  const several = documents.filter((document) => document !== null).length > 1;
  return documents.flatMap((document, index) => {
    if (document === null) return [];
    const id = String(index);
    if (!isManifest(document)) return [fileSecret(document, { ...reading, id, several })];
    const [kind, group] = [text(document, 'kind') ?? '', groupOf(text(document, 'apiVersion') ?? '')];
    if (kind === 'Secret' && group === '') return [manifestSecret(document, id)];
    if (kind === 'SopsSecret' && group === 'isindir.github.com') return templates(document, id);
    return [noSecret(document, id)];
  });
}

function isManifest(document: Tree): boolean {
  return ['apiVersion', 'kind'].every((key) => text(document, key) !== undefined);
}

interface Whole extends Reading {
  readonly id: string;
  readonly several: boolean;
}

function fileSecret(document: Tree, { name, flatten, id, several }: Whole): SecretInFile {
  const { entries, obstacles } = entriesOf(document, { flatten, where: '', isBase64: false });
  const refusals = several ? [...obstacles, SEVERAL] : obstacles;
  return checked({ ...BARE, kind: 'SOPS file', id, name, entries, obstacles: refusals });
}

const BARE = {
  title: '',
  namespace: '',
  type: 'Opaque',
  immutable: false,
  labels: {},
  annotations: {},
} as const;

const SEVERAL: Obstacle = {
  where: '',
  why: 'the file has several documents of keys and values, and one Secret cannot be all of them',
  fix: 'split the file',
};

function manifestSecret(raw: Tree, id: string): SecretInFile {
  return templateSecret(raw, {
    id,
    kind: 'Secret',
    metadata: asObject(get(raw, 'metadata')),
    namespace: text(get(raw, 'metadata'), 'namespace') ?? '',
    where: '',
  });
}

/** SopsSecret of isindir's operator: each of its templates is a Secret of the namespace of the resource. */
function templates(raw: Tree, id: string): readonly SecretInFile[] {
  const metadata = get(raw, 'metadata');
  const namespace = text(metadata, 'namespace') ?? '';
  return asArray(dig(raw, 'spec', 'secretTemplates')).map((template, index) => ({
    ...templateSecret(template, {
      id: `${id}/${index}`,
      kind: 'SopsSecret',
      metadata: asObject(template),
      namespace,
      where: `spec.secretTemplates[${index}].`,
    }),
    title: `SopsSecret ${text(metadata, 'name') ?? ''}`,
  }));
}

interface Place {
  readonly id: string;
  readonly kind: SecretInFile['kind'];
  readonly metadata: JsonObject;
  readonly namespace: string;
  readonly where: string;
}

function templateSecret(raw: Tree, { id, kind, metadata, namespace, where }: Place): SecretInFile {
  const data = entriesOf(get(raw, 'data') ?? {}, { flatten: false, where: `${where}data`, isBase64: true });
  const texts = entriesOf(get(raw, 'stringData') ?? {}, {
    flatten: false,
    where: `${where}stringData`,
    isBase64: false,
  });
  const own = new Set(texts.entries.map(({ key }) => key));
  const name = text(metadata, 'name') ?? '';
  return checked({
    kind,
    id,
    title: `Secret ${name}`,
    name,
    namespace,
    type: text(raw, 'type') ?? 'Opaque',
    // Every scalar is a text here.
    immutable: text(raw, 'immutable') === 'true',
    labels: asObject(get(metadata, 'labels')),
    annotations: asObject(get(metadata, 'annotations')),
    // As the API server does: stringData is written over data.
    entries: [...data.entries.filter(({ key }) => !own.has(key)), ...texts.entries],
    obstacles: [...data.obstacles, ...texts.obstacles],
  });
}

function noSecret(raw: Tree, id: string): SecretInFile {
  const kind = text(raw, 'kind') ?? '';
  const name = text(get(raw, 'metadata'), 'name') ?? '';
  const hidden = CIPHERTEXT.test(kind);
  const obstacle = hidden
    ? {
        where: 'kind',
        why: 'SOPS has encrypted the whole manifest, kind and name too',
        fix: "encrypt it with --encrypted-regex '^(data|stringData)$'",
      }
    : { where: 'kind', why: `a ${kind} is no Secret` };
  const title = hidden ? 'a manifest' : `${kind} ${name}`;
  return { ...BARE, kind: 'SOPS file', id, title, name: '', entries: [], obstacles: [obstacle] };
}

/** What stands against any of them, whatever the cluster has. */
function checked(secret: SecretInFile): SecretInFile {
  const { name, namespace, type, immutable, entries } = secret;
  const found: Obstacle[] = [];
  if (CIPHERTEXT.test(name) || CIPHERTEXT.test(namespace) || CIPHERTEXT.test(type)) {
    found.push({
      where: 'metadata',
      why: 'SOPS has encrypted the name too',
      fix: "encrypt it with --encrypted-regex '^(data|stringData)$'",
    });
  } else if (!isDnsSubdomain(name)) {
    found.push({
      where: secret.kind === 'SOPS file' ? '' : 'metadata.name',
      why: name === '' ? 'it has no name' : `'${name.slice(0, 60)}' is no name of a Secret`,
      ...(secret.kind === 'SOPS file' ? { fix: 'give --name' } : {}),
    });
  } else if (namespace !== '' && !isDnsLabel(namespace)) {
    found.push({ where: 'metadata.namespace', why: `'${namespace.slice(0, 60)}' is no name of a namespace` });
  }
  if (immutable) {
    found.push({ where: 'immutable', why: 'the Secret is to be immutable: no operator could update it' });
  }
  if (entries.length === 0 && secret.obstacles.length === 0) {
    found.push({ where: '', why: 'it has no keys' });
  }
  found.push(...keyObstacles(entries));
  const sorted = entries.toSorted((one, other) => (one.key < other.key ? -1 : 1));
  return { ...secret, entries: sorted, obstacles: [...secret.obstacles, ...found] };
}
