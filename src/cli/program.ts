/** The program: the options that every command takes, help, and the commands of `commands.ts` below it. */
import { Command, CommanderError, Help, Option } from 'commander';
import type { CommandDeclaration, Example, ProgramParts, ProgramShape } from './command.ts';
import { examplesText } from './command.ts';
import { COMMANDS } from './commands.ts';
import { EXIT } from './terminal.ts';

/** What any command writes; each says which of them it does. */
const FORMATS = ['text', 'json', 'yaml', 'diff', 'sarif', 'junit'];

/** Which formats a command writes its code knows; the list of choices would promise all of them to each. */
const OUTPUT = 'text, json or yaml; of review also diff, sarif and junit (default: text)';

const EXAMPLES: readonly Example[] = [
  ['review -f pod.yaml --world manifests/', 'judge a pod without a cluster'],
  ['list -n floe-jobs', 'what is synced, and what is not'],
  ['status -A -o json', 'when each secret was last synced'],
  ['validate -c manifest.yaml', 'do all secrets of a floe manifest exist?'],
  ['serve --cert-dir certs --world manifests', 'the webhook, without an API server'],
];

const EXIT_CODES =
  'Exit codes: 0 ok, 1 general, 2 usage, 3 file not found, 4 permission, 5 findings, 8 network.';

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

type Finish = (exitCode: number) => void;

function createProgram(parts: ProgramParts, finish: Finish): Command {
  const { stdout, stderr } = parts.terminal;
  const program = new Command('floe-secrets')
    .description('Injects synced secrets into pods, and refuses pods whose Secrets are not there.')
    .version(parts.version, '--version', 'show the version')
    .option('-n, --namespace <name>', 'namespace to look at')
    .option('-A, --all-namespaces', 'look at every namespace')
    .option('--kubeconfig <file>', 'kubeconfig file')
    .option('--context <name>', 'context of the kubeconfig')
    .addOption(
      new Option('-o, --output <format>', 'how results are written').choices(FORMATS).default('text'),
    )
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show the help of a command')
    // The list of commands is of names alone: `help NAME` tells their options.
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) => command.name(),
      optionDescription: (option) =>
        option.long === '--output' ? OUTPUT : new Help().optionDescription(option),
    })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'Error: ')),
    })
    .showHelpAfterError('Run it with --help for what there is.')
    .addHelpText('after', `${examplesText(EXAMPLES)}\n\n${EXIT_CODES}`)
    .exitOverride();
  for (const declaration of COMMANDS) addCommand(program, declaration, { parts, finish });
  return program;
}

interface Running {
  readonly parts: ProgramParts;
  readonly finish: Finish;
}

/** The declaration becomes commander's; a new command takes its settings after the one above. */
function addCommand(above: Command, declaration: CommandDeclaration, running: Running): void {
  const { name, about, examples, declare, run, commands = [] } = declaration;
  const command = above.command(name).description(about).addHelpText('after', examplesText(examples));
  declare?.(command);
  for (const below of commands) addCommand(command, below, running);
  if (run === undefined) return;
  command.action(async () => {
    const options = { ...command.optsWithGlobals(), ...argumentsOf(command) };
    running.finish(await run(options, running.parts, shapeOf(topOf(command))));
  });
}

/** The arguments by their names, as options are. */
function argumentsOf(command: Command): Readonly<Record<string, unknown>> {
  const values: readonly unknown[] = command.processedArgs;
  return Object.fromEntries(
    command.registeredArguments.map((argument, index) => [argument.name(), values[index]]),
  );
}

function topOf(command: Command): Command {
  return command.parent === null ? command : topOf(command.parent);
}

/** The program as data; what is hidden stays hidden. */
function shapeOf(command: Command): ProgramShape {
  const help = command.createHelp();
  return {
    name: command.name(),
    about: command.description(),
    options: help.visibleOptions(command).map((option) => ({
      flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
      about: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    })),
    choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    commands: help
      .visibleCommands(command)
      .filter((one) => one.name() !== 'help')
      .map(shapeOf),
  };
}
