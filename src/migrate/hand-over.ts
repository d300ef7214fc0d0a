/**
 * How a Secret passes from one sync resource to another while pods go on using it: from what a cluster shows at this
 * moment to the next thing to do. Nothing is remembered between two steps, so a run that was killed goes on where it
 * stands. The order:
 *
 * 1. record    what there was, in a ConfigMap: the way back
 * 2. rehearse  the new resource writes another Secret, which must come out equal; so far nothing has changed
 * 3. release   the old resource no longer owns the Secret, so that it does not go with it
 *    silence   nor writes it: else it would mend what the new one does wrong, and hide it
 * 4. adopt     the new resource on the Secret itself; again its data must be equal
 * 5. retire    the old resource goes, and the Secret stays
 * 6. tidy, settle, sweep, close: the old operator's traces, the new one's final wishes, the rehearsal, the record
 */
import type { JsonObject } from '../kube/json.ts';
import type { Copy } from './conversion.ts';

/** What is written upstream for a Secret, and which of its keys were not there before. */
export interface CopyMade extends Copy {
  readonly created: readonly string[];
  /** Whether the place itself was not there before. */
  readonly madePlace?: boolean;
}

export interface HandOver {
  readonly namespace: string;
  /** The name of the Secret. */
  readonly secret: string;
  /** The manifest of the resource that writes it now; undefined of a Secret that nobody syncs. */
  readonly from?: JsonObject;
  /** The manifest of the one that will, as it is to be in the end. */
  readonly to: JsonObject;
  /** What the values that `to` reads are, where they were copied for it. */
  readonly copy?: CopyMade;
  /** What becomes of the record: it is kept as the way back, or there is none any more. */
  readonly record: 'kept' | 'removed';
}

/** How two Secrets differ, by the names of their keys. */
export interface Difference {
  /** What the other one is, where that is not the type of this one: operators delete a Secret to change it. */
  readonly type?: string | undefined;
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly changed: readonly string[];
}

/** A resource that is to write a Secret, and what came of it. */
export interface Performance {
  /** `failing`: its operator says so, in `words`, untrusted text. `synced`: and its Secret is there. */
  readonly state: 'absent' | 'waiting' | 'failing' | 'synced';
  readonly words: string;
}

export interface Sight {
  readonly record: 'none' | 'open' | 'closed';
  readonly secretIsThere: boolean;
  /** Whether the plan has a resource that writes it now; without one the new one may make it. */
  readonly hasSource: boolean;
  /** Whether one resource changes, and no other takes its place. */
  readonly isInPlace: boolean;
  /** Whether the new resource writes a Secret, which can be rehearsed. */
  readonly rehearses: boolean;
  /** `owning`: the Secret would go with it. `silent`: it is released, and all that its operator can be told. `leaving`: it is being deleted. */
  readonly from: 'absent' | 'owning' | 'released' | 'silent' | 'leaving';
  /** Whether the operator of `from` has read its spec as it stands. */
  readonly fromIsHeard: boolean;
  /** Whether the Secret has an ownerReference to `from`. */
  readonly fromIsOwner: boolean;
  readonly rehearsal: Performance;
  readonly to: Performance;
  /** Whether it was told to write nothing, by a run in the other direction. */
  readonly toIsSilent: boolean;
  /** Whether its wishes of ownership are the final ones. */
  readonly toIsSettled: boolean;
  /** A rehearsal of the other direction, or the Secret of one that is gone. */
  readonly leftover: boolean;
  /** Of the Secret to the one of the rehearsal; undefined where one of them is not there. */
  readonly difference?: Difference;
  /** Whether the Secret carries traces of the operator of `from`. */
  readonly traces: boolean;
}

export type Step =
  | 'clear'
  | 'record'
  | 'rehearse'
  | 'release'
  | 'disown'
  | 'silence'
  | 'adopt'
  | 'wake'
  | 'retire'
  | 'tidy'
  | 'settle'
  | 'sweep'
  | 'close';

export type Next =
  | { readonly kind: 'step'; readonly step: Step }
  /** On whom it waits is for people: 'the rehearsal'. `words` is what an operator says meanwhile. */
  | { readonly kind: 'wait'; readonly on: string; readonly words: string }
  | { readonly kind: 'stop'; readonly why: string }
  | { readonly kind: 'done' };

export interface Temper {
  /** Whether it is too early to take a failure or a silence for the last word. */
  readonly patient: boolean;
  /** Whether other values than now are wanted: on the way back the old store may have moved on. */
  readonly acceptsChanges: boolean;
}

