import { fileURLToPath } from 'node:url';
import { inspect, parseArgs } from 'node:util';
import { ControlPlaneNotFound, findControlPlane } from '../control-plane/assets.ts';
import type { Binaries } from '../control-plane/binaries.ts';
import { sweep } from '../control-plane/workspace.ts';
import { clusterStage } from './cluster.ts';
import { embeddedStage } from './embedded.ts';
import { paperOn } from './paper.ts';
import type { Paper } from './paper.ts';
import type { Stage } from './stage.ts';
import { neverMet, tell } from './story.ts';

const HELP = `What floe-secrets-webhook does, step by step, on this machine; it leaves nothing behind.

Usage: npm run demo -- [OPTION]

  (none)       with a real API server where one is in the cache or in KUBEBUILDER_ASSETS, else --embedded;
               nothing is downloaded or built
  --cluster    with a real API server; where there is none it is downloaded or built (5 to 10 minutes, once)
  --embedded   the webhook alone, its cluster a folder of manifests
  --keep       leave it running at the end and say how to use it; Ctrl-C ends it
  -h, --help   show this

Exit code 0: every step behaved as announced. 1: one did not. 2: wrong usage.
`;

interface Choice {
  readonly cluster: boolean;
  readonly embedded: boolean;
  readonly keep: boolean;
}

/** Plays the demo and gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const { help, ...choice } = read(args);
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  const interrupted = interruption();
  const paper = paperOn(process.stdout, process.env);
  // What runs left behind that were killed.
  sweep();
  const binaries = await Promise.race([binariesFor(choice), interrupted]);
  if (typeof binaries === 'number') return binaries;
  const stage = await (binaries === undefined ? embeddedStage() : clusterStage(binaries));
  try {
    const exitCode = await Promise.race([play(stage, paper), interrupted]);
    if (choice.keep && exitCode === 0) await stay(stage, paper, interrupted);
    return exitCode;
  } catch (error) {
    process.stderr.write(`Error: ${wordsOf(error)}\n`);
    return 1;
  } finally {
    await stage.close();
    paper.say('Nothing of it is left on this machine.');
  }
}

/** A command line that says nothing sensible: exit code 2. */
class WrongUsage extends Error {
  override readonly name = 'WrongUsage';
}

function read(args: readonly string[]): Choice & { readonly help: boolean } {
  const choice = parsed(args);
  if (choice.cluster && choice.embedded) throw new WrongUsage('--cluster and --embedded exclude each other');
  return choice;
}

function parsed(args: readonly string[]): Choice & { readonly help: boolean } {
  const off = { type: 'boolean', default: false } as const;
  try {
    const options = { cluster: off, embedded: off, keep: off, help: { ...off, short: 'h' } };
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new WrongUsage(wordsOf(error));
  }
}

/** Undefined: play it without an API server. */
async function binariesFor({ cluster, embedded }: Choice): Promise<Binaries | undefined> {
  if (embedded) return undefined;
  if (cluster) return findControlPlane();
  try {
    return await findControlPlane({ mayFetch: false, log: () => undefined });
  } catch (error) {
    if (error instanceof ControlPlaneNotFound) return undefined;
    throw error;
  }
}

/** Resolves with an exit code when somebody has seen enough: Ctrl-C, or a pipe that nobody reads any more. */
function interruption(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  for (const [signal, code] of Object.entries(codes)) process.once(signal, () => resolve(code));
  process.stdout.on('error', () => resolve(1));
  return promise;
}

async function play(stage: Stage, paper: Paper): Promise<number> {
  paper.title('floe-secrets-webhook: a demo');
  paper.say(stage.about);
  const broken = await tell(stage, paper);
  paper.blank();
  if (broken.length > 0) {
    process.stderr.write(`The webhook's log:\n${stage.logs()}\n`);
    paper.bad('Not every step behaved as announced:');
    for (const what of broken) paper.output(`  ${what}`);
    return 1;
  }
  paper.good('Every step behaved as announced.');
  return 0;
}

/** Says how to go on, and waits for the interruption, which here is the ordinary end. */
async function stay(stage: Stage, paper: Paper, interrupted: Promise<number>): Promise<void> {
  paper.heading('It stays until Ctrl-C');
  for (const line of stage.use(neverMet())) paper.output(line);
  await interrupted;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : inspect(error);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await main(process.argv.slice(2));
    // A build that was interrupted would otherwise go on to its end.
    if (process.exitCode > 128) process.exit();
  } catch (error) {
    process.stderr.write(`Error: ${wordsOf(error)}\n`);
    process.exitCode = error instanceof WrongUsage ? 2 : 1;
  }
}
