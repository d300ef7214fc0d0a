/**
 * Secrets that somebody waits for: who waits hears of one as soon as it is there, or as soon as what targets it says
 * something new. What watches tell comes at once; what no watch tells is looked for, a few Secrets at a time.
 */
import type { Want } from '../kube/world.ts';
import { secretKey } from './answers.ts';
import type { Lookup } from './lookup.ts';
import type { LiveWorld } from './world.ts';

export interface Awaited {
  /** `waiter` waits for these Secrets of the namespace, and for no others. */
  expect(waiter: string, namespace: string, secrets: readonly string[]): void;
  forget(waiter: string): void;
  stop(): void;
}

export interface AwaitedOptions {
  readonly world: Pick<LiveWorld, 'observe'>;
  readonly lookup: Pick<Lookup, 'read'>;
  /** Whether a watch tells of every Secret; else they are looked for. */
  readonly watched: boolean;
  /** Something is new of what this waiter waits for. */
  news(waiter: string): void;
}

type SecretWant = Extract<Want, { readonly what: 'secret' }>;

const LOOK_EVERY = 500;
/** Twenty a second at most: of more Secrets than that each is looked for less often. */
const AT_ONCE = 10;

export function createAwaited({ world, lookup, watched, news }: AwaitedOptions): Awaited {
  /** In the order in which they are to be looked for. */
  const secrets = new Map<string, { readonly want: SecretWant; readonly waiters: Set<string> }>();
  const waiting = new Map<string, readonly string[]>();
  const tell = (key: string): void => {
    for (const waiter of secrets.get(key)?.waiters ?? []) news(waiter);
  };

  const forget = (waiter: string): void => {
    for (const key of waiting.get(waiter) ?? []) {
      const waiters = secrets.get(key)?.waiters;
      waiters?.delete(waiter);
      if (waiters?.size === 0) secrets.delete(key);
    }
    waiting.delete(waiter);
  };
  const look = async (key: string, want: SecretWant): Promise<void> => {
    const { read } = await lookup.read(want, true);
    if (read.state === 'present') tell(key);
  };
  const lookAround = (): void => {
    for (const [key, entry] of [...secrets].slice(0, AT_ONCE)) {
      // To the end of the line.
      secrets.delete(key);
      secrets.set(key, entry);
      void look(key, entry.want);
    }
  };

  const stopObserving = world.observe((change) => {
    if (change.what === 'secret') tell(secretKey(change.namespace, change.name));
  });
  const timer = watched ? undefined : setInterval(lookAround, LOOK_EVERY);
  return {
    expect(waiter, namespace, names) {
      forget(waiter);
      if (names.length === 0) return;
      const keys = names.map((name) => {
        const key = secretKey(namespace, name);
        const want: SecretWant = { what: 'secret', namespace, name, full: false };
        const entry = secrets.get(key) ?? { want, waiters: new Set<string>() };
        entry.waiters.add(waiter);
        secrets.set(key, entry);
        return key;
      });
      waiting.set(waiter, keys);
    },
    forget,
    stop() {
      stopObserving();
      clearInterval(timer);
    },
  };
}
