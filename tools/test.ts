/**
 * `npm test`: builds, checks types, style and generated files, then runs every test that this machine can run.
 * The last line sums everything up, each check as one test. Words after `--` choose test files, and then the
 * checks are left out. `--cluster` first brings the control plane that live tests need.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startVitest } from 'vitest/node';
import type { Reporter, TestModule } from 'vitest/node';
import { NEEDS, required, wantOf } from '../test/needs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = `${root}node_modules/.bin/`;

interface Sum {
  passed: number;
  failed: number;
  skipped: number;
}

/** A check's name and its command, run from the repository's root. */
type Check = readonly [name: string, command: string, ...args: readonly string[]];

const BUILD: Check = ['build', process.execPath, 'tools/build.ts'];
const CHECKS: readonly Check[] = [
  ['types', `${bin}tsc`, '-p', 'tsconfig.json'],
  ['lint', `${bin}oxlint`, '--type-aware', '--deny-warnings'],
  ['format', `${bin}prettier`, '--check', '--log-level', 'warn', '.'],
  ['unused code', `${bin}knip`],
  ['generated files', process.execPath, 'tools/generate.ts', '--check'],
];

const words = process.argv.slice(2);
const filters = words.filter((word) => word !== '--cluster');
bringCluster(words.includes('--cluster'));
const sum: Sum = { passed: 0, failed: 0, skipped: 0 };
for (const check of filters.length === 0 ? [BUILD, ...CHECKS] : [BUILD]) {
  sum[succeeds(check) ? 'passed' : 'failed'] += 1;
}
await runTests(sum);
const skipped = sum.skipped === 0 ? '' : `, ${sum.skipped} skipped`;
console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
process.exit(sum.failed === 0 ? 0 : 1);

/** Builds the control plane where it was asked for and is not there; what fails then, the tests will say. */
function bringCluster(asked: boolean): void {
  const wanted = required().filter((need) => ['apiserver', 'controllers', 'node'].includes(need));
  const missing = [...wanted, ...(asked ? (['controllers'] as const) : [])].filter(
    (need) => !wantOf(need).available,
  );
  if (missing.length === 0) return;
  const node = missing.includes('node') ? ['--node'] : [];
  spawn(process.execPath, ['tools/control-plane/cli.ts', 'build', ...node], 'inherit');
}

function succeeds([name, command, ...args]: Check): boolean {
  const { status, output } = spawn(command, args, 'pipe');
  const isGood = status === 0;
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${name}`);
  if (!isGood) console.log(output);
  return isGood;
}

function spawn(
  command: string,
  args: readonly string[],
  stdio: 'pipe' | 'inherit',
): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8', stdio });
  return { status, output: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` };
}

async function runTests(into: Sum): Promise<void> {
  const counter: Reporter = {
    onTestRunEnd: (modules, errors) => {
      const results = modules.map(resultOf);
      for (const { passed, failed, skipped: left } of results) {
        into.passed += passed;
        into.failed += failed;
        into.skipped += left;
      }
      into.failed += errors.length;
      explainSkips(modules);
    },
  };
  const reporters = [process.env['CI'] === undefined ? 'default' : 'dot', counter];
  const vitest = await startVitest('test', filters, { root, run: true, watch: false, reporters });
  if (vitest.state.getTestModules().length === 0) into.failed += 1;
  await vitest.close();
}

function resultOf(module: TestModule): Sum {
  const states = [...module.children.allTests()].map((test) => test.result().state);
  const count = (state: string): number => states.filter((one) => one === state).length;
  // A file that cannot even be read has no tests, and a hook that fails has none of its own.
  const broken = module.state() === 'failed' && count('failed') === 0 ? 1 : 0;
  return { passed: count('passed'), failed: count('failed') + broken, skipped: count('skipped') };
}

/** Which suites were skipped, and what this machine lacks. */
function explainSkips(modules: readonly TestModule[]): void {
  const suites = new Set(
    modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((test) => {
        const suite = test.parent.type === 'suite' ? test.parent.fullName : test.name;
        return `${module.relativeModuleId} > ${suite}`;
      }),
    ),
  );
  if (suites.size === 0) return;
  console.log(`\nSkipped:\n${[...suites].map((suite) => `  ${suite}`).join('\n')}`);
  const asked = new Set(modules.filter(hasSkips).flatMap((module) => needsIn(module.moduleId)));
  for (const { need, available, reason, command } of NEEDS.map(wantOf)) {
    if (available || !asked.has(need)) continue;
    console.log(`\nNot here: ${need}: ${reason}\n  To have it: ${command}`);
  }
}

function hasSkips(module: TestModule): boolean {
  return [...module.children.allTests('skipped')].length > 0;
}

/** What a test file says it needs. */
function needsIn(file: string): readonly string[] {
  return [...readFileSync(file, 'utf8').matchAll(/\bneeds\('(\w+)'\)/g)].map((match) => match[1] ?? '');
}
