/** Live reads of single objects: what a review wants to know and no watch tells. */
import type { Config } from '../config/config.ts';
import type { Json, JsonObject } from '../kube/json.ts';
import { dig } from '../kube/json.ts';
import type { ResourceKind } from '../kube/object.ts';
import { CRON_JOB, JOB, NAMESPACE, SECRET, apiVersionOf, isSameKind } from '../kube/object.ts';
import type { Read, Want } from '../kube/world.ts';
import { ABSENT, present } from '../kube/world.ts';
import type { Answer } from './answers.ts';
import { keyOfWant } from './answers.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { attemptOf, failureOf } from './failure.ts';
import { createFlights } from './flights.ts';
import { createLimiter } from './limiter.ts';
import type { Memory, MemoryOptions } from './memory.ts';
import { createMemory } from './memory.ts';
import { METADATA } from './media-types.ts';
import { SUBJECT_ACCESS_REVIEW, collectionPath, objectPath } from './paths.ts';
import { reduceObject, reduceSecret } from './reduce.ts';

export interface Lookup {
  /** What earlier reads found and is still believed. */
  readonly memory: Memory;
  /** Reads now; `fresh` takes no answer of a read that began before. Never rejects: a failure is an answer. */
  read(want: Want, fresh?: boolean): Promise<Answer>;
  /** Whether reads that begin now would wait for so many others that answers come late. */
  crowded?(): boolean;
}

export interface LookupOptions extends MemoryOptions {
  /** Reads under way at the same time in this process; default 64. */
  readonly concurrency?: number;
  /** Milliseconds for one read, with its turn to come; default 2 s, the longest that a review waits. */
  readonly timeoutMs?: number;
}

const CONCURRENCY = 64;
const TIMEOUT = 2_000;
/** Reads that wait, in turns of `concurrency`, before there are too many. */
const CROWD = 3;

/**
 * For how many milliseconds an admission may still go by what a Secret was before: a read takes its time, and then
 * its answer is remembered. What a watch tells is remembered by nobody.
 */
export function outdatedFor({ access, cacheMax, cacheTtl }: Config['secrets']): number {
  return access === 'watch' || cacheMax === 0 || cacheTtl === 0 ? 0 : TIMEOUT + cacheTtl;
}

export function createLookup(client: Client, options: LookupOptions): Lookup {
  const memory = createMemory(options);
  const flights = createFlights<Answer>();
  const concurrency = options.concurrency ?? CONCURRENCY;
  const limit = createLimiter(concurrency);
  let underWay = 0;
  const timeoutMs = options.timeoutMs ?? TIMEOUT;
  return {
    memory,
    async read(want, fresh = false) {
      const key = keyOfWant(want);
      const flight = want.what === 'secret' && want.full ? `full:${key}` : key;
      const read = async (): Promise<Answer> => {
        const signal = AbortSignal.timeout(timeoutMs);
        underWay += 1;
        try {
          const answer = await limit(async () => answerTo(client, want, signal));
          memory.remember(key, answer);
          return answer;
        } finally {
          underWay -= 1;
        }
      };
      return flights.join(flight, read, fresh);
    },
    crowded: () => underWay >= CROWD * concurrency,
  };
}

async function answerTo(client: Client, want: Want, signal: AbortSignal): Promise<Answer> {
  if (want.what === 'access') return { what: 'access', read: await readAccess(client, want, signal) };
  if (want.what === 'object') return readObject(client, want, signal);
  if (want.what === 'namespace') {
    return readObject(client, { kind: NAMESPACE, namespace: '', name: want.name }, signal);
  }
  const place = { kind: SECRET, namespace: want.namespace, name: want.name };
  const accept = want.full ? undefined : METADATA;
  return { what: 'secret', read: await readOne(client, place, { signal, accept, reduce: reduceSecret }) };
}

interface Place {
  readonly kind: ResourceKind;
  readonly namespace: string;
  readonly name: string;
}

async function readObject(client: Client, place: Place, signal: AbortSignal): Promise<Answer> {
  const { kind } = place;
  const reduce = (raw: JsonObject): ReturnType<typeof reduceObject> => reduceObject(kind, raw);
  // Of the owners of a pod only their annotations and owners are judged.
  const accept = isSameKind(kind, JOB) || isSameKind(kind, CRON_JOB) ? METADATA : undefined;
  return { what: 'object', read: await readOne(client, place, { signal, accept, reduce }) };
}

interface How<T> {
  readonly signal: AbortSignal;
  readonly accept: string | undefined;
  reduce(raw: JsonObject): T;
}

async function readOne<T>(client: Client, place: Place, how: How<T>): Promise<Read<T>> {
  const path = objectPath(place.kind, place.namespace, place.name);
  // The API server would never have accepted an object of such a name.
  if (path === undefined) return ABSENT;
  const { signal, accept } = how;
  try {
    return present(
      how.reduce(await client.get(path, { signal, ...(accept === undefined ? {} : { accept }) })),
    );
  } catch (fault) {
    if (errorOfFault(fault).status === 404) return ABSENT;
    return { state: 'failed', failure: failureOf(fault, { verb: 'get', ...place }) };
  }
}

type AccessWant = Extract<Want, { readonly what: 'access' }>;

async function readAccess(client: Client, want: AccessWant, signal: AbortSignal): Promise<Read<boolean>> {
  try {
    const answer = await client.post(collectionPath(SUBJECT_ACCESS_REVIEW), accessReview(want), { signal });
    return present(dig(answer, 'status', 'allowed') === true);
  } catch (fault) {
    return { state: 'failed', failure: failureOf(fault, attemptOf(want)) };
  }
}

/** `resource` may be followed by its group: 'infisicalsecrets.secrets.infisical.com'. */
function accessReview({ user, verb, resource, namespace }: AccessWant): Json {
  const [plural = '', ...group] = resource.split('.');
  return {
    apiVersion: apiVersionOf(SUBJECT_ACCESS_REVIEW),
    kind: SUBJECT_ACCESS_REVIEW.kind,
    spec: {
      user: user.username,
      groups: user.groups,
      resourceAttributes: { verb, resource: plural, group: group.join('.'), namespace },
    },
  };
}
