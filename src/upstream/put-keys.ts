/** Writing several keys where each is a write of its own: checked before the first, taken back after a failure. */
import type { Put, PutOptions, Values } from './store.ts';
import { alreadyThere } from './store.ts';
import { UpstreamError, isUpstream } from './upstream-error.ts';

/** One place of a store that writes key by key. */
export interface KeyedPlace {
  describe(): string;
  /** Undefined where there is no such place yet. */
  keys(): Promise<ReadonlySet<string> | undefined>;
  make(): Promise<void>;
  get(key: string): Promise<string>;
  create(key: string, value: string): Promise<void>;
  replace(key: string, value: string): Promise<void>;
  remove(key: string): Promise<void>;
}

export async function putKeys(place: KeyedPlace, values: Values, options: PutOptions): Promise<Put> {
  const present = await place.keys();
  const before = await valuesBefore(place, present ?? new Set(), values);
  const plan = planOf(values, before);
  if (plan.replaced.length > 0 && options.overwrite !== true) {
    throw alreadyThere(place.describe(), plan.replaced);
  }
  const put = { ...plan, madePlace: present === undefined };
  if (options.dryRun === true) return put;
  if (present === undefined) await place.make();
  await writeAll(place, values, { put, before });
  return put;
}

/** What stands there under the wanted names; undefined for a value that may not be seen. */
async function valuesBefore(
  place: KeyedPlace,
  present: ReadonlySet<string>,
  values: Values,
): Promise<ReadonlyMap<string, string | undefined>> {
  const before = new Map<string, string | undefined>();
  for (const key of Object.keys(values)) {
    if (present.has(key)) before.set(key, await seen(place, key));
  }
  return before;
}

async function seen(place: KeyedPlace, key: string): Promise<string | undefined> {
  try {
    return await place.get(key);
  } catch (error) {
    if (isUpstream(error, 'hidden', 'forbidden')) return undefined;
    throw error;
  }
}

function planOf(values: Values, before: ReadonlyMap<string, string | undefined>): Omit<Put, 'madePlace'> {
  const keys = Object.keys(values).toSorted();
  return {
    created: keys.filter((key) => !before.has(key)),
    replaced: keys.filter((key) => before.has(key) && before.get(key) !== values[key]),
    unchanged: keys.filter((key) => before.has(key) && before.get(key) === values[key]),
  };
}

interface Writing {
  readonly put: Put;
  readonly before: ReadonlyMap<string, string | undefined>;
}

async function writeAll(place: KeyedPlace, values: Values, { put, before }: Writing): Promise<void> {
  const undo: { readonly key: string; back(): Promise<void> }[] = [];
  try {
    for (const key of put.created) {
      await createOnce(place, key, values[key] ?? '');
      undo.push({ key, back: async () => place.remove(key) });
    }
    for (const key of put.replaced) {
      await place.replace(key, values[key] ?? '');
      const old = before.get(key);
      if (old !== undefined) undo.push({ key, back: async () => place.replace(key, old) });
    }
  } catch (error) {
    const left = await takeBack(undo);
    throw withRemains(error, left, undo.length);
  }
}

/** A client that sends a write again after a broken connection may meet its own first attempt. */
async function createOnce(place: KeyedPlace, key: string, value: string): Promise<void> {
  try {
    await place.create(key, value);
  } catch (error) {
    if (!isUpstream(error, 'exists') || (await seen(place, key)) !== value) throw error;
  }
}

async function takeBack(
  undo: readonly { readonly key: string; back(): Promise<void> }[],
): Promise<readonly string[]> {
  const left: string[] = [];
  for (const { key, back } of undo.toReversed()) await back().catch(() => left.push(key));
  return left;
}

function withRemains(error: unknown, left: readonly string[], written: number): unknown {
  if (!(error instanceof UpstreamError) || written === 0) return error;
  const remains =
    left.length === 0
      ? 'what was written before is taken back'
      : `written, and not taken back: ${left.join(', ')}`;
  const { retryAfterSeconds } = error;
  return new UpstreamError(
    error.upstream,
    `${error.message}; ${remains}`,
    retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
  );
}
