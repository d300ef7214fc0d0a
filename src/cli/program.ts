/** What can be typed: the commands and their options. Each command's code is loaded when it runs. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Setting } from '../config/settings.ts';
import { ALL_SETTINGS, DEFAULT_CONFIG_FILE, SHORT_FLAGS } from '../config/settings.ts';
import type { Serve } from './serve.ts';
import type { Terminal } from './terminal.ts';
import { EXIT } from './terminal.ts';

/** What the roof hands to the program. */
export interface ProgramParts {
  readonly terminal: Terminal;
  readonly version: string;
  readonly serve: Serve;
}

/** The options of a command and, with them, the ones that every command takes. */
type Options = Record<string, unknown>;
type Run = (options: Options) => Promise<number>;

const EXIT_CODE = ['--exit-code', 'exit with 5 where a secret is not synced'] as const;
const WORLD: readonly [string, string, typeof collected] = [
  '--world <path>',
  'file or folder of manifests to take for the cluster; may be repeated',
  collected,
];

const FORMATS = ['text', 'json', 'yaml', 'diff'];

const EXAMPLES = `
Examples:
  floe-secrets review -f pod.yaml --world manifests/     judge a pod without a cluster
  floe-secrets list -n floe-jobs                         what is synced, and what is not
  floe-secrets status -A -o json                         when each secret was last synced
  floe-secrets validate -c manifest.yaml                 do all secrets of a floe manifest exist?
  floe-secrets serve --cert-dir certs --world manifests  the webhook, without an API server

Exit codes: 0 ok, 1 general, 2 usage, 3 file not found, 4 permission, 5 findings, 8 network.`;

/**
 * Runs one command line (without the program's own name) and gives its exit code. Help and usage errors are
 * written here; what a command throws is not caught.
 */
export async function runProgram(argv: readonly string[], parts: ProgramParts): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = createProgram(parts, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

function createProgram(parts: ProgramParts, finish: (exitCode: number) => void): Command {
  const { terminal } = parts;
  const program = new Command('floe-secrets')
    .description('Injects synced secrets into pods, and refuses pods whose Secrets are not there.')
    .version(parts.version, '--version')
    .option('-n, --namespace <name>', 'namespace to look at')
    .option('-A, --all-namespaces', 'look at every namespace')
    .option('--kubeconfig <file>', 'kubeconfig file')
    .option('--context <name>', 'context of the kubeconfig')
    .addOption(
      new Option('-o, --output <format>', 'how results are written').choices(FORMATS).default('text'),
    )
    .helpOption('-h, --help', 'show help')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    })
    .showHelpAfterError('Run it with --help for what there is.')
    .addHelpText('after', EXAMPLES)
    .exitOverride();
  const command = commandMaker(program, finish);
  declareServe(command('serve', async (options) => (await import('./serve.ts')).run(options, parts)));
  declareReview(command('review', async (options) => (await import('./review.ts')).run(options, terminal)));
  declareList(command('list', async (options) => (await import('./list.ts')).run(options, terminal)));
  declareStatus(command('status', async (options) => (await import('./status.ts')).run(options, terminal)));
  declareValidate(
    command('validate', async (options) => (await import('./validate.ts')).run(options, terminal)),
  );
  return program;
}

function commandMaker(program: Command, finish: (exitCode: number) => void) {
  return (name: string, run: Run): Command =>
    program.command(name).action(async (_options: Options, command: Command) => {
      finish(await run(command.optsWithGlobals<Options>()));
    });
}

function declareServe(command: Command): void {
  command
    .description('run the webhook')
    .option('--config <file>', `settings file (default: ${DEFAULT_CONFIG_FILE}, if it is there)`)
    .option('--world <dir>', 'folder of manifests to take for the cluster; no API server is asked');
  for (const { flag, env, setting } of ALL_SETTINGS) {
    const short = Object.keys(SHORT_FLAGS).find((name) => SHORT_FLAGS[name] === flag);
    if (short !== undefined) command.option(`--${short} <${setting.kind}>`, `short for --${flag}`);
    command.addOption(
      new Option(
        `--${flag} <${setting.kind}>`,
        `${setting.about} (default: ${written(setting)}; env: ${env})`,
      ).helpGroup('Settings, each also in the file and in the environment:'),
    );
  }
}

function written(setting: Setting): string {
  const value = setting.default;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(',');
  return value === '' ? 'none' : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function declareReview(command: Command): void {
  command
    .description('judge manifests as the webhook would')
    .requiredOption('-f, --filename <path>', 'file, folder or - for stdin; may be repeated', collected)
    .option('--live', 'judge against the cluster')
    .addOption(
      new Option('--assume-namespace <mode>', 'what a namespace is that nothing declares')
        .choices(['audit', 'warn', 'strict', 'out'])
        .default('strict'),
    )
    .option('--config <file>', 'settings file of the webhook')
    .option(...WORLD);
}

function declareList(command: Command): void {
  command
    .description('list secrets and whether they are synced')
    .option(...EXIT_CODE)
    .option(...WORLD);
}

function declareStatus(command: Command): void {
  command
    .description('show where secrets come from and when they were last synced')
    .option(...EXIT_CODE)
    .option(...WORLD);
}

function declareValidate(command: Command): void {
  command
    .description('check that every secret of a floe manifest exists')
    .option(
      '-c, --config <manifest>',
      'floe manifest (default: manifest.yaml or platform-manifest.yaml here)',
    )
    .option(...WORLD);
}

function collected(path: string, before: readonly string[] | undefined): readonly string[] {
  if (path === '') throw new InvalidArgumentError('It is empty.');
  return [...(before ?? []), path];
}
