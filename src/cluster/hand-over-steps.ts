/** The steps of a hand-over, each one write that may be sent again: what is done already is no failure. */
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, asObject, dig, get, text } from '../kube/json.ts';
import type { ResourceKind } from '../kube/object.ts';
import { CONFIG_MAP, SECRET, generationOf, nameOf, namespaceOf, uidOf } from '../kube/object.ts';
import type { HandOver, Step } from '../migrate/hand-over.ts';
import { isInPlace } from '../migrate/in-place.ts';
import type { Manner } from '../migrate/manner.ts';
import { kindOfManifest, mannerOf } from '../migrate/manners.ts';
import { MIGRATION, rehearsalName } from '../migrate/names.ts';
import { recordManifest } from '../migrate/record.ts';
import { CLUSTER_SECRET_STORE, SECRET_STORE } from '../plugins/secret-stores.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import type { Scene } from './hand-over-sight.ts';
import { tracesLeft, tracesOn } from './hand-over-sight.ts';
import { JSON_PATCH, MERGE_PATCH } from './media-types.ts';
import { collectionPath, objectPath } from './paths.ts';

/** Fields that a migration wrote are told from those of people and operators. */
const MANAGER = 'fieldManager=floe-secrets-migrate';

interface Stage {
  readonly client: Client;
  readonly plan: HandOver;
  readonly scene: Scene;
}

type Act = (stage: Stage) => Promise<void>;

const ACTS: Readonly<Record<Step, Act>> = {
  clear: async ({ client, plan, scene }) => {
    const leftover = isInPlace(plan) ? scene.rehearsal : scene.leftover;
    if (plan.from !== undefined) await removeRehearsal(client, plan.from, leftover);
    await remove(client, SECRET, scene.trial);
  },
  record: async ({ client, plan, scene }) =>
    // The way back is what the record leads: it is only under way again.
    plan.record === 'removed'
      ? label(client, scene.record, 'record')
      : writeRecord(client, plan, scene.record),
  rehearse: async ({ client, plan }) => create(client, kindOfManifest(plan.to), rehearsalOf(plan.to)),
  release: async (stage) => changeSource(stage, ({ released }, from) => released(from)),
  silence: async (stage) => changeSource(stage, ({ silenced }, from) => silenced?.(from) ?? from),
  disown: async ({ client, scene }) => disown(client, scene),
  adopt: async ({ client, plan, scene }) =>
    isInPlace(plan) && scene.to !== undefined
      ? replaceSpec(client, scene.to, plan.to)
      : create(client, kindOfManifest(plan.to), mannerOf(plan.to).released(plan.to)),
  wake: async ({ client, plan, scene }) => {
    if (scene.to !== undefined) await replaceSpec(client, scene.to, mannerOf(plan.to).released(scene.to));
  },
  retire: async ({ client, plan, scene }) => {
    if (plan.from !== undefined && scene.from !== undefined)
      await removeResource(client, plan.from, scene.from);
  },
  tidy: async ({ client, plan, scene }) => {
    if (scene.secret !== undefined) await tidy(client, scene.secret, tracesLeft(plan, scene));
  },
  settle: async ({ client, plan, scene }) => {
    if (scene.to !== undefined) await replaceSpec(client, scene.to, plan.to);
  },
  sweep: async ({ client, plan, scene }) => removeRehearsal(client, plan.to, scene.rehearsal),
  close: async ({ client, plan, scene }) =>
    plan.record === 'removed'
      ? remove(client, CONFIG_MAP, scene.record)
      : label(client, scene.record, 'done'),
};

async function changeSource(
  { client, plan, scene: { from } }: Stage,
  change: (manner: Manner, from: JsonObject) => JsonObject,
): Promise<void> {
  if (plan.from === undefined || from === undefined) return;
  await replaceSpec(client, from, change(mannerOf(plan.from), from));
}

