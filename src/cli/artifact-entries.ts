/**
 * Which key of which Secret feeds which variable, as compiled artifacts say it: `secret_ref.keys` gives a logical name
 * its key, `env_refs` of the same section gives it its variable. Everything else that names a Secret is taken whole.
 */
import type { Json } from '../kube/json.ts';
import { asArray, asObject, get, isObject } from '../kube/json.ts';
import type { FloeReference } from './floe-references.ts';
import { floeReferences } from './floe-references.ts';

export interface Entry {
  readonly secret: string;
  /** Absent where the whole Secret is meant. */
  readonly key?: string;
  /** Absent where the annotation's default name is meant. */
  readonly variable?: string;
  readonly namespace?: string;
  /** Where it stands: 'deployment.storage.credentials.secret_ref'. */
  readonly field: string;
}

export function artifactEntries(artifacts: Json): readonly Entry[] {
  return floeReferences(artifacts).flatMap((reference) => entriesOf(artifacts, reference));
}

function entriesOf(artifacts: Json, reference: FloeReference): readonly Entry[] {
  const { secret, keys, field, namespace } = reference;
  const base = { secret, field, ...(namespace === undefined ? {} : { namespace }) };
  if (keys.length === 0) return [base];
  const logical = logicalKeys(valueAt(artifacts, reference.path));
  const variables = variablesFor(artifacts, reference.path);
  return keys.map((key) => {
    const names = Object.keys(logical).filter((name) => logical[name] === key);
    const variable = names.map((name) => variables.get(name)).find((one) => one !== undefined);
    return { ...base, key, ...(variable === undefined ? {} : { variable }) };
  });
}

function logicalKeys(reference: Json | undefined): Readonly<Record<string, Json | undefined>> {
  return asObject(get(reference, 'keys'));
}

/** `env_refs` of the nearest section around the reference that has any. */
function variablesFor(artifacts: Json, path: FloeReference['path']): ReadonlyMap<string, string> {
  for (let length = path.length - 1; length > 0; length--) {
    const found = envRefsIn(valueAt(artifacts, path.slice(0, length)));
    if (found.size > 0) return found;
  }
  return new Map();
}

function envRefsIn(value: Json | undefined): ReadonlyMap<string, string> {
  if (!isObject(value)) return new Map();
  const own = Object.entries(asObject(get(value, 'env_refs')));
  const inner = Object.entries(value)
    .filter(([key]) => key !== 'env_refs')
    .flatMap(([, child]) => [...envRefsIn(child)]);
  return new Map([
    ...inner,
    ...own.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  ]);
}

function valueAt(root: Json, path: FloeReference['path']): Json | undefined {
  let value: Json | undefined = root;
  for (const part of path) value = typeof part === 'number' ? asArray(value)[part] : get(value, part);
  return value;
}
