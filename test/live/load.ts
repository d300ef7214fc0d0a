/** Pods that are tried without a pause, each of them judged by both calls: no admission may fail or pass unjudged. */
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { podAsking, tryPod } from './served.ts';

export interface Load {
  /** So far. */
  answered(): number;
  stop(): Promise<{ readonly answered: number; readonly wrong: readonly string[] }>;
}

/** Half of the pods ask for the Secret `db`, which is there, half for one that is not. */
export function startLoad(api: ApiClient, namespace: string, workers = 8): Load {
  const ending = new AbortController();
  let answered = 0;
  const wrong: string[] = [];
  const working = Array.from({ length: workers }, async (_, index) => {
    while (!ending.signal.aborted) {
      const isGood = index % 2 === 0;
      const answer = await tryPod(api, namespace, podAsking(isGood ? 'db' : 'not-there'));
      answered += 1;
      const isRight = isGood ? answer.allowed && answer.injected?.[0] === 'db' : answer.code === 403;
      if (!isRight) wrong.push(JSON.stringify(answer));
    }
  });
  return {
    answered: () => answered,
    stop: async () => {
      ending.abort();
      await Promise.all(working);
      return { answered, wrong };
    },
  };
}
