// Files of SOPS on disk: which are found, what their Secrets are called, and what real SOPS makes of awkward values.
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { openSopsBundle } from '../../src/cli/sops-bundle.ts';
import type { SopsBundle } from '../../src/cli/sops-bundle.ts';
import type { Options } from '../../src/cli/options.ts';
import { secretNameOf } from '../../src/cli/sops-files.ts';
import { exitCodeOf } from '../../src/cli/terminal.ts';
import { findSops } from '../../tools/sops.ts';
import { needs } from '../needs.ts';
import { MANIFESTS, encrypted, makeKey } from '../upstream/sops-files.ts';
import { folderOf } from './captured.ts';

const ENC = '"ENC[AES256_GCM,data:4g==,iv:9LiC,tag:X9c+,type:str]"';
const FILE = `A: ${ENC}\nsops:\n  mac: ${ENC}\n  version: 3.13.3\n`;

async function opened(cwd: string, options: Options, env: NodeJS.ProcessEnv = {}): Promise<SopsBundle> {
  const silent = { write: () => undefined };
  return openSopsBundle(options, {
    stdout: silent,
    stderr: silent,
    stdin: (async function* () {})(),
    env,
    cwd,
  });
}

async function failure(work: Promise<unknown>): Promise<readonly [number, string]> {
  const error: unknown = await work.catch((fault: unknown) => fault);
  if (!(error instanceof Error)) expect.fail('nothing was thrown');
  return [exitCodeOf(error), error.message];
}

describe('files of SOPS', () => {
  const folder = folderOf({
    'secrets/b.enc.yaml': FILE,
    'secrets/prod/a.yaml': FILE,
    'secrets/.env': `A=x\nsops_mac=x\nsops_version=3\n`,
    'secrets/.git/config.yaml': FILE,
    'secrets/values.yaml': 'replicas: 1\n',
    'secrets/template.yaml': 'a: {{ .Values.x }}\n',
    'secrets/broken.yaml': `A: "${'x'.repeat(10)}\nsops: {}\n`,
    'secrets/README.md': 'sops',
    'secrets/tls.ini': '[a]\nsops=1',
    'plain.yaml': 'A: b\n',
    'empty/plain.yaml': 'A: b\n',
  });
  symlinkSync(folder, join(folder, 'secrets/circle'));

  it('are found below a folder, in order, without links; what SOPS has not encrypted is passed over', async () => {
    const { parts, unreadable } = await opened(folder, { files: ['secrets'] });
    expect(parts.map(({ file, secret }) => [file, secret.name])).toEqual([
      ['secrets/.env', ''],
      ['secrets/b.enc.yaml', 'b'],
      ['secrets/prod/a.yaml', 'a'],
    ]);
    expect(unreadable).toEqual([
      {
        shown: 'secrets/broken.yaml',
        why: expect.stringMatching(/^secrets\/broken\.yaml:\d+: not valid YAML/),
      },
    ]);
    expect(parts[0]?.secret.obstacles).toEqual([{ where: '', why: 'it has no name', fix: 'give --name' }]);
  });

  it('that are named twice are taken once', async () => {
    const { parts } = await opened(folder, { files: ['secrets/b.enc.yaml', './secrets/b.enc.yaml'] });
    expect(parts).toHaveLength(1);
  });

  it('that are none say so', async () => {
    const asked = async (file: string): Promise<readonly [number, string]> =>
      failure(opened(folder, { files: [file] }));
    expect(await asked('plain.yaml')).toEqual([2, 'plain.yaml: SOPS has not encrypted it']);
    expect(await asked('secrets/tls.ini')).toEqual([2, expect.stringContaining('by its ending has keys')]);
    expect(await asked('empty')).toEqual([3, 'empty: there is no file in it that SOPS has encrypted']);
    expect(await asked('nowhere')).toEqual([3, expect.stringContaining('ENOENT')]);
    expect(await asked('secrets/broken.yaml')).toEqual([
      1,
      expect.stringMatching(/broken\.yaml:\d+: not valid/),
    ]);
    const several = { files: ['secrets/b.enc.yaml', 'secrets/prod/a.yaml'], name: 'x' };
    expect(await failure(opened(folder, several))).toEqual([2, '--name is for one file of keys and values']);
  });

  test.each([
    ['secrets/DB_main.enc.yaml', 'db-main'],
    ['db.sops.json', 'db'],
    ['app.env', 'app'],
    ['tls.v2.yml', 'tls.v2'],
    ['.env', ''],
  ])('%s is Secret %s', (file, name) => expect(secretNameOf(file)).toBe(name));

  it('must be decrypted to what they were read as', async () => {
    const bin = join(folder, 'sops');
    writeFileSync(bin, `#!/bin/sh\necho '{"B": "other"}'\n`);
    chmodSync(bin, 0o755);
    const { parts } = await opened(folder, { files: ['secrets/b.enc.yaml'], sops: bin }, process.env);
    expect(await failure(parts[0]?.open() ?? Promise.resolve())).toEqual([
      1,
      'secrets/b.enc.yaml: what SOPS decrypted has other keys than the file that was read: run it again',
    ]);
  });

  it('are decrypted once, one after the other', async () => {
    const bin = join(folder, 'counting');
    writeFileSync(
      bin,
      '#!/bin/sh\necho x >> "$COUNT"; mkdir "$COUNT.lock" || exit 1; sleep 0.1; rmdir "$COUNT.lock"\necho "{\\"A\\": \\"b\\"}"\n',
    );
    chmodSync(bin, 0o755);
    const env = { ...process.env, COUNT: join(folder, 'count') };
    const files = ['secrets/b.enc.yaml', 'secrets/prod/a.yaml'];
    const { parts } = await opened(folder, { files, sops: bin }, env);
    const values = await Promise.all([...parts, ...parts].map(async (part) => part.open()));
    expect(values.map((one) => Buffer.from(one.get('A') ?? []).toString())).toEqual(['b', 'b', 'b', 'b']);
    expect(readFileSync(env.COUNT, 'utf8')).toBe('x\nx\n');
  });
});

