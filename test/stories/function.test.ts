/** Every story through the one judgement itself. */
import { describe, expect, test } from 'vitest';
import { frozenConfig, SETTINGS_SCHEMA } from '../../src/config/config.ts';
import { contentsOf, worldOfContents } from '../../src/cluster/world-files.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import type { ResourceKind } from '../../src/kube/object.ts';
import { UNREAD } from '../../src/kube/world.ts';
import type { KindState, Read, ReadFailure, World } from '../../src/kube/world.ts';
import type { Decision } from '../../src/review/decision.ts';
import { readRequest } from '../../src/review/request.ts';
import { createReviewer } from '../../src/review/review.ts';
import { settingsOf } from '../../src/review/settings.ts';
import { reviewOf } from './admission.ts';
import type { Answer } from './judge.ts';
import { render } from './rendering.ts';
import { loadCases } from './telling.ts';
import type { Case } from './telling.ts';
import { tell } from './tell.ts';

/** The states that a row of the contract's table may give. */
const ROWS: Readonly<Record<number, readonly string[]>> = {
  1: ['Synced'],
  2: ['Unknown'],
  3: ['Optional'],
  4: ['Failed'],
  5: ['Pending'],
  6: ['Gone'],
  7: ['Missing'],
  8: ['Empty'],
  9: ['KeysMissing'],
  10: ['Synced'],
  11: ['Synced', 'Unmanaged'],
  12: ['Stale'],
  13: ['Synced'],
  14: ['Synced'],
  15: ['Unmanaged'],
};

const cases = loadCases().filter((one) => one.story.doors.function === undefined);

describe.each(
  Map.groupBy(cases, (one) => one.file)
    .entries()
    .toArray(),
)('%s', (_file, told) => {
  test.each(told.map((one) => [one.title, one] as const))('%s', async (_title, one) => {
    const stage = { now: new Date(one.story.now) };
    const config = frozenConfig(SETTINGS_SCHEMA.parse(one.story.config));
    const reviewer = createReviewer(config);
    const world = worldOf(one, stage);
    const decisions: Decision[] = [];
    const wrong = await tell(one, stage, (door, subject) => {
      const request = readRequest(door, reviewOf(one, stage, door, subject));
      const decision = reviewer(request, world, stage.now.getTime());
      decisions.push(decision);
      return answerOf(decision);
    });
    expect([...wrong, ...wrongStates(one, decisions), ...wrongWants(decisions)]).toEqual([]);
  });
});

function worldOf(one: Case, stage: { readonly now: Date }): World {
  const { kinds } = settingsOf(frozenConfig(SETTINGS_SCHEMA.parse(one.story.config)));
  const manifests = render(one.objects, stage).map((raw, index) => ({
    raw: JSON.parse(JSON.stringify(raw)) as JsonObject,
    file: 'story.yaml',
    line: index + 1,
    lineOf: () => index + 1,
    modifiedAt: stage.now.getTime(),
  }));
  const world = worldOfContents(contentsOf(manifests, kinds), kinds);
  return {
    ...world,
    secret: (namespace, name) =>
      one.story.unread ? UNREAD : (failing(one, 'Secret', name) ?? world.secret(namespace, name)),
    access: (user, verb, resource) => ({
      state: 'present',
      value: user.username === one.user.username && one.user.may.includes(`${verb} ${resource}`),
    }),
    watched: (kind, namespace, name) => failingKind(one, kind) ?? world.watched(kind, namespace, name),
    kind: (kind) => failingKind(one, kind) ?? world.kind(kind),
  };
}

function failingKind(one: Case, kind: ResourceKind): Extract<KindState, { state: 'failed' }> | undefined {
  const failure = one.story.failing.find((read) => read.kind === kind.kind && read.name === undefined);
  return failure === undefined ? undefined : { state: 'failed', failure: failureOf(failure.reason) };
}

function failing(one: Case, kind: string, name: string): Read<never> | undefined {
  const found = one.story.failing.find((read) => read.kind === kind && read.name === name);
  return found === undefined ? undefined : { state: 'failed', failure: failureOf(found.reason) };
}

function failureOf(reason: ReadFailure['reason']): ReadFailure {
  const why = reason === 'forbidden' ? 'the webhook may not get secrets' : 'connection refused';
  return { reason, message: `cannot get secrets in namespace floe-jobs: ${why}` };
}

function answerOf(decision: Decision): Answer {
  const { allowed, refusal, warnings, findings, patch, injected, auditAnnotations } = decision;
  return {
    allowed,
    ...(refusal === undefined ? {} : refusal),
    warnings,
    findings,
    patch: patch.map((operation) => ({ ...operation })),
    injected,
    auditAnnotations,
  };
}

/** The story's row of the table must be what the judgement saw, in the call that decided. */
function wrongStates(one: Case, decisions: readonly Decision[]): readonly string[] {
  const states = decisions.at(-1)?.verdicts.flatMap(({ state }) => state ?? []) ?? [];
  const wanted = one.story.row === undefined ? undefined : ROWS[one.story.row];
  if (wanted === undefined || states.some((state) => wanted.includes(state))) return [];
  return [`the states are ${states.join(', ')}, expected ${wanted.join(' or ')}`];
}

function wrongWants(decisions: readonly Decision[]): readonly string[] {
  return decisions.flatMap(({ wanted }) => wanted.map((want) => `nobody had read ${JSON.stringify(want)}`));
}