async function label(client: Client, record: JsonObject | undefined, state: string): Promise<void> {
  if (record === undefined) return;
  const path = `${pathOf(CONFIG_MAP, record)}?${MANAGER}`;
  const labels = { [MIGRATION]: state };
  await client.send('PATCH', path, { metadata: { labels } }, { contentType: MERGE_PATCH });
}

/** In the place of one of an older migration. Throws ApiError. */
export async function writeRecord(
  client: Client,
  plan: HandOver,
  older: JsonObject | undefined,
): Promise<void> {
  await remove(client, CONFIG_MAP, older);
  await create(client, CONFIG_MAP, recordManifest(plan, new Date()));
}

/** Throws ApiError; a conflict means that somebody wrote meanwhile, and another look is due. */
export async function take(step: Step, stage: Stage): Promise<void> {
  await ACTS[step](stage);
}

/** What the API server, and every webhook before it, says of what would be made; nothing is. Throws ApiError. */
export async function tryOut(client: Client, plan: HandOver): Promise<void> {
  const { released, rehearsal } = mannerOf(plan.to);
  const manifests = [
    ...(isInPlace(plan) ? [] : [released(plan.to)]),
    ...(rehearsal === undefined ? [] : [rehearsalOf(plan.to)]),
  ];
  for (const manifest of manifests) await create(client, kindOfManifest(plan.to), manifest, DRY);
  await create(client, CONFIG_MAP, recordManifest(plan, new Date()), DRY);
}

const DRY = '&dryRun=All';

/** Makes what the new resource reads by, unless it is there; or asks whether it could be made. Throws ApiError. */
export async function makeNeeded(client: Client, manifest: JsonObject, dryRun: boolean): Promise<void> {
  const kind = [SECRET_STORE, CLUSTER_SECRET_STORE].find((one) => one.kind === get(manifest, 'kind'));
  if (kind !== undefined) await create(client, kind, manifest, dryRun ? DRY : '');
}

/** Takes back what is not needed yet: the old resource as it was, the new one and the rehearsal deleted. */
export async function undo({ client, plan, scene }: Stage, original: JsonObject | undefined): Promise<void> {
  if (scene.to !== undefined && !isInPlace(plan)) await removeResource(client, plan.to, scene.to);
  if (plan.from !== undefined && scene.from !== undefined) await replaceSpec(client, scene.from, plan.from);
  if (scene.secret !== undefined && original !== undefined) await restoreData(client, scene.secret, original);
  await removeRehearsal(client, plan.to, scene.rehearsal);
}

export async function removeRecord({ client, scene }: Pick<Stage, 'client' | 'scene'>): Promise<void> {
  await remove(client, CONFIG_MAP, scene.record);
}

/** The next thing of what leaves a Secret to itself: false once nothing is left but the record. */
export async function leaveNext({ client, plan, scene }: Stage): Promise<boolean> {
  const { to, rehearsal, secret } = scene;
  if (rehearsal !== undefined) await removeRehearsal(client, plan.to, rehearsal);
  // It is gone once the garbage collector has let go of what it owned; only then nobody writes the Secret any more.
  if (to !== undefined) await removeResource(client, plan.to, to);
  if (to !== undefined || rehearsal !== undefined) return true;
  const traces = secret === undefined ? [] : tracesOn(plan.to, secret);
  if (secret === undefined || traces.length === 0) return false;
  await tidy(client, secret, traces);
  return true;
}

function rehearsalOf(manifest: JsonObject): JsonObject {
  const { rehearsal } = mannerOf(manifest);
  return rehearsal?.(manifest, rehearsalName(nameOf(manifest))) ?? manifest;
}

/** What is there already was made by a run before this one, or is seen to be somebody else's at the next look. */
async function create(client: Client, kind: ResourceKind, manifest: JsonObject, query = ''): Promise<void> {
  const namespace = kind.namespaced ? namespaceOf(manifest) : undefined;
  try {
    await client.post(`${collectionPath(kind, namespace)}?${MANAGER}${query}`, manifest);
  } catch (fault) {
    if (errorOfFault(fault).status !== 409) throw fault;
  }
}