describe.skipIf(!needs('sops') || !needs('age'))('what SOPS decrypts', () => {
  const VALUES = {
    PLAIN: 'floe',
    EMPTY: '',
    SPACES: '  two  ',
    LINES: 'one\ntwo\n',
    CERT: '-----BEGIN X-----\nabc=\n-----END X-----\n',
    QUOTES: `'"\`\\ `,
    YAML: ': - # {a: b} [1] *x &y !z %w',
    NUMBER: '012',
    LARGE: '12345678901234567890',
    BOOL: 'yes',
    NULL: 'null',
    DATE: '2024-01-02',
    UNICODE: 'é 𝄞 \u2028',
    TAB: 'a\tb',
    REFERENCE: '${HOME}',
  };

  const folder = folderOf({});
  const key = needs('age') ? makeKey(folder) : { env: {}, recipient: '' };
  const valuesOf = async (file: string): Promise<Readonly<Record<string, string>>> => {
    const { parts } = await opened(folder, { files: [file], sops: findSops() }, key.env);
    const decrypted = (await parts[0]?.open()) ?? new Map<string, Uint8Array>();
    return Object.fromEntries(
      [...decrypted].map(([name, bytes]) => [name, Buffer.from(bytes ?? []).toString()]),
    );
  };

  const manifest = (name: string): object => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    data: Object.fromEntries(
      Object.entries(VALUES).map(([entry, value]) => [entry, Buffer.from(value).toString('base64')]),
    ),
  });

  it('is what was encrypted: JSON', async () => {
    encrypted(join(folder, 'a.json'), JSON.stringify(VALUES), key);
    expect(await valuesOf('a.json')).toEqual(VALUES);
  });

  it('is what was encrypted: YAML, which JSON is too', async () => {
    // To SOPS' own reader of YAML a separator of lines is one, so what stands there is not what is meant.
    const values = { ...VALUES, UNICODE: 'é 𝄞' };
    encrypted(join(folder, 'a.yaml'), JSON.stringify(values), key);
    expect(await valuesOf('a.yaml')).toEqual(values);
    encrypted(
      join(folder, 'several.yaml'),
      `${JSON.stringify(manifest('a'))}\n---\n${JSON.stringify(manifest('b'))}\n`,
      {
        ...key,
        more: MANIFESTS,
      },
    );
    expect(await valuesOf('several.yaml')).toEqual(VALUES);
  });

  it('is what was encrypted: dotenv, without the lines that it cannot hold', async () => {
    // SOPS itself takes a backslash and n for a new line there.
    const { QUOTES: _quotes, ...values } = VALUES;
    const lines = Object.entries(values).map(
      ([name, value]) => `${name}=${value.replaceAll('\n', String.raw`\n`)}\n`,
    );
    encrypted(join(folder, 'a.env'), lines.join(''), key);
    expect(await valuesOf('a.env')).toEqual(values);
  });

  it('is what was encrypted: a Secret in a manifest, partly in the clear', async () => {
    mkdirSync(join(folder, 'm'));
    encrypted(join(folder, 'm/a.yaml'), JSON.stringify(manifest('db')), { ...key, more: MANIFESTS });
    expect(await valuesOf('m/a.yaml')).toEqual(VALUES);
  });
});
