/**
 * Every Secret that a floe manifest names, in each form that floe's code and documents know. The manifest is
 * walked whole, because plugin configurations are free-form; what is not known is passed over.
 */
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, get, isObject, text } from '../kube/json.ts';

/** One place that names a Secret. */
export interface FloeReference {
  readonly secret: string;
  /** Keys that the place asks for; often none. */
  readonly keys: readonly string[];
  /** Where the Secret is expected; undefined: in the namespace of the jobs. */
  readonly namespace?: string;
  /** 'plugins.compute.connection_secret_ref' */
  readonly field: string;
  readonly path: readonly (string | number)[];
}

/** Deeper than any manifest; a stranger's file must not overflow the stack. */
const MAX_DEPTH = 64;

/** `connection_secret_ref`, `client_secret_ref`, `secret_ref`, `client_id_ref`: a name, or an object with one. */
const NAMING_KEY = /^(?:(?:\w+_)?secret_ref|client_id_ref|secretRef|secretKeyRef)$/;

/** `credential_secret_name` (MinIO storage): the prefix of its sibling `credential_secret_namespace`. */
const NAME_KEY = /^((?:\w+_)?secret)_name$/;

/** Sources of floe's SecretReference and CredentialRef that end in a Kubernetes Secret. */
const SECRET_SOURCES: ReadonlySet<string> = new Set([
  'kubernetes',
  'vault',
  'external-secrets',
  'infisical',
  'kubernetes-secret',
  'external-secret-sync',
  'csi-secret-volume',
]);

type Path = readonly (string | number)[];

/** The references of a manifest (or floe.yaml, or compiled artifacts), in the order of the file. */
export function floeReferences(manifest: Json): readonly FloeReference[] {
  return walk(manifest, []);
}

/** The namespace that the manifest's own secrets plugin works in, where it says so. */
export function floeNamespace(manifest: Json): string | undefined {
  const namespace = text(get(get(get(manifest, 'plugins'), 'secrets'), 'config'), 'namespace');
  return namespace === '' ? undefined : namespace;
}

function walk(value: Json | undefined, path: Path): readonly FloeReference[] {
  if (path.length > MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((item: Json, index) => walk(item, [...path, index]));
  if (!isObject(value)) return [];
  // An object that is itself a reference has nothing below it that could be another one.
  if (isSourced(value)) return reference(value, path);
  return Object.entries(value).flatMap(([key, child]) => entry({ key, child, parent: value }, path));
}

interface Entry {
  readonly key: string;
  readonly child: Json | undefined;
  readonly parent: JsonObject;
}

function entry({ key, child, parent }: Entry, path: Path): readonly FloeReference[] {
  const here = [...path, key];
  if (NAMING_KEY.test(key)) return reference(child, here);
  if (key === 'secret_refs') return referenceMap(child, here);
  const named = NAME_KEY.exec(key);
  if (named !== null && typeof child === 'string') return spread(child, parent, here);
  return walk(child, here);
}

/** `secret_refs: {logical: secret}`, or a list of them. */
function referenceMap(value: Json | undefined, path: Path): readonly FloeReference[] {
  if (Array.isArray(value)) return value.flatMap((item: Json, index) => reference(item, [...path, index]));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([logical, item]) => reference(item, [...path, logical]));
}

/** A name, or an object such as `{source, name, key}`, `{secretRef: {…}}`, `{name, namespace, keys: {…}}`. */
function reference(value: Json | undefined, path: Path): readonly FloeReference[] {
  if (typeof value === 'string') return value === '' ? [] : [referenceTo(value, path, {})];
  if (!isObject(value)) return [];
  const inner = get(value, 'secretRef');
  if (inner !== undefined) return reference(inner, [...path, 'secretRef']);
  const name = text(value, 'name');
  const source = text(value, 'source');
  if (name === undefined || name === '') return [];
  if (source !== undefined && !SECRET_SOURCES.has(source)) return [];
  return [referenceTo(name, path, { namespace: text(value, 'namespace'), keys: keysOf(value) })];
}

/** MinIO's form: name, namespace and keys are siblings, told apart by their prefixes and suffixes. */
function spread(name: string, parent: JsonObject, path: Path): readonly FloeReference[] {
  if (name === '') return [];
  // 'credential_secret_name' and 'credential_secret_namespace'.
  const namespace = text(parent, `${String(path.at(-1))}space`);
  const keys = Object.entries(parent).filter(([sibling]) => sibling.endsWith('_secret_key'));
  return [referenceTo(name, path, { namespace, keys: texts(keys.map(([, value]) => value)) })];
}

interface Details {
  readonly namespace?: string | undefined;
  readonly keys?: readonly string[];
}

function referenceTo(secret: string, path: Path, { namespace, keys = [] }: Details): FloeReference {
  const field = path.reduce<string>(
    (written, part) =>
      typeof part === 'number' ? `${written}[${part}]` : written === '' ? part : `${written}.${part}`,
    '',
  );
  return { secret, keys, field, path, ...(namespace === undefined || namespace === '' ? {} : { namespace }) };
}

function keysOf(value: JsonObject): readonly string[] {
  const key = text(value, 'key');
  const keys = get(value, 'keys');
  const listed = isObject(keys) ? Object.values(keys) : asArray(keys);
  return texts([key, ...listed]);
}

function texts(values: readonly (Json | undefined)[]): readonly string[] {
  return values.filter((value) => typeof value === 'string').filter((value) => value !== '');
}

/** `{source: kubernetes, name, key?}`: floe's SecretReference, wherever it stands. */
function isSourced(value: JsonObject): boolean {
  return SECRET_SOURCES.has(text(value, 'source') ?? '') && typeof get(value, 'name') === 'string';
}