function pathOf(kind: ResourceKind, raw: JsonObject): string {
  const metadata = get(raw, 'metadata');
  return objectPath(kind, text(metadata, 'namespace') ?? '', text(metadata, 'name') ?? '') ?? '';
}

/** Of the object that was seen, and no other of its name. `Orphan`: what it owns loses its owner, and stays. */
async function remove(
  client: Client,
  kind: ResourceKind,
  raw: JsonObject | undefined,
  propagationPolicy = 'Background',
): Promise<void> {
  if (raw === undefined) return;
  try {
    await client.send('DELETE', pathOf(kind, raw), { propagationPolicy, preconditions: { uid: uidOf(raw) } });
  } catch (fault) {
    if (![404, 409].includes(errorOfFault(fault).status)) throw fault;
  }
}

async function removeResource(client: Client, manifest: JsonObject, raw: JsonObject): Promise<void> {
  await remove(client, kindOfManifest(manifest), raw, 'Orphan');
}

/** The resource first: an operator would write its Secret again. */
async function removeRehearsal(
  client: Client,
  manifest: JsonObject,
  rehearsal: JsonObject | undefined,
): Promise<void> {
  if (rehearsal === undefined) return;
  await remove(client, kindOfManifest(manifest), rehearsal);
  const path = pathOf(SECRET, rehearsal);
  try {
    await client.send('DELETE', path, undefined);
  } catch (fault) {
    if (errorOfFault(fault).status !== 404) throw fault;
  }
}

/** Nothing but the spec, and only of the spec as it was seen: its operator may write the status all the time. */
async function replaceSpec(client: Client, raw: JsonObject, wanted: JsonObject): Promise<void> {
  await patch(client, pathOf(kindOfManifest(wanted), raw), [
    { op: 'test', path: '/metadata/uid', value: uidOf(raw) },
    { op: 'test', path: '/metadata/generation', value: generationOf(raw) },
    { op: 'replace', path: '/spec', value: get(wanted, 'spec') ?? {} },
  ]);
}

async function disown(client: Client, { secret, from }: Scene): Promise<void> {
  if (secret === undefined || from === undefined) return;
  const owners = asArray(dig(secret, 'metadata', 'ownerReferences'));
  const others = owners.filter((owner) => text(owner, 'uid') !== uidOf(from));
  await patchSecret(client, secret, [{ op: 'replace', path: '/metadata/ownerReferences', value: others }]);
}

/** The values as they were before anything was changed, where somebody has written others. */
export async function restoreData(client: Client, secret: JsonObject, original: JsonObject): Promise<void> {
  const [now, before] = [asObject(get(secret, 'data')), asObject(get(original, 'data'))];
  const keys = new Set([...Object.keys(now), ...Object.keys(before)]);
  if ([...keys].every((key) => get(now, key) === get(before, key))) return;
  await patchSecret(client, secret, [{ op: 'add', path: '/data', value: before }]);
}

async function tidy(client: Client, secret: JsonObject, traces: readonly string[]): Promise<void> {
  const changes = traces.map((path) => ({ op: 'remove', path }));
  await patchSecret(client, secret, changes);
}

/** Only of the Secret as it was seen. */
async function patchSecret(client: Client, secret: JsonObject, changes: readonly Json[]): Promise<void> {
  const version = text(get(secret, 'metadata'), 'resourceVersion') ?? '';
  const test = { op: 'test', path: '/metadata/resourceVersion', value: version };
  await patch(client, pathOf(SECRET, secret), [test, ...changes]);
}

async function patch(client: Client, path: string, changes: readonly Json[]): Promise<void> {
  await client.send('PATCH', `${path}?${MANAGER}`, changes, { contentType: JSON_PATCH });
}
