/** Every story with the webhook registered at a real API server: what a person with kubectl would meet. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { makeApiClient } from '../../tools/control-plane/api-client.ts';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { needs } from '../needs.ts';
import { brokenPromises } from '../stories/invariants.ts';
import { differences } from '../stories/judge.ts';
import { render } from '../stories/rendering.ts';
import type { Stage } from '../stories/rendering.ts';
import type { Expected } from '../stories/story.ts';
import type { Case } from '../stories/telling.ts';
import { ask } from './asking.ts';
import type { LiveAnswer } from './asking.ts';
import { companies, furnish, untilOld } from './company.ts';
import type { Stagecraft } from './company.ts';
import { startServed } from './served.ts';
import type { Served } from './served.ts';

const cluster = inject('cluster');
const told = companies().map((troupe, index) => [troupe.name, troupe, `stories-${index}`] as const);

const stagecrafts = new Map<string, Stagecraft>();
let api: ApiClient;

// All worlds that are to be old are written at once, so that they grow old together.
beforeAll(async () => {
  if (cluster === undefined) return;
  api = makeApiClient(cluster);
  for (const [, troupe, name] of told) {
    if (!troupe.young) stagecrafts.set(name, await furnish(api, troupe, name));
  }
  await untilOld();
});
afterAll(async () => {
  await api?.close();
});

describe.skipIf(!needs('apiserver')).each(told)('registered with %s', (_name, troupe, name) => {
  let stagecraft: Stagecraft;
  let served: Served;

  beforeAll(async () => {
    if (cluster === undefined) throw new Error('no cluster');
    stagecraft = stagecrafts.get(name) ?? (await furnish(api, troupe, name));
    const { config, failurePolicy } = troupe;
    // It starts after its world, so it knows all of it when it is ready.
    served = await startServed(api, { name, kubeconfig: cluster.webhookKubeconfig, config, failurePolicy });
  });
  afterAll(async () => {
    await served?.stop();
  });

  test.each(troupe.cases.map((numbered) => [numbered.title, numbered] as const))(
    '%s',
    async (_title, numbered) => {
      const { one } = numbered;
      const stage = stagecraft.stageOf(numbered);
      const wrong: string[] = [];
      for (const dryRun of runsOf(one)) {
        const answer = await ask(api, one, { stage, dryRun });
        wrong.push(
          ...differencesOf(one, answer, stage).map(
            (difference) => `${dryRun ? 'dry run: ' : ''}${difference}`,
          ),
        );
      }
      expect(wrong).toEqual([]);
    },
  );
});

/**
 * A dry run first, then in earnest. Waiting makes no sense in a dry run, so where the answer is to wait there is
 * none; what is updated, and workloads, are only tried.
 */
function runsOf(one: Case): readonly boolean[] {
  if (one.story.dryRun) return [true];
  const waits = [one.mutate, one.validate, one.verdict].some((expected) => expected?.code === 429);
  if (waits) return [false];
  return one.operation === 'UPDATE' || one.subject['kind'] !== 'Pod' ? [true] : [true, false];
}

function differencesOf(one: Case, answer: LiveAnswer, stage: Stage): readonly string[] {
  const { mutate, validate, verdict } = render(
    { mutate: one.mutate, validate: one.validate, verdict: one.verdict },
    stage,
  );
  if (answer.trouble !== undefined) return [`the API server itself refuses: ${answer.trouble}`];
  const last = answer.refusedBy === 'mutate' ? (verdict ?? mutate) : (verdict ?? validate);
  return [
    ...differences(answer, visible(last ?? ALLOWED)),
    ...brokenPromises(answer),
    ...(answer.refusedBy === 'mutate' || mutate === undefined ? [] : injectionDifferences(answer, mutate)),
    ...(verdict?.door === undefined || verdict.door === answer.refusedBy
      ? []
      : [`${answer.refusedBy ?? 'nobody'} refuses, expected ${verdict.door}`]),
  ];
}

const ALLOWED: Expected = { maybe: [], message: [], lacks: [], audit: {} };

/** What is only recorded, the API server writes into its audit log, not into its answer. */
function visible(expected: Expected): Expected {
  const { findings: _findings, ...rest } = expected;
  return expected.warnings?.length === 0 ? rest : expected;
}

/** What the first call did is seen in the object that comes back. */
function injectionDifferences(answer: LiveAnswer, mutate: Expected): readonly string[] {
  if (!answer.allowed) return mutate.code === undefined ? [] : [`refused by validate, expected mutate`];
  const { pod, injected } = mutate;
  const nothing = mutate.patch?.length === 0 ? { injected: [] } : {};
  return differences(answer, { ...ALLOWED, ...nothing, ...(pod && { pod }), ...(injected && { injected }) });
}
