/** `review()` alone: no socket, no JSON, one thread. */
import { defaultConfig } from '../src/config/config.ts';
import { readRequest } from '../src/review/request.ts';
import { createReviewer } from '../src/review/review.ts';
import { INPUTS, admissionReview, worldWith } from './inputs.ts';

export interface AloneRow {
  readonly input: string;
  readonly secrets: number;
  /** Median of the rounds, in microseconds. */
  readonly mutate: number;
  readonly validate: number;
}

const ROUNDS = 7;
const WORLDS = [100, 10_000, 100_000];

export function measureAlone(each: number): readonly AloneRow[] {
  return WORLDS.flatMap((secrets) => {
    const world = worldWith(secrets);
    return INPUTS.filter(({ path, isCold }) => path === undefined && isCold !== true).map((input) => {
      const body: unknown = JSON.parse(admissionReview(input.pod(0), 'uid'));
      const [mutate, validate] = (['mutate', 'validate'] as const).map((door) => {
        const request = readRequest(door, body);
        return median(rounds(() => void review(request, world, 0), each));
      });
      return { input: input.name, secrets, mutate: mutate ?? 0, validate: validate ?? 0 };
    });
  });
}

const review = createReviewer(defaultConfig());

function rounds(run: () => void, each: number): readonly number[] {
  for (let index = 0; index < each; index++) run();
  return Array.from({ length: ROUNDS }, () => {
    const start = process.hrtime.bigint();
    for (let index = 0; index < each; index++) run();
    return Number(process.hrtime.bigint() - start) / each / 1000;
  });
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
}
