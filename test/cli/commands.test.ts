import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import type { CommandDeclaration } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import { ROOT } from '../sources.ts';

/** A declaration with the words that lead to it: `['migrate', 'eso']`. */
type Named = readonly [readonly string[], CommandDeclaration];

const ALL: readonly Named[] = COMMANDS.flatMap((command) => withThoseBelow(command, []));

function withThoseBelow(command: CommandDeclaration, above: readonly string[]): readonly Named[] {
  const words = [...above, command.name];
  return [[words, command], ...(command.commands ?? []).flatMap((below) => withThoseBelow(below, words))];
}

async function helpOf(words: readonly string[]): Promise<string> {
  let help = '';
  const output = { write: (text: string) => (help += text) };
  await runProgram([...words, '--help'], {
    terminal: { stdout: output, stderr: output, stdin: (async function* () {})(), env: {}, cwd: '/' },
    version: '0',
    serve: async () => 0,
  });
  return help;
}

describe.each(ALL.map(([words, command]) => [words.join(' '), words, command] as const))(
  '%s',
  (_name, words, command) => {
    it('says in one line what it does', () => {
      expect(command.about).toMatch(/^[a-z].{8,80}[^.]$/);
    });

    it('has examples with options that there are', async () => {
      const help = await helpOf(words);
      expect(command.examples.length).toBeGreaterThan(0);
      for (const [line] of command.examples) {
        expect(line.split(' ').slice(0, words.length)).toEqual(words);
        expect(help).toContain(`floe-secrets ${line}`);
        const options = line.split(' ').filter((word) => word.startsWith('-') && word !== '-');
        const above = help.slice(0, help.indexOf('\nExamples:'));
        for (const option of options)
          expect(above, line).toMatch(new RegExp(`(^|[ ,])${option}([ ,]|$)`, 'm'));
      }
    });
  },
);

test('every declaration is in the index', () => {
  const index = readFileSync(join(ROOT, 'src/cli/commands.ts'), 'utf8');
  const files = readdirSync(join(ROOT, 'src/cli')).filter((name) => name.endsWith('-command.ts'));
  expect(files.filter((name) => !index.includes(`'./${name}'`))).toEqual([]);
});
