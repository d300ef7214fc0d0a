import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Awaited } from '../../src/cluster/awaited.ts';
import { createAwaited } from '../../src/cluster/awaited.ts';
import { createListeners } from '../../src/cluster/listeners.ts';
import type { WorldChange } from '../../src/cluster/world.ts';
import { ABSENT, present } from '../../src/kube/world.ts';
import { secret } from '../review/setup.ts';

const CEILING = { timeout: 60_000, interval: 5 };
const changes = createListeners<WorldChange>();
const there = new Set<string>();
let looks: string[] = [];
let news: string[] = [];
let awaited: Awaited | undefined;

function start(watched: boolean): Awaited {
  there.clear();
  looks = [];
  news = [];
  awaited = createAwaited({
    world: { observe: changes.add },
    lookup: {
      async read(want) {
        const name = want.what === 'secret' ? want.name : '';
        looks.push(name);
        return { what: 'secret', read: there.has(name) ? present(secret(name)) : ABSENT };
      },
    },
    watched,
    news: (waiter) => news.push(waiter),
  });
  return awaited;
}
afterEach(() => awaited?.stop());

describe('who waits for a Secret', () => {
  it('hears at once of what watches tell, and only of what it waits for', () => {
    const waits = start(true);
    waits.expect('a', 'jobs', ['db', 'api']);
    waits.expect('b', 'jobs', ['api']);
    changes.tell({ what: 'secret', namespace: 'jobs', name: 'db' });
    changes.tell({ what: 'secret', namespace: 'other', name: 'api' });
    expect(news).toEqual(['a']);
    changes.tell({ what: 'secret', namespace: 'jobs', name: 'api' });
    expect(news).toEqual(['a', 'a', 'b']);
    waits.expect('a', 'jobs', ['api']);
    waits.forget('b');
    changes.tell({ what: 'secret', namespace: 'jobs', name: 'db' });
    changes.tell({ what: 'secret', namespace: 'jobs', name: 'api' });
    expect(news).toEqual(['a', 'a', 'b', 'a']);
  });

  it('hears of a Secret that no watch tells of, as soon as it is found', async () => {
    const waits = start(false);
    waits.expect('a', 'jobs', ['db']);
    await vi.waitFor(() => expect(looks.length).toBeGreaterThan(1), CEILING);
    expect(news).toEqual([]);
    there.add('db');
    await vi.waitFor(() => expect(news).toContain('a'), CEILING);
  });

  it('has all of many Secrets looked for in turn, a few at a time', async () => {
    const waits = start(false);
    const names = Array.from({ length: 25 }, (_, index) => `s${index}`);
    waits.expect('a', 'jobs', names);
    await vi.waitFor(() => expect(looks.length).toBeGreaterThan(0), CEILING);
    expect(looks).toHaveLength(10);
    await vi.waitFor(() => expect(new Set(looks).size).toBe(25), CEILING);
  });

  it('asks nothing where watches tell everything', async () => {
    const waits = start(true);
    waits.expect('a', 'jobs', ['db']);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(looks).toEqual([]);
  });
});
