/**
 * The values that a migration writes upstream. Which keys are new there is recorded before the first of them is
 * written, so that a run that was killed can go on, and back.
 */
import type { Client } from '../cluster/client.ts';
import { readScene } from '../cluster/hand-over-sight.ts';
import { makeNeeded, removeRecord, tryOut, writeRecord } from '../cluster/hand-over-steps.ts';
import { readValuesFor } from '../cluster/target-secret.ts';
import type { Conversion, Copy } from '../migrate/conversion.ts';
import type { CopyMade, HandOver } from '../migrate/hand-over.ts';
import { isInPlace } from '../migrate/in-place.ts';
import type { Put, Store } from '../upstream/store.ts';
import { isUpstream } from '../upstream/upstream-error.ts';
import type { OpenStore } from './migrate-store.ts';
import type { Teller } from './migrate-tell.ts';
import { counted } from './print.ts';
import { CommandError, EXIT } from './terminal.ts';

/** The values of a conversion's copy by key: text, or base64 of those that it encodes. They stay in memory. */
export type ValuesFor = (conversion: Conversion, client: Client) => Promise<Readonly<Record<string, string>>>;

export interface Copying {
  readonly client: Client;
  /** Opened when something is copied there; whoever made it closes it. */
  readonly store: OpenStore;
  readonly valuesFor?: ValuesFor;
  readonly told: Teller;
}

const valuesOfSecret: ValuesFor = async ({ namespace, secret, copy = NO_COPY }, client) =>
  readValuesFor(client, { namespace, name: secret }, copy);

const NO_COPY = { keys: [], encoded: [] };

/**
 * First what costs nothing: whether the API server would take it all, and the store. Then the record, then the values.
 * Gives the plan with what was copied.
 */
export async function beginCopy(conversion: Conversion, plan: HandOver, copying: Copying): Promise<HandOver> {
  const { client } = copying;
  const { copy, needs } = conversion;
  if (needs !== undefined) await makeNeeded(client, needs, true);
  await tryOut(client, plan);
  if (needs !== undefined) await makeNeeded(client, needs, false);
  if (copy === undefined) return plan;
  if (isInPlace(plan)) return copyFirst({ ...conversion, copy }, plan, copying);
  const scene = await readScene(client, plan);
  if (scene.to !== undefined || scene.rehearsal !== undefined) {
    throw new CommandError(
      'a resource of the new name is there already, and no migration has made it',
      EXIT.general,
    );
  }
  const values = await valuesOf(conversion, copying);
  const store = await copying.store(copy.store);
  const { created, madePlace } = await store.put(copy.place, values, { dryRun: true });
  await refuseOthers(store, copy);
  const planned = { ...plan, copy: { ...copy, created, madePlace } };
  copying.told.step('record');
  await writeRecord(client, planned, scene.record);
  try {
    tell(planned.copy, store, { put: await store.put(copy.place, values), told: copying.told });
  } catch (error) {
    await forgetUnwritten(planned, store, client);
    throw error;
  }
  return planned;
}

/**
 * What only reads elsewhere leaves its copies there on the way back, too: its record does not have to tell of them, and
 * is written by the hand-over.
 */
async function copyFirst(
  conversion: Conversion & { readonly copy: Copy },
  plan: HandOver,
  copying: Copying,
): Promise<HandOver> {
  const { copy } = conversion;
  const store = await copying.store(copy.store);
  const put = await store.put(copy.place, await valuesOf(conversion, copying));
  tell({ ...copy, created: put.created }, store, { put, told: copying.told });
  return plan;
}

/** A store takes back what it wrote before it failed; where nothing is left, there is nothing to remember. */
async function forgetUnwritten(
  plan: HandOver & { readonly copy: CopyMade },
  store: Store,
  client: Client,
): Promise<void> {
  const there = await keysAt(store, plan.copy).catch(() => plan.copy.created);
  if (plan.copy.created.some((key) => there.includes(key))) return;
  await removeRecord({ client, scene: await readScene(client, plan) });
}

/** A run before this one may have been killed before all was written. */
export async function resumeCopy(
  conversion: Conversion,
  plan: HandOver,
  copying: Copying,
): Promise<HandOver> {
  const { copy } = plan;
  if (copy === undefined) return plan;
  const store = await copying.store(copy.store);
  const there = await keysAt(store, copy);
  if (copy.keys.every((key) => there.includes(key))) return plan;
  const values = await valuesOf({ ...conversion, copy }, copying);
  tell(copy, store, { put: await store.put(copy.place, values), told: copying.told });
  return plan;
}

async function valuesOf(conversion: Conversion, { client, valuesFor = valuesOfSecret }: Copying) {
  return valuesFor(conversion, client);
}

async function keysAt(store: Store, { place }: Pick<CopyMade, 'place'>): Promise<readonly string[]> {
  try {
    return await store.list(place);
  } catch (error) {
    if (isUpstream(error, 'pathNotFound')) return [];
    throw error;
  }
}

/** The resource brings all that stands at its place, so nothing else may. Throws CommandError, or what the store says. */
export async function refuseOthers(store: Store, copy: Pick<CopyMade, 'place' | 'keys'>): Promise<void> {
  const others = (await keysAt(store, copy)).filter((key) => !copy.keys.includes(key));
  if (others.length === 0) return;
  const where = `${store.name} ${store.describe(copy.place)}`;
  throw new CommandError(
    `${where} has other keys too, which the Secret would get: ${others.join(', ')}; choose another place with --path`,
    EXIT.general,
  );
}

interface Outcome {
  readonly put: Put;
  readonly told: Teller;
}

function tell({ keys, place }: CopyMade, store: Store, { put, told }: Outcome): void {
  const fresh = put.created.length === 0 ? 'are there already' : 'copied';
  const where = `${store.name} ${store.describe(place)}`;
  told.good('copy', `${counted(keys.length, 'value')} ${fresh}: ${where}`);
}

/**
 * Takes away upstream what the record says was made there, where it still is what the Secret has: what somebody has
 * written there since is not lost. Nothing may read from there any more.
 */
export async function takeCopyBack(
  { namespace, secret, copy }: Pick<HandOver, 'namespace' | 'secret' | 'copy'>,
  { client, store: open, told }: Copying,
): Promise<void> {
  if (copy === undefined || copy.created.length === 0) return;
  const store = await open(copy.store);
  const where = `${store.name} ${store.describe(copy.place)}`;
  const there = await keysAt(store, copy);
  const made = copy.created.filter((key) => there.includes(key));
  if (made.length === 0) return;
  const now = await readValuesFor(client, { namespace, name: secret }, { ...copy, keys: made });
  const same: string[] = [];
  for (const key of made) if ((await store.get(copy.place, key)) === now[key]) same.push(key);
  await store.remove(copy.place, same, copy.madePlace === true ? { emptied: 'goes' } : {});
  const kept = made.filter((key) => !same.includes(key));
  if (same.length > 0) told.good('remove', `${counted(same.length, 'value')} taken away again: ${where}`);
  if (kept.length > 0) {
    told.good('keep', `left in ${where}, where they are others than in the Secret: ${kept.join(', ')}`);
  }
}
