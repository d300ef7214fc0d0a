/** What a cluster shows of a hand-over at this moment, and the data that it compares: that never leaves this process. */
import type { JsonObject } from '../kube/json.ts';
import { asObject, get, text } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import { CONFIG_MAP, SECRET, nameOf, ownerReferencesOf, uidOf } from '../kube/object.ts';
import type { View } from '../plugins/plugin.ts';
import type { Difference, HandOver, Performance, Sight } from '../migrate/hand-over.ts';
import { isChangedTo, isInPlace } from '../migrate/in-place.ts';
import type { Manner } from '../migrate/manner.ts';
import { kindOfManifest, mannerOf } from '../migrate/manners.ts';
import { recordName, rehearsalName } from '../migrate/names.ts';
import { recordOf } from '../migrate/record.ts';
import { cleanWords } from '../review/findings.ts';
import type { Client } from './client.ts';
import { objectPath } from './paths.ts';
import { readObject } from './read-object.ts';
import { reduceObject, reduceSecret } from './reduce.ts';

/** The objects of a hand-over as they are read, the Secrets whole. */
export interface Scene {
  readonly record: JsonObject | undefined;
  readonly secret: JsonObject | undefined;
  readonly trial: JsonObject | undefined;
  readonly from: JsonObject | undefined;
  readonly to: JsonObject | undefined;
  readonly rehearsal: JsonObject | undefined;
  readonly leftover: JsonObject | undefined;
}

/** Throws ApiError where something may not be read. */
export async function readScene(client: Client, plan: HandOver): Promise<Scene> {
  const { namespace, secret, from, to } = plan;
  const read = async (kind: ResourceKind, name: string): Promise<JsonObject | undefined> =>
    readObject(client, objectPath(kind, namespace, name) ?? '');
  const party = async (manifest: JsonObject | undefined, name: string): Promise<JsonObject | undefined> =>
    manifest === undefined ? undefined : read(kindOfManifest(manifest), name);
  // The Secret comes last: what the others claim of it was true before it was read.
  const [record, source, target, rehearsal, leftover] = await Promise.all([
    read(CONFIG_MAP, recordName(plan)),
    party(from, nameOf(from)),
    party(to, nameOf(to)),
    party(to, rehearsalName(nameOf(to))),
    party(from, rehearsalName(nameOf(from))),
  ]);
  const [trial, current] = [await read(SECRET, rehearsalName(nameOf(to))), await read(SECRET, secret)];
  return { record, secret: current, trial, from: source, to: target, rehearsal, leftover };
}

export function sightOf(plan: HandOver, scene: Scene): Sight {
  const { secret, trial, rehearsal } = scene;
  const inPlace = isInPlace(plan);
  const to = inPlace && !isSwitched(plan, scene.to) ? undefined : scene.to;
  const difference = secret === undefined || trial === undefined ? undefined : differenceOf(secret, trial);
  return {
    record: recordOf(scene.record)?.state ?? 'none',
    secretIsThere: secret !== undefined && text(get(secret, 'metadata'), 'deletionTimestamp') === undefined,
    hasSource: plan.from !== undefined,
    isInPlace: inPlace,
    rehearses: mannerOf(plan.to).rehearsal !== undefined,
    ...sightOfSource(plan, scene),
    rehearsal: performanceOf(plan.to, rehearsal, trial),
    to: performanceOf(plan.to, to, secret),
    toIsSilent: to !== undefined && mannerOf(plan.to).isSilent(to),
    toIsSettled: to === undefined || isSettled(plan.to, to),
    leftover: hasLeftover(plan, scene, inPlace),
    ...(difference === undefined ? {} : { difference }),
    traces: tracesLeft(plan, scene).length > 0,
  };
}

/** What rehearsed the other direction, or a Secret that an operator has written once more after its rehearsal went. */
function hasLeftover(plan: HandOver, { rehearsal, leftover, trial }: Scene, inPlace: boolean): boolean {
  if (inPlace ? isOfOther(plan, rehearsal) : leftover !== undefined) return true;
  return rehearsal === undefined && trial !== undefined;
}

function isSwitched({ from, to }: HandOver, raw: JsonObject | undefined): boolean {
  return raw !== undefined && isChangedTo(to, raw, from);
}

/** In place both directions rehearse under one name. */
function isOfOther({ from, to }: HandOver, rehearsal: JsonObject | undefined): boolean {
  if (rehearsal === undefined) return false;
  const { rehearsal: rehearse } = mannerOf(to);
  const name = nameOf(rehearsal);
  return !isChangedTo(
    rehearse?.(to, name) ?? to,
    rehearsal,
    from === undefined ? undefined : rehearse?.(from, name),
  );
}

