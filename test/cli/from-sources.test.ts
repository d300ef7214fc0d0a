/** kubectl's forms of --from-*, its refusals, and that no refusal shows a value. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import type { Sources } from '../../src/cli/from-sources.ts';
import { readSources } from '../../src/cli/from-sources.ts';
import type { Options } from '../../src/cli/options.ts';
import { folderOf } from './captured.ts';

const cwd = folderOf({
  'password.txt': 'made-up-value\n',
  'sub/.hidden': 'h',
  'sub/key.pem': 'p',
  'db.env': '\uFEFF# comment\n\n  USER=floe\r\nPASSWORD=a=b # kept\nFROM_ENV\nNOT_SET\n',
  'bad.env': 'GOOD=1\n2BAD=made-up-value\n',
  'latin.env': 'x',
});
mkdirSync(join(cwd, 'sub/folder'));
writeFileSync(join(cwd, 'sub/not a key'), 'made-up-value');
symlinkSync('key.pem', join(cwd, 'sub/link'));
writeFileSync(join(cwd, 'bytes'), new Uint8Array([255, 0]));
writeFileSync(join(cwd, 'latin.env'), new Uint8Array([65, 61, 255]));

async function read(options: Options, stdin = ''): Promise<Sources> {
  const output = { write: () => undefined };
  const input = (async function* () {
    yield stdin.slice(0, 3);
    yield Buffer.from(stdin.slice(3));
  })();
  return readSources(options, {
    stdout: output,
    stderr: output,
    stdin: input,
    env: { FROM_ENV: 'env' },
    cwd,
  });
}

test.each<[string, Options, Sources]>([
  ['literals, split at the first =', { fromLiteral: ['A=b=c', 'EMPTY='] }, { A: 'b=c', EMPTY: '' }],
  ['a file under its own name', { fromFile: ['password.txt'] }, { 'password.txt': 'made-up-value\n' }],
  ['a file under a name', { fromFile: ['P=password.txt'] }, { P: 'made-up-value\n' }],
  ['the regular files of a folder', { fromFile: ['sub'] }, { '.hidden': 'h', 'key.pem': 'p' }],
  ['bytes', { fromFile: ['bytes'] }, { bytes: Buffer.from([255, 0]) }],
  ['both', { fromLiteral: ['A=1'], fromFile: ['B=password.txt'] }, { A: '1', B: 'made-up-value\n' }],
  [
    'an env file',
    { fromEnvFile: ['db.env'] },
    { USER: 'floe', PASSWORD: 'a=b # kept', FROM_ENV: 'env', NOT_SET: '' },
  ],
])('%s', async (_what, options, expected) => {
  expect(await read(options)).toEqual(expected);
});

describe('standard input', () => {
  it('is the value of a key, or an env file', async () => {
    expect(await read({ fromFile: ['P=-'] }, 'made-up-value')).toEqual({ P: 'made-up-value' });
    expect(await read({ fromEnvFile: ['-'] }, 'A=1\nB=2')).toEqual({ A: '1', B: '2' });
  });
  it('is read once', async () => {
    await expect(read({ fromFile: ['A=-', 'B=-'] }, 'x')).rejects.toMatchObject({ exitCode: 2 });
  });
});

test.each<[string, Options]>([
  ['invalid literal source, --from-literal number 1', { fromLiteral: ['made-up-value'] }],
  ['invalid literal source, --from-literal number 2', { fromLiteral: ['A=1', '=made-up-value'] }],
  ['not a valid key name', { fromLiteral: ['a b=made-up-value'] }],
  ['not a valid key name', { fromLiteral: ['..=made-up-value'] }],
  ['another key by that name already exists', { fromLiteral: ['A=made-up-value', 'A=made-up-value'] }],
  ['another key by that name already exists', { fromLiteral: ['A=1'], fromFile: ['A=password.txt'] }],
  ['key name for file path password.txt missing', { fromFile: ['=password.txt'] }],
  ['file path for key name A missing', { fromFile: ['A='] }],
  ['cannot contain "="', { fromFile: ['A=b=c'] }],
  ['cannot give a key name for a directory', { fromFile: ['A=sub'] }],
  ['needs a key name', { fromFile: ['-'] }],
  ['cannot be combined', { fromEnvFile: ['db.env'], fromLiteral: ['A=1'] }],
  ['bad.env:2: not a valid name', { fromEnvFile: ['bad.env'] }],
  ['invalid utf8', { fromEnvFile: ['latin.env'] }],
  ['nothing to write', {}],
  ['a Secret holds', { fromLiteral: [`A=${'x'.repeat(1024 * 1024)}`] }],
])('%s', async (words, options) => {
  const error = (await read(options).catch((fault: unknown) => fault)) as Error;
  expect(error).toMatchObject({ name: 'CommandError', exitCode: 2 });
  expect(error.message).toContain(words);
  expect(error.message).not.toContain('made-up-value');
});

test('a file that is not there is exit code 3', async () => {
  await expect(read({ fromFile: ['nope'] })).rejects.toMatchObject({ code: 'ENOENT' });
});
