import { expect, it } from 'vitest';
import { createLimiter } from '../../src/cluster/limiter.ts';

/** A task that ends when it is told to. */
function task(name: string, began: string[]) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const run = async (): Promise<string> => {
    began.push(name);
    return promise;
  };
  return { run, end: () => resolve(name), fail: () => reject(new Error(name)) };
}

const settle = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('runs so many at a time, the others in the order in which they came', async () => {
  const began: string[] = [];
  const limit = createLimiter(2);
  const tasks = ['a', 'b', 'c', 'd'].map((name) => task(name, began));
  const answers = tasks.map(async ({ run }) => limit(run));
  await settle();
  expect(began).toEqual(['a', 'b']);
  tasks[1]!.end();
  await settle();
  expect(began).toEqual(['a', 'b', 'c']);
  for (const { end } of tasks) end();
  expect(await Promise.all(answers)).toEqual(['a', 'b', 'c', 'd']);
  expect(began).toEqual(['a', 'b', 'c', 'd']);
});

it('hands on the place of a task that fails, and its failure', async () => {
  const began: string[] = [];
  const limit = createLimiter(1);
  const [first, second] = [task('a', began), task('b', began)];
  const failed = expect(limit(first.run)).rejects.toThrow('a');
  const answered = limit(second.run);
  first.fail();
  await failed;
  await settle();
  expect(began).toEqual(['a', 'b']);
  second.end();
  expect(await answered).toBe('b');
});

it('lets no newcomer slip in before those who wait', async () => {
  const began: string[] = [];
  const limit = createLimiter(1);
  const tasks = ['a', 'b', 'c'].map((name) => task(name, began));
  const first = limit(tasks[0]!.run);
  const second = limit(tasks[1]!.run);
  tasks[0]!.end();
  await first;
  // The place is b's already, though b has had no chance to run yet.
  const third = limit(tasks[2]!.run);
  await settle();
  expect(began).toEqual(['a', 'b']);
  tasks[1]!.end();
  tasks[2]!.end();
  await Promise.all([second, third]);
  expect(began).toEqual(['a', 'b', 'c']);
});

it('is free again once everything has ended', async () => {
  const limit = createLimiter(1);
  for (let turn = 0; turn < 3; turn += 1) expect(await limit(async () => turn)).toBe(turn);
});
