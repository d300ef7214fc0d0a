/** Who takes Secrets of Infisical over. */
import type { Conversion } from '../migrate/conversion.ts';
import type { Leaving } from '../migrate/way-out.ts';
import type { Companions } from './migrate-eso-rivals.ts';
import type { Options } from './options.ts';
import { textOption } from './options.ts';
import { CommandError, EXIT } from './terminal.ts';

export interface Successor {
  /** The id of its plugin. */
  readonly plugin: string;
  convert(leaving: Leaving, seen: Companions): Conversion | Promise<Conversion>;
}

/** Options that mean something to another successor alone, by their names. Throws CommandError. */
export function refuseOptions(options: Options, names: Readonly<Record<string, string>>, of: string): void {
  const given = Object.keys(names).find((name) => textOption(options, name) !== undefined);
  if (given !== undefined) {
    throw new CommandError(`${names[given] ?? given} is of --to ${of} alone`, EXIT.usage);
  }
}
