/** Statuses as operators write them, of the short forms' words. */
import { CUSTOM_KINDS } from '../../tools/control-plane/crds.ts';
import { asShort, manifest, NAMESPACE, textOf } from './manifest.ts';
import type { Manifest, Short } from './manifest.ts';

/** Makes the whole manifest of a short form. */
export type Maker = (short: Short) => Manifest;

/** A custom resource of its short form: `spec` fields of the story beat those that are made up for it. */
export function resource(
  kind: string,
  short: Short,
  parts: { readonly spec: Manifest; readonly status?: Manifest },
): Manifest {
  const known = CUSTOM_KINDS.find((one) => one.kind === kind);
  if (known === undefined) throw new Error(`no CRD of ${kind}`);
  return {
    ...manifest(short, `${known.group}/${known.version}`, kind),
    spec: { ...parts.spec, ...asShort(short['spec']) },
    ...(parts.status === undefined ? {} : { status: parts.status }),
  };
}

/** `status: none`, a whole status, or a word that `made` turns into one. */
export function statusOf(short: Short, made: (word: string, short: Short) => Manifest): Manifest | undefined {
  const status = short['status'] ?? 'ready';
  if (status === 'none') return undefined;
  return typeof status === 'string' ? made(status, short) : asShort(status);
}

/** One condition; `since` is its last transition. */
export function condition(
  type: string,
  good: boolean,
  words: Readonly<Record<string, unknown>> = {},
): Manifest {
  const { since, ...rest } = words;
  return { type, status: good ? 'True' : 'False', lastTransitionTime: since ?? 'now-10m', ...rest };
}

/** 'db', or 'other/db' in another namespace. */
export function targetOf(
  target: unknown,
  short: Short,
): { readonly name: string; readonly namespace: string } {
  const [first = '', second] = String(target).split('/');
  if (second !== undefined) return { namespace: first, name: second };
  return { namespace: textOf(short['namespace'], NAMESPACE), name: first };
}
