/**
 * E813: variables that two sources set, and keys that no shell can read as a variable. Judged from key names that
 * are known anyway; nothing is read for it.
 */
import { isVariableName } from '../kube/names.ts';
import { asArray, get, text } from '../kube/json.ts';
import type { Container } from '../kube/pod.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Draft } from './findings.ts';
import { draft } from './findings.ts';
import { useIn } from './references.ts';

/** At most so many of a kind for one container: a warning is read, a list is not. */
const SHOWN = 3;
/** Variables of one pod that are looked at: its containers may each name the same large Secret many times. */
const MOST = 20_000;
/** A longer prefix is no start of a variable that anybody reads. */
const LONGEST_PREFIX = 253;

export function variableFindings(
  containers: readonly Container[],
  records: readonly SecretRecord[],
): readonly Draft[] {
  const keysOf = new Map(records.map(({ name, keys }) => [name, keys]));
  const found: Draft[] = [];
  let left = MOST;
  for (const container of containers) {
    const sources = sourcesOf(container, keysOf, left);
    left -= sources.length;
    found.push(...findingsOf(container, sources));
  }
  return found;
}

function findingsOf(container: Container, sources: readonly Source[]): readonly Draft[] {
  if (sources.length === 0) return [];
  const explicit = new Set(
    asArray(get(container.raw, 'env')).map((variable) => text(variable, 'name') ?? ''),
  );
  const setBy = new Map<string, string>();
  const clashes: Draft[] = [];
  for (const { secret, name } of sources) {
    const other = explicit.has(name) ? 'env' : setBy.get(name);
    if (other !== undefined && other !== secret) clashes.push(clash(container, name, secret, other));
    setBy.set(name, secret);
  }
  const unusable = sources
    .filter(({ name }) => !isVariableName(name))
    .map((source) => unusableKey(container, source));
  return [...clashes.slice(0, SHOWN), ...unusable.slice(0, SHOWN)];
}

interface Source {
  readonly secret: string;
  readonly key: string;
  /** The variable's name: prefix and key. */
  readonly name: string;
}

/** The first so many. */
function sourcesOf(
  container: Container,
  keysOf: ReadonlyMap<string, readonly string[]>,
  most: number,
): readonly Source[] {
  const sources: Source[] = [];
  for (const source of asArray(get(container.raw, 'envFrom'))) {
    const secret = text(get(source, 'secretRef'), 'name') ?? '';
    const prefix = text(source, 'prefix') ?? '';
    if (prefix.length > LONGEST_PREFIX) continue;
    for (const key of keysOf.get(secret) ?? []) {
      if (sources.length >= most) return sources;
      sources.push({ secret, key, name: `${prefix}${key}` });
    }
  }
  return sources;
}

function clash(container: Container, name: string, secret: string, other: string): Draft {
  const what =
    other === 'env'
      ? `variable ${name} of Secret '${secret}' is hidden by the container's own env`
      : `Secrets '${other}' and '${secret}' both set variable ${name}; the later one wins`;
  const suggestion = 'give one of them a prefix: PREFIX=secret';
  return draft('FLOE-E813', what, { secret, uses: [useIn(container, 'envFrom')], suggestion });
}

function unusableKey(container: Container, { secret, key }: Source): Draft {
  return draft('FLOE-E813', `key '${key}' of Secret '${secret}' is not usable as a variable name`, {
    secret,
    key,
    uses: [useIn(container, 'envFrom')],
    suggestion: `name it with secrets.floe.dev/env: NAME=${secret}/${key}`,
  });
}
