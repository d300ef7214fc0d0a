/** Keys under our prefix that mean nothing: mostly typing mistakes, which would otherwise do nothing in silence. */
import { KEYS, PREFIX } from '../contract/keys.ts';
import { annotationsOf, labelsOf } from '../kube/object.ts';
import { nearest } from '../kube/nearest.ts';
import type { Draft } from './findings.ts';
import { invalid } from './findings.ts';

const KNOWN: ReadonlySet<string> = new Set(Object.values(KEYS));
const SHOWN = 5;

/** Warnings (E805) for the unknown keys of an object's labels and annotations; `what` is 'the pod'. */
export function unknownKeys(raw: unknown, what: string): readonly Draft[] {
  return [
    ...unknownIn(Object.keys(annotationsOf(raw)), `annotation`, what),
    ...unknownIn(Object.keys(labelsOf(raw)), 'label', what),
  ];
}

function unknownIn(keys: readonly string[], where: 'annotation' | 'label', what: string): readonly Draft[] {
  const unknown = keys.filter((key) => key.startsWith(PREFIX) && !KNOWN.has(key));
  if (unknown.length === 0) return [];
  return unknown.slice(0, SHOWN).map((key) => {
    const near = nearest(
      key.slice(PREFIX.length),
      Object.values(KEYS).map((known) => known.slice(PREFIX.length)),
    );
    return {
      ...invalid(
        `${what} has the ${where} ${key.slice(0, 120)}, which nothing reads${near === undefined ? '' : ` (did you mean ${PREFIX}${near}?)`}`,
      ),
      severity: 'warning',
      field: `metadata.${where}s[${key.slice(0, 120)}]`,
      suggestion: near === undefined ? 'remove it' : `write ${PREFIX}${near}`,
    };
  });
}