export function nextStep(sight: Sight, temper: Temper, record: HandOver['record'] = 'kept'): Next {
  if (sight.leftover) return step('clear');
  return sight.to.state === 'absent' ? beforeAdoption(sight, temper) : afterAdoption(sight, temper, record);
}

function beforeAdoption(sight: Sight, temper: Temper): Next {
  const { record, secretIsThere, hasSource, from } = sight;
  if (!secretIsThere && hasSource) return stop('the Secret is not there: there is nothing to hand over');
  if (from === 'leaving') return stop('the resource that writes the Secret is being deleted');
  if (record !== 'open') return step('record');
  // Nothing is there that a rehearsal could be equal to, and nobody who could miss it.
  if (!secretIsThere) return step('adopt');
  const rehearsed = performed(sight.rehearsal, 'the rehearsal', temper) ?? compared(sight, temper);
  if (sight.rehearses && rehearsed !== undefined) return rehearsed;
  if (from === 'owning') return step('release');
  return (from === 'absent' ? undefined : letGo(sight, temper)) ?? step('adopt');
}

function afterAdoption(sight: Sight, temper: Temper, record: HandOver['record']): Next {
  if (sight.record === 'none') {
    if (record === 'removed') return { kind: 'done' };
    return stop('a resource of the new name is there already, and no migration has made it');
  }
  if (sight.toIsSilent) return step('wake');
  const adopted = performed(sight.to, 'the new resource', temper);
  if (adopted !== undefined) return adopted;
  if (sight.from === 'owning') {
    return stop('somebody has written the old resource back: is it kept by Argo CD, Flux or Helm?');
  }
  const isUnderWay = sight.from !== 'absent' || !sight.hasSource || sight.isInPlace;
  const compare = isUnderWay && sight.rehearsal.state !== 'absent';
  const different = compare ? compared(sight, temper) : undefined;
  if (different !== undefined) return different;
  if (sight.from === 'leaving') return wait('the deletion of the old resource');
  if (sight.from === 'absent') return afterRetirement(sight, record);
  return letGo(sight, temper) ?? step('retire');
}

function afterRetirement(sight: Sight, record: HandOver['record']): Next {
  if (sight.traces) return step('tidy');
  if (!sight.toIsSettled) return step('settle');
  if (sight.rehearsal.state !== 'absent') return step('sweep');
  if (sight.record !== (record === 'kept' ? 'closed' : 'none')) return step('close');
  return { kind: 'done' };
}

/** What is still to be awaited of a resource; undefined once its Secret is written. */
function performed({ state, words }: Performance, on: string, { patient }: Temper): Next | undefined {
  if (state === 'absent') return step('rehearse');
  if (state === 'synced') return undefined;
  if (state === 'failing' && !patient) return stop(`${on} does not sync: ${words}`);
  return wait(on, words);
}

/** Undefined where both Secrets are equal. A value that was just rotated needs a moment to be in both. */
function compared({ difference }: Sight, { patient, acceptsChanges }: Temper): Next | undefined {
  if (difference === undefined) return wait('the rehearsal');
  if (difference.type === undefined && (isNone(difference) || acceptsChanges)) return undefined;
  const words = wordsOfDifference(difference);
  return patient ? wait('equal data', words) : stop(`the data would not be the same: ${words}`);
}

/** Its operator drops the ownership itself, where it does that at all; an older one is helped. */
function letGo({ from, fromIsHeard, fromIsOwner }: Sight, { patient }: Temper): Next | undefined {
  if (!fromIsHeard && patient) return wait('the old operator to let go');
  if (fromIsOwner) return step('disown');
  return from === 'released' ? step('silence') : undefined;
}

function isNone({ missing, extra, changed }: Difference): boolean {
  return missing.length + extra.length + changed.length === 0;
}

/** 'without PASSWORD; with other values: USER'. Names of keys, never values. */
export function wordsOfDifference({ type, missing, extra, changed }: Difference): string {
  const parts = [
    ['it would be of type', type === undefined ? [] : [type]],
    ['it would lack', missing],
    ['it would also have', extra],
    ['it would have other values of', changed],
  ] as const;
  return parts
    .filter(([, keys]) => keys.length > 0)
    .map(([words, keys]) => `${words} ${keys.join(', ')}`)
    .join('; ');
}

function step(name: Step): Next {
  return { kind: 'step', step: name };
}

function wait(on: string, words = ''): Next {
  return { kind: 'wait', on, words };
}

function stop(why: string): Next {
  return { kind: 'stop', why };
}
