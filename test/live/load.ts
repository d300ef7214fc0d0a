/** Pods that are tried without a pause, each of them judged by both calls: no admission may fail or pass unjudged. */
import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import type { LiveAnswer } from './asking.ts';
import { podAsking, tryPod } from './served.ts';

export interface LoadOptions {
  readonly workers?: number;
  /** A namespace of mode `warn`, whose webhooks are of failurePolicy Ignore: there nobody would notice a lost call. */
  readonly lenient?: string;
}

export interface LoadResult {
  readonly answered: number;
  /** Requests that an API server which went or came did not take; they were sent again. */
  readonly unanswered: number;
  /** Pods that were refused although they are good, with the API server's words. */
  readonly failed: readonly string[];
  /** Pods that passed, and whom nobody had looked at. */
  readonly unjudged: readonly string[];
}

export interface Load {
  /** So far. */
  answered(): number;
  /** Waits for so many more answers. */
  atLeast(more: number): Promise<void>;
  stop(): Promise<LoadResult>;
}

/** Against hangs; a loaded machine may take its time. */
const CEILING = { timeout: 180_000, interval: 20 };

/** Half of the pods ask for the Secret `db`, which is there, half for one that is not, which only strict refuses. */
export function startLoad(api: ApiClient, namespace: string, options: LoadOptions = {}): Load {
  const { workers = 8, lenient } = options;
  const ending = new AbortController();
  const [failed, unjudged]: [string[], string[]] = [[], []];
  let answered = 0;
  let unanswered = 0;
  const ask = async (place: string, isGood: boolean): Promise<void> => {
    const answer = await tryPod(api, place, podAsking(isGood ? 'db' : 'not-there')).catch(() => undefined);
    if (answer === undefined || isNoAdmission(answer)) {
      unanswered += 1;
      await sleep(20);
      return;
    }
    answered += 1;
    if (isGood && !answer.allowed) failed.push(JSON.stringify(answer));
    else if (isGood && answer.injected?.[0] !== 'db') unjudged.push(JSON.stringify(answer));
    else if (!isGood && answer.allowed) unjudged.push(JSON.stringify(answer));
    else if (!isGood && answer.code !== 403) failed.push(JSON.stringify(answer));
  };
  const work = async (place: string, isGood: boolean): Promise<void> => {
    while (!ending.signal.aborted) await ask(place, isGood);
  };
  const working = [
    ...Array.from({ length: workers }, (_, index) => work(namespace, index % 2 === 0)),
    ...(lenient === undefined ? [] : [work(lenient, true), work(lenient, true)]),
  ];
  return {
    answered: () => answered,
    atLeast: async (more) => {
      const wanted = answered + more;
      await vi.waitFor(() => {
        if (answered < wanted) throw new Error(`${answered} of ${wanted} answers, ${unanswered} without`);
      }, CEILING);
    },
    stop: async () => {
      ending.abort();
      await Promise.all(working);
      return { answered, unanswered, failed, unjudged };
    },
  };
}

/** What an API server says that is about to end, or that has not read its configurations yet. */
function isNoAdmission({ trouble = '' }: LiveAnswer): boolean {
  return /^(?:429|503) (?!.*webhook)|not yet ready to handle request/.test(trouble);
}
