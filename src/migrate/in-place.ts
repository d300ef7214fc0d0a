/** A resource that stays and only reads elsewhere: whether it does so already. */
import type { Json, JsonObject } from '../kube/json.ts';
import { asObject, get, isObject } from '../kube/json.ts';
import { nameOf } from '../kube/object.ts';
import type { HandOver } from './hand-over.ts';

/** Whether a hand-over changes one resource, and does not put another in its place. */
export function isInPlace({ from, to }: Pick<HandOver, 'from' | 'to'>): boolean {
  return from !== undefined && get(from, 'kind') === get(to, 'kind') && nameOf(from) === nameOf(to);
}

/** Whether the resource is as `wanted` says; what the API server has added by itself does not count. */
export function isChangedTo(wanted: JsonObject, raw: JsonObject, other: JsonObject | undefined): boolean {
  const [spec, live] = [asObject(get(wanted, 'spec')), asObject(get(raw, 'spec'))];
  const gone = Object.keys(asObject(get(other, 'spec'))).filter((field) => !Object.hasOwn(spec, field));
  return holds(spec, live) && gone.every((field) => get(live, field) === undefined);
}

function holds(wanted: Json | undefined, live: Json | undefined): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(live) &&
      live.length === wanted.length &&
      wanted.every((one: Json, index) => holds(one, live[index] as Json))
    );
  }
  if (isObject(wanted)) return Object.keys(wanted).every((key) => holds(get(wanted, key), get(live, key)));
  return wanted === live;
}
