/** A migration that is killed at each of its steps: the next run goes on, or back, and its Secret is watched meanwhile. */
import { expect, test } from 'vitest';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { watchSecret } from './secret-witness.ts';

interface Ended {
  readonly code: number | null;
  readonly err: string;
}

export interface Killable<Scene> {
  /** What is said before each of its steps. Before the first there is nothing to go back from. */
  readonly steps: readonly string[];
  set(): Promise<Scene>;
  /** Begins, and ends without notice as soon as the words are said. */
  kill(scene: Scene, words: string): Promise<unknown>;
  goOn(scene: Scene): Promise<Ended>;
  goBack(scene: Scene): Promise<Ended>;
  expectThere(scene: Scene): Promise<void>;
  expectBack(scene: Scene): Promise<void>;
}

export function testKilledAnywhere<Scene extends { readonly namespace: string }>(
  api: () => ApiClient,
  killable: Killable<Scene>,
): void {
  const { steps, set, kill } = killable;
  const ways = [
    ['on', steps, killable.goOn, killable.expectThere],
    ['back', steps.slice(1), killable.goBack, killable.expectBack],
  ] as const;
  for (const [way, words, go, expectDone] of ways) {
    test.each(words)(`killed at "%s" it goes ${way}`, async (step) => {
      const scene = await set();
      const witness = await watchSecret(api(), scene.namespace, 'db');
      await kill(scene, step);
      const { code, err } = await go(scene);
      expect(code, err).toBe(0);
      await expectDone(scene);
      await witness.stop();
      expect(witness.incidents).toEqual([]);
    });
  }
}
