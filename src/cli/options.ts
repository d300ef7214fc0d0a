/** Reading commander's options, which come as an untyped record of camel-case names. */
import { isDnsSubdomain } from '../kube/names.ts';
import { CommandError, EXIT } from './terminal.ts';

export type Options = Readonly<Record<string, unknown>>;

/** The option's text; undefined where it was not given or is empty. */
export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The texts of an option that may be repeated; a single one is a list of one. */
export function listOption(options: Options, name: string): readonly string[] {
  const value = options[name];
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((item) => typeof item === 'string');
}

export function flagOption(options: Options, name: string): boolean {
  return options[name] === true;
}

/** `-o`; a format that the command does not write is a usage error. */
export function formatOption<Format extends string>(options: Options, formats: readonly Format[]): Format {
  const written = textOption(options, 'output') ?? 'text';
  const format = formats.find((one) => one === written);
  if (format !== undefined) return format;
  throw new CommandError(
    `-o ${written} is not written by this command: use ${formats.join(', ')}`,
    EXIT.usage,
  );
}

/** The argument SECRET; a name that no Secret can have is a usage error. */
export function secretOption(options: Options): string {
  const name = textOption(options, 'secret') ?? '';
  if (isDnsSubdomain(name)) return name;
  throw new CommandError(
    `'${name}' is not a valid Secret name: use lower case letters, digits, '-' and '.'`,
    EXIT.usage,
  );
}
