/** Reading specs: names, targets, intervals. */
import { parseDuration } from '../kube/duration.ts';
import type { Json } from '../kube/json.ts';
import type { Health, Target } from './plugin.ts';

/** A target, or none where the spec has no name. */
export function target(name: string | undefined, namespace: string): readonly Target[] {
  return name === undefined || name === '' ? [] : [{ namespace, name }];
}

/** What is a text and not empty, each once. */
export function texts(values: readonly (Json | undefined)[]): readonly string[] {
  return [...new Set(values.filter((value) => typeof value === 'string' && value !== ''))] as string[];
}

/** How often it refreshes: of milliseconds, or of a duration as people write it. Never, or unreadable, is none. */
export function intervalOf(interval: Json | undefined): Pick<Health, 'interval'> {
  const span = typeof interval === 'string' ? parseDuration(interval) : interval;
  return typeof span !== 'number' || span <= 0 ? {} : { interval: span };
}

/** A field that is set only where there is something to say. */
export function optional<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { readonly [Name in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [Name in Key]?: Value };
}
