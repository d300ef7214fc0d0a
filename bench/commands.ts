/** How long people wait for commands: help, an offline review, and five thousand resources in files. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { largeWorld } from '../test/cli/large-world.ts';
import { median } from './alone.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A line of the table, and what is typed for it. */
type TimedCommand = readonly [name: string, args: readonly string[]];

/** Prints wall time and processor time of each command, medians of so many rounds. */
export function printCommands(work: string, rounds: number): void {
  writeFileSync(join(work, 'large.json'), largeWorld(5000));
  const review = ['review', '-f', 'test/readme/dbt-run.yaml', '--world', 'test/readme/world.yaml'];
  const large = ['-A', '--world', join(work, 'large.json')];
  const overFiles = ['list', 'status', 'scan'].map((command): TimedCommand => [
    `${command}, 5,000 resources`,
    [command, ...large],
  ]);
  printTimes([['--help', ['--help']], ['review', review], ...overFiles], rounds);
}

export function printTimes(commands: readonly TimedCommand[], rounds: number): void {
  console.log('\ncommand                          wall ms  CPU ms');
  for (const [name, args] of commands) {
    const runs = Array.from({ length: rounds }, () => timed(args));
    const of = (pick: (run: Timed) => number): string => String(Math.round(median(runs.map(pick))));
    console.log(
      `${name.padEnd(32)} ${of(({ wall }) => wall).padStart(7)} ${of(({ cpu }) => cpu).padStart(7)}`,
    );
  }
}

interface Timed {
  readonly wall: number;
  readonly cpu: number;
}

/** The child tells its own processor time when it ends. */
const TELL = `data:text/javascript,${encodeURIComponent(
  "process.on('exit', () => { const used = process.resourceUsage(); " +
    "process.stderr.write('\\nCPU ' + (used.userCPUTime + used.systemCPUTime)); })",
)}`;

function timed(args: readonly string[]): Timed {
  const program = join(ROOT, 'dist/cli.mjs');
  const began = performance.now();
  const { stderr } = spawnSync(process.execPath, ['--import', TELL, program, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const wall = performance.now() - began;
  return { wall, cpu: Number(/CPU (\d+)$/.exec(stderr)?.[1]) / 1000 };
}
