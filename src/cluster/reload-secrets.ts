/**
 * The Secrets that the reloader looks at, what it knows of each, and when it looks. Those that count for a workload
 * are looked at again and again; the others, where no watch tells of them, now and then for an `auto-reload` of
 * their own.
 */
import type { SecretRecord } from '../kube/secret.ts';
import type { Knowledge } from '../reload/knowledge.ts';
import { knowledgeAfter } from '../reload/knowledge.ts';
import { createPoll, createTurns } from '../reload/poll.ts';
import type { SecretData } from './secret-data.ts';

export interface SecretPlace {
  readonly namespace: string;
  readonly name: string;
}

/** What a look gave: for metrics. */
export type LookResult = 'first' | 'same' | 'changed' | 'absent' | 'failed';

export interface ReloadSecrets {
  /** Which Secrets count for a workload, and which its pods use besides. In the place of what was said before. */
  want(workload: string, wanted: readonly SecretPlace[], used: readonly SecretPlace[]): void;
  knowledge(place: SecretPlace): Knowledge | undefined;
  /** As it was last read; undefined where it was not. */
  record(place: SecretPlace): SecretRecord | undefined;
  /** Something has happened to it: look at once. */
  hurry(place: SecretPlace): void;
  /** Begins the look whose turn it is; undefined where it is nobody's. */
  take(now: number): Promise<void> | undefined;
  next(now: number): number | undefined;
  /** Milliseconds between two looks at one Secret; undefined where a watch tells of them. */
  readonly interval: number | undefined;
  readonly size: number;
}

export interface ReloadSecretsOptions {
  readonly data: SecretData;
  /** Looks a second. */
  readonly qps: number;
  /** Milliseconds; undefined where a watch tells what happens. */
  readonly interval: number | undefined;
  now(): number;
  /** Told of each look. `isNews`: the workloads that use the Secret are to be judged again. */
  looked(place: SecretPlace, result: LookResult, isNews: boolean): void;
  failed(place: SecretPlace, error: unknown): void;
}

interface Known {
  readonly place: SecretPlace;
  knowledge: Knowledge | undefined;
  record: SecretRecord | undefined;
  /** Workloads for which it counts, and workloads that only use it. */
  readonly wantedBy: Set<string>;
  readonly usedBy: Set<string>;
  busy: boolean;
}

/** How often a Secret that nobody asked for is asked whether it asks. */
const GLANCE_EVERY = 10 * 60_000;
/** Milliseconds after a look that failed; a watch would not tell again. */
const RETRY_AFTER = 5_000;
/** One turn of so many is theirs where all turns are taken. */
const GLANCE_SHARE = 8;

export function createReloadSecrets(options: ReloadSecretsOptions): ReloadSecrets {
  const { data, now } = options;
  const turns = createTurns(options.qps);
  const hot = createPoll({ interval: options.interval, turns });
  const cold = createPoll({ interval: GLANCE_EVERY, turns });
  const known = new Map<string, Known>();
  const byWorkload = new Map<string, readonly Known[]>();
  let turn = 0;

  const entryOf = (place: SecretPlace): Known => {
    const key = keyOf(place);
    const entry = known.get(key) ?? {
      place,
      knowledge: undefined,
      record: undefined,
      wantedBy: new Set<string>(),
      usedBy: new Set<string>(),
      busy: false,
    };
    known.set(key, entry);
    return entry;
  };
  /** Puts a Secret into the line where it belongs now. */
  const settle = ({ place, wantedBy, usedBy }: Known): void => {
    const key = keyOf(place);
    const isHot = wantedBy.size > 0;
    // A watch tells the annotations of all Secrets.
    const isCold = !isHot && usedBy.size > 0 && options.interval !== undefined;
    if (isHot) hot.follow(key);
    else hot.unfollow(key);
    if (isCold) cold.follow(key);
    else cold.unfollow(key);
    if (isHot || isCold) return;
    known.delete(key);
    data.forget(place.namespace, place.name);
  };
  const look = async (entry: Known, isHot: boolean): Promise<void> => {
    const { namespace, name } = entry.place;
    entry.busy = true;
    try {
      if (isHot) await examine(entry);
      else note(entry, await data.glance(namespace, name));
    } catch (error) {
      options.looked(entry.place, 'failed', false);
      options.failed(entry.place, error);
      setTimeout(() => hot.hurry(keyOf(entry.place)), RETRY_AFTER).unref();
    } finally {
      entry.busy = false;
    }
  };
  const examine = async (entry: Known): Promise<void> => {
    const { namespace, name } = entry.place;
    const seen = await data.look(namespace, name, options.interval !== undefined);
    const before = entry.knowledge;
    entry.knowledge = knowledgeAfter(before, seen, now());
    const { knowledge } = entry;
    const asked = entry.record?.annotations;
    entry.record = seen.state === 'present' ? seen.record : undefined;
    const result = seen.state === 'absent' ? 'absent' : seen.data === 'different' ? 'changed' : seen.data;
    const isNews =
      before?.dataVersion !== knowledge?.dataVersion ||
      before?.present !== knowledge?.present ||
      JSON.stringify(asked) !== JSON.stringify(entry.record?.annotations);
    options.looked(entry.place, result, isNews);
  };
  const note = (entry: Known, record: SecretRecord | undefined): void => {
    const isNews = JSON.stringify(entry.record?.annotations) !== JSON.stringify(record?.annotations);
    entry.record = record;
    options.looked(entry.place, record === undefined ? 'absent' : 'same', isNews);
  };

  return {
    want(workload, wanted, used) {
      const before = byWorkload.get(workload) ?? [];
      for (const entry of before) {
        entry.wantedBy.delete(workload);
        entry.usedBy.delete(workload);
      }
      const wants = wanted.map(entryOf);
      const uses = used.map(entryOf);
      for (const entry of wants) entry.wantedBy.add(workload);
      for (const entry of uses) entry.usedBy.add(workload);
      const after = [...new Set([...wants, ...uses])];
      if (after.length === 0) byWorkload.delete(workload);
      else byWorkload.set(workload, after);
      for (const entry of new Set([...before, ...after])) settle(entry);
    },
    knowledge: (place) => known.get(keyOf(place))?.knowledge,
    record: (place) => known.get(keyOf(place))?.record,
    hurry(place) {
      hot.hurry(keyOf(place));
      cold.hurry(keyOf(place));
    },
    take(at) {
      turn += 1;
      const first = turn % GLANCE_SHARE === 0 ? cold : hot;
      const key = first.take(at) ?? (first === hot ? cold : hot).take(at);
      const entry = key === undefined ? undefined : known.get(key);
      if (entry === undefined) return undefined;
      // A look is under way; what has happened since needs another.
      if (entry.busy) hot.hurry(keyOf(entry.place));
      return entry.busy ? undefined : look(entry, entry.wantedBy.size > 0);
    },
    next(at) {
      const times = [hot.next(at), cold.next(at)].filter((time) => time !== undefined);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    get interval() {
      return options.interval === undefined ? undefined : hot.interval;
    },
    get size() {
      return hot.size;
    },
  };
}

function keyOf({ namespace, name }: SecretPlace): string {
  return `${namespace}/${name}`;
}
