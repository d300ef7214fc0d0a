/** Every story through `floe-secrets review`: one process for each configuration. */
import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import { ALL_SETTINGS } from '../../src/config/settings.ts';
import { dig } from '../../src/kube/json.ts';
import { asShort } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { brokenPromises } from './invariants.ts';
import { differences } from './judge.ts';
import type { Answer, AnswerFinding, Json } from './judge.ts';
import { programFile } from './program.ts';
import { render } from './rendering.ts';
import type { Stage } from './rendering.ts';
import type { Expected } from './story.ts';
import { patchedBy } from './tell.ts';
import type { Case } from './telling.ts';
import { stageOf, subjectOf, troupesFor, worldFolder } from './troupe.ts';
import type { Troupe } from './troupe.ts';

const { troupes, untold } = troupesFor('cli');

describe.each(troupes.map((troupe) => [troupe.name, troupe] as const))('review with %s', (_name, troupe) => {
  const now = new Date();
  let results: readonly Json[] = [];

  beforeAll(() => {
    const { status, document } = review(troupe, now);
    results = document;
    expect(status).toBe(results.some((result) => result['allowed'] === false) ? 5 : 0);
  });

  test.each(troupe.cases.map((numbered) => [numbered.title, numbered] as const))('%s', (_title, numbered) => {
    const stage = stageOf(numbered, now);
    const subject = subjectOf(numbered, now);
    const namespace = dig(subject, 'metadata', 'namespace');
    const found = results.filter((result) => result['namespace'] === namespace);
    expect(found).toHaveLength(1);
    expect(wrong(numbered.one, { subject, stage }, found[0] ?? {})).toEqual([]);
  });
});

test.each(untold.map(({ title, reason }) => [title, reason] as const))(
  'not told: %s (%s)',
  (_title, reason) => {
    expect(reason.length).toBeGreaterThan(10);
  },
);

function review(
  troupe: Troupe,
  now: Date,
): { readonly status: number | null; readonly document: readonly Json[] } {
  const folder = worldFolder(troupe.cases, now);
  try {
    const input = troupe.cases.map((numbered) => JSON.stringify(subjectOf(numbered, now))).join('\n---\n');
    const args = ['review', '-f', '-', '--world', folder.path, '-o', 'json'];
    const { status, stdout, stderr } = spawnSync(process.execPath, [programFile(), ...args], {
      input,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], ...environmentOf(troupe.config) },
      maxBuffer: 64 * 1024 * 1024,
    });
    if (stderr !== '') throw new Error(stderr);
    const document = JSON.parse(stdout) as { readonly results: readonly Json[] };
    return { status, document: document.results };
  } finally {
    folder.remove();
  }
}

/** The settings as environment variables, which every command reads. */
function environmentOf(config: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const told = ALL_SETTINGS.flatMap(({ path, env }) => {
    const value = path.reduce<unknown>((section, key) => asShort(section)[key], config);
    if (value === undefined) return [];
    const written = Array.isArray(value)
      ? value.join(',')
      : typeof value === 'string'
        ? value
        : JSON.stringify(value);
    return [[env, written] as const];
  });
  return Object.fromEntries(told);
}

interface Told {
  readonly subject: Manifest;
  readonly stage: Stage;
}

function wrong(one: Case, { subject, stage }: Told, result: Json): readonly string[] {
  const answer = answerOf(result);
  const pod = subject['kind'] === 'Pod' ? patchedBy(subject, answer) : undefined;
  return [
    ...differences(answer, forTerminal(render(decisive(one), stage), answer)),
    ...(one.mutate === undefined || !answer.allowed || subject['kind'] !== 'Pod'
      ? []
      : differences({ ...answer, pod }, patchAlone(render(one.mutate, stage)))),
    // What `/mutate` would add is told also of a pod that `/validate` refuses.
    ...brokenPromises(answer.allowed ? answer : { ...answer, patch: [] }),
  ];
}

/** The one answer that the command line gives stands for both calls. */
function decisive({ mutate, validate, verdict }: Case): Expected {
  const allowed = { maybe: [], message: [], lacks: [], audit: {} };
  if (mutate?.code !== undefined) return mutate;
  return verdict ?? validate ?? allowed;
}

/** Of what is refused the command line tells everything at once, so there may be more than the first call says. */
function forTerminal(expected: Expected, answer: Answer): Expected {
  if (answer.allowed) return expected;
  return { ...expected, maybe: answer.findings?.map(({ code }) => code.replace('FLOE-', '')) ?? [] };
}

function patchAlone({ pod, injected, patch }: Expected): Expected {
  return {
    maybe: [],
    message: [],
    lacks: [],
    audit: {},
    ...(pod === undefined ? {} : { pod }),
    ...(injected === undefined ? {} : { injected }),
    ...(patch === undefined ? {} : { patch }),
  };
}

function answerOf(result: Json): Answer {
  const findings = result['findings'] as readonly AnswerFinding[];
  const errorsFirst = findings.toSorted((a, b) => (a.severity ?? '').localeCompare(b.severity ?? ''));
  return {
    allowed: result['allowed'] === true,
    message:
      result['allowed'] === true
        ? undefined
        : errorsFirst
            .map((finding) => finding.message)
            .join('\n')
            .slice(0, 1024),
    warnings: result['warnings'] as readonly string[],
    findings,
    patch: result['patch'] as readonly Json[],
    injected: result['injected'] as readonly string[],
  };
}
