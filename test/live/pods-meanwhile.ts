/** Pods that ask for a Secret all the time while something is done with it. */
import { expect } from 'vitest';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { podAsking, tryPod } from './served.ts';

/** Each of them must be let in. */
export async function expectPodsMeanwhile(
  api: ApiClient,
  namespace: string,
  work: () => Promise<void>,
): Promise<void> {
  const pods = { tried: 0, refusals: [] as unknown[], over: false };
  const trying = (async () => {
    while (!pods.over) {
      const answer = await tryPod(api, namespace, podAsking('db'));
      pods.tried += 1;
      if (!answer.allowed) pods.refusals.push(answer);
    }
  })();
  try {
    await work();
  } finally {
    pods.over = true;
    await trying;
  }
  expect(pods.refusals).toEqual([]);
  expect(pods.tried).toBeGreaterThan(20);
}
