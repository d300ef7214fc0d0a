// What decides whether a change lands asks for the same on every machine.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { NEEDS } from '../needs.ts';
import { ROOT } from '../sources.ts';

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly env?: Readonly<Record<string, string>> }>>;
}

test('the workflow’s jobs require together what .ci/run requires, and both all that CI can have', () => {
  const [, run = ''] = /FLOE_TEST_REQUIRE=(\S+)/.exec(readFileSync(join(ROOT, '.ci/run'), 'utf8')) ?? [];
  const workflow = parse(readFileSync(join(ROOT, '.github/workflows/ci.yaml'), 'utf8')) as Workflow;
  const jobs = Object.values(workflow.jobs).flatMap(
    ({ env }) => env?.['FLOE_TEST_REQUIRE']?.split(',') ?? [],
  );
  expect([...new Set(jobs)].toSorted()).toEqual(run.split(',').toSorted());
  // Neither has Docker for its tests.
  expect(run.split(',').toSorted()).toEqual(NEEDS.filter((need) => need !== 'docker').toSorted());
});