type Source = Pick<Sight, 'from' | 'fromIsHeard' | 'fromIsOwner'>;

function sightOfSource(plan: HandOver, { from, secret }: Scene): Source {
  if (plan.from === undefined || from === undefined || isInPlace(plan)) {
    return { from: 'absent', fromIsHeard: true, fromIsOwner: false };
  }
  const manner = mannerOf(plan.from);
  const leaving = text(get(from, 'metadata'), 'deletionTimestamp') !== undefined;
  const owners = secret === undefined ? [] : reduceSecret(secret).ownerReferences;
  const { generation } = manner.sync.health(objectOf(plan.from, from), NOTHING_ELSE);
  return {
    from: leaving ? 'leaving' : stanceOf(manner, from),
    fromIsHeard: !manner.answers || generation === 'current',
    fromIsOwner: owners.some(({ uid }) => uid === uidOf(from)),
  };
}

function stanceOf(manner: Manner, from: JsonObject): Sight['from'] {
  if (!manner.isReleased(from)) return 'owning';
  return manner.silenced === undefined || manner.isSilent(from) ? 'silent' : 'released';
}

const NOTHING_ELSE: View = { namespace: '', find: () => ({ state: 'unread' }) };

function objectOf(manifest: JsonObject, raw: JsonObject): KubeObject {
  return reduceObject(kindOfManifest(manifest), raw);
}

/** Synced is what its operator says of the spec as it stands, and what shows on the Secret. */
function performanceOf(
  manifest: JsonObject,
  raw: JsonObject | undefined,
  secret: JsonObject | undefined,
): Performance {
  if (raw === undefined) return { state: 'absent', words: '' };
  const { sync, marks } = mannerOf(manifest);
  const health = sync.health(objectOf(manifest, raw), { ...NOTHING_ELSE });
  const words = cleanWords(health.refused ?? health.words);
  if (health.refused !== undefined) return { state: 'failing', words };
  if (health.verdict === 'failing' && health.generation !== 'behind') return { state: 'failing', words };
  const written = secret !== undefined && marks(reduceSecret(secret));
  const ok = health.verdict === 'ok' && health.generation !== 'behind';
  return ok && written ? { state: 'synced', words } : { state: 'waiting', words };
}

function isSettled(manifest: JsonObject, raw: JsonObject): boolean {
  const { ownership } = mannerOf(manifest);
  return ownership(manifest) === ownership(raw);
}

/** What is to go before the new resource is settled: the old operator's traces, and those that keep its own away. */
export function tracesLeft(plan: HandOver, { secret, from, to }: Scene): readonly string[] {
  if (secret === undefined) return [];
  const isOver = plan.from !== undefined && from === undefined;
  const old = isOver ? tracesOn(plan.from, secret) : [];
  return to !== undefined && isShunned(plan.to, secret) ? [...old, ...tracesOn(plan.to, secret)] : old;
}

/** As a run in the other direction leaves it that has taken the ownership off already. */
function isShunned(manifest: JsonObject, secret: JsonObject): boolean {
  if (mannerOf(manifest).shunsTraces !== true) return false;
  return !ownerReferencesOf(secret).some(({ kind }) => kind === text(manifest, 'kind'));
}

/** Paths of what the operator of the resource has left on the Secret, for a JSON Patch. */
export function tracesOn(manifest: JsonObject, secret: JsonObject): readonly string[] {
  const { traces } = mannerOf(manifest);
  const metadata = get(secret, 'metadata');
  return (['labels', 'annotations'] as const).flatMap((place) =>
    traces[place].flatMap((trace) => {
      const key = typeof trace === 'string' ? trace : trace.key;
      const value = get(get(metadata, place), key);
      if (value === undefined || (typeof trace !== 'string' && value !== trace.value)) return [];
      return [`/metadata/${place}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`];
    }),
  );
}

/** What `other` has otherwise than the Secret: values are compared as the API server encodes them. */
export function differenceOf(secret: JsonObject, other: JsonObject): Difference {
  const [now, then] = [asObject(get(secret, 'data')), asObject(get(other, 'data'))];
  const [before, after] = [Object.keys(now).toSorted(), Object.keys(then).toSorted()];
  const [type, wanted] = [secret, other].map((one) => text(one, 'type') ?? 'Opaque');
  return {
    ...(type === wanted ? {} : { type: wanted }),
    missing: before.filter((key) => get(then, key) === undefined),
    extra: after.filter((key) => get(now, key) === undefined),
    changed: before.filter((key) => get(then, key) !== undefined && now[key] !== then[key]),
  };
}
