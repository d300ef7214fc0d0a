/**
 * How a command is declared: its name, what its help says, its options, and where its code is. Declarations are
 * read whenever the program starts, so they import nothing heavy; the code is loaded when the command runs.
 */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Options } from './options.ts';
import type { Serve } from './serve.ts';
import type { Terminal } from './terminal.ts';

/** What the roof hands to the program. */
export interface ProgramParts {
  readonly terminal: Terminal;
  readonly version: string;
  readonly serve: Serve;
}

/** A command line, without the program's name, and what it is good for. */
export type Example = readonly [line: string, about: string];

/** What can be typed, as data: for completions. */
export interface ProgramShape {
  readonly name: string;
  readonly about: string;
  readonly options: readonly {
    readonly flags: readonly string[];
    readonly about: string;
    readonly takesValue: boolean;
    readonly choices: readonly string[];
  }[];
  /** What its arguments may be, where that is a list. */
  readonly choices: readonly string[];
  readonly commands: readonly ProgramShape[];
}

export interface CommandDeclaration {
  readonly name: string;
  /** One line, in small letters, without a full stop; the README's table of commands has the same words. */
  readonly about: string;
  readonly examples: readonly Example[];
  /** Options and arguments. An argument is handed over as an option of its name. */
  readonly declare?: (command: Command) => void;
  /** Loads the code and runs it; gives the exit code. */
  readonly run?: (options: Options, parts: ProgramParts, shape: ProgramShape) => Promise<number>;
  /** Commands below this one, as `migrate eso` is. */
  readonly commands?: readonly CommandDeclaration[];
}

/** `--world`: manifests instead of a cluster. */
export function worldOption(command: Command): Command {
  return command.option(
    '--world <path>',
    'file or folder of manifests to take for the cluster; may be repeated',
    collected,
  );
}

/** `-f`: manifests, or what the command calls by that name. */
export const FILENAME_FLAGS = '-f, --filename <path>';

/** An option that may be repeated: its values in their order. */
export function collected(value: string, before: readonly string[] | undefined): readonly string[] {
  if (value === '') throw new InvalidArgumentError('It is empty.');
  return [...(before ?? []), value];
}

/** The examples as help prints them, what they are good for in a column of its own. */
export function examplesText(examples: readonly Example[]): string {
  const lines = examples.map(([line, about]) => [`floe-secrets ${line}`, about] as const);
  const width = Math.max(...lines.map(([line]) => line.length));
  return ['', 'Examples:', ...lines.map(([line, about]) => `  ${line.padEnd(width)}  ${about}`)].join('\n');
}
