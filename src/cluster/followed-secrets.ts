/**
 * Secrets that are known from now on: as the watch tells them, and where there is none, or where its word is not
 * enough, by looking again and again.
 */
import type { SecretRecord } from '../kube/secret.ts';
import type { Read } from '../kube/world.ts';
import { ABSENT, UNREAD } from '../kube/world.ts';
import { createPoll, createTurns } from '../reload/poll.ts';
import type { Lookup } from './lookup.ts';
import { createPause } from './pause.ts';
import type { LiveWorld } from './world.ts';

export interface FollowedSecrets {
  /** These Secrets of the namespace, and no others of it. */
  follow(namespace: string, names: ReadonlySet<string>): void;
  /** As it was last seen; unread where nobody has seen it yet. */
  secret(namespace: string, name: string): Read<SecretRecord>;
  /** Something has happened to it: look at once. */
  hurry(namespace: string, name: string): void;
  /** Looks until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export interface FollowedOptions {
  readonly world: Pick<LiveWorld, 'secret'>;
  readonly lookup: Pick<Lookup, 'read'>;
  /** Whether a watch tells of every Secret. */
  readonly watched: boolean;
  /** Milliseconds between two looks at a Secret that no watch tells of. */
  readonly interval: number;
  /** Looks a second. */
  readonly qps: number;
  /** A Secret of this namespace came, went or changed. */
  news(namespace: string): void;
  failed(message: string): void;
}

export function createFollowedSecrets(options: FollowedOptions): FollowedSecrets {
  const { world, watched } = options;
  const pause = createPause();
  const poll = createPoll({
    interval: watched ? undefined : options.interval,
    turns: createTurns(options.qps),
  });
  const looked = new Map<string, Read<SecretRecord>>();
  const followed = new Map<string, ReadonlySet<string>>();

  const look = async (key: string): Promise<void> => {
    const [namespace = '', name = ''] = key.split('/');
    const read = await readWell(options.lookup, namespace, name);
    if (followed.get(namespace)?.has(key) !== true) return;
    // What was seen stays until something else is seen.
    if (read.state === 'failed') return options.failed(read.failure.message);
    const before = looked.get(key);
    looked.set(key, read);
    if (versionOf(before) !== versionOf(read)) options.news(namespace);
  };
  return {
    follow(namespace, names) {
      const due = [...names].filter((name) => !watched || isScant(world.secret(namespace, name)));
      const keys = new Set(due.map((name) => `${namespace}/${name}`));
      for (const key of followed.get(namespace) ?? []) {
        if (keys.has(key)) continue;
        poll.unfollow(key);
        looked.delete(key);
      }
      followed.set(namespace, keys);
      for (const key of keys) poll.follow(key);
      pause.wake();
    },
    secret(namespace, name) {
      const told = world.secret(namespace, name);
      if (told.state !== 'unread' && !isScant(told)) return told;
      if (watched && told.state === 'unread') return ABSENT;
      return looked.get(`${namespace}/${name}`) ?? UNREAD;
    },
    hurry(namespace, name) {
      poll.hurry(`${namespace}/${name}`);
      pause.wake();
    },
    async run(signal) {
      const wake = (): void => pause.wake();
      signal.addEventListener('abort', wake);
      while (!signal.aborted) {
        const now = performance.now();
        const key = poll.take(now);
        if (key === undefined) await pause.sleep((poll.next(now) ?? now + options.interval) - now);
        else void look(key);
      }
      signal.removeEventListener('abort', wake);
    },
  };
}

/** Its metadata; all of it where that does not tell whether it has keys. */
async function readWell(lookup: FollowedOptions['lookup'], namespace: string, name: string) {
  const read = async (full: boolean): Promise<Read<SecretRecord>> => {
    const answer = await lookup.read({ what: 'secret', namespace, name, full }, true);
    return answer.what === 'secret' ? answer.read : UNREAD;
  };
  const metadata = await read(false);
  return isScant(metadata) ? read(true) : metadata;
}

function isScant(read: Read<SecretRecord>): boolean {
  return read.state === 'present' && !read.value.keysComplete && read.value.keys.length === 0;
}

function versionOf(read: Read<SecretRecord> | undefined): string | undefined {
  return read?.state === 'present' ? read.value.resourceVersion : read?.state;
}
