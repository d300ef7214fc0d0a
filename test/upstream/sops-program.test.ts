// The program that decrypts: the real one, and stand-ins that do their worst. No error may have a value in it.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { EncryptedFile, SopsOptions } from '../../src/upstream/sops-program.ts';
import { decryptWithSops } from '../../src/upstream/sops-program.ts';
import { UpstreamError } from '../../src/upstream/upstream-error.ts';
import { findSops } from '../../tools/sops.ts';
import { needs } from '../needs.ts';
import { encrypted, makeKey } from './sops-files.ts';

const VALUE = 'bluebird-in-the-rain';
const folder = mkdtempSync(join(tmpdir(), 'floe-sops-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileAt(path: string, more: Partial<EncryptedFile> = {}): EncryptedFile {
  return { path, shown: 'db.yaml', input: 'yaml', output: 'yaml', recipients: ['age age1xyz'], ...more };
}

function optionsOf(program: string, more: Partial<SopsOptions> = {}): SopsOptions {
  return { program, env: process.env, cwd: folder, timeoutMs: 20_000, ...more };
}

let scripts = 0;

/** A program of this shell code in the place of sops. */
function standIn(code: string): string {
  const file = join(folder, `sops-${(scripts += 1)}`);
  writeFileSync(file, `#!/bin/sh\n${code}\n`);
  chmodSync(file, 0o755);
  return file;
}

async function failure(work: Promise<unknown>): Promise<UpstreamError> {
  const error = await work.then(
    () => undefined,
    (fault: unknown) => fault,
  );
  if (!(error instanceof UpstreamError)) throw new Error(`no UpstreamError: ${String(error)}`);
  expect(JSON.stringify(Object.entries(error)) + error.message).not.toContain(VALUE);
  return error;
}

const failed = async (code: string, more: Partial<SopsOptions> = {}): Promise<UpstreamError> =>
  failure(decryptWithSops(fileAt(join(folder, 'db.yaml')), optionsOf(standIn(code), more)));

function isRunning(pid: string): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

async function gone(pidFile: string): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (!isRunning(readFileSync(pidFile, 'utf8').trim())) return true;
    await sleep(50);
  }
  return false;
}

describe('a program that does its worst', () => {
  it('gives its output, and is told the file and the formats, nothing else', async () => {
    const program = standIn('printf "%s\\n" "$*"; env | grep -c INFISICAL_; echo $SOPS_AGE_KEY_FILE');
    const env = {
      ...process.env,
      INFISICAL_TOKEN: 't',
      INFISICAL_CLIENT_SECRET: 's',
      SOPS_AGE_KEY_FILE: 'k',
    };
    const file = fileAt('/repo/db.env', { input: 'dotenv', output: 'json' });
    const lines = (await decryptWithSops(file, optionsOf(program, { env }))).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      '--decrypt --input-type dotenv --output-type json /repo/db.env',
      '0',
      'k',
    ]);
  });

  it.each([
    [128, 'unauthorized', 4, /no key at hand decrypts it \(it is for age age1xyz\); give SOPS one/],
    [51, 'invalid', 1, /changed it without SOPS/],
    [25, 'invalid', 1, /a value in it is not what SOPS has encrypted/],
    [7, 'invalid', 1, /sops ended with code 7/],
  ])('that quotes values and ends with %i is not quoted', async (code, upstream, exitCode, words) => {
    const error = await failed(
      `echo "A: ${VALUE}"; echo "Input string ${VALUE} does not match" >&2; exit ${code}`,
    );
    expect([error.upstream, error.exitCode]).toEqual([upstream, exitCode]);
    expect(error.message).toMatch(words);
    expect(error.message).toMatch(/^db\.yaml: .*sops --decrypt db\.yaml > \/dev\/null tells more$/);
  });

  it('tells a service of keys that is out of reach from a key that is missing', async () => {
    const error = await failed('echo "dial tcp: lookup kms: no such host" >&2; exit 128');
    expect([error.upstream, error.exitCode]).toEqual(['unavailable', 8]);
  });

  it('is ended where it does not end', async () => {
    const pid = join(folder, 'endless.pid');
    const error = await failed(`trap '' TERM; echo $$ > ${pid}; while :; do sleep 0.1; done`, {
      timeoutMs: 3_000,
    });
    expect([error.upstream, error.exitCode]).toEqual(['timeout', 8]);
    expect(await gone(pid)).toBe(true);
  });

  it('is ended where somebody interrupts', async () => {
    const pid = join(folder, 'interrupted.pid');
    const stop = new AbortController();
    const work = failed(`echo $$ > ${pid}; echo ${VALUE}; exec sleep 60`, { signal: stop.signal });
    while (!existsSync(pid) || readFileSync(pid, 'utf8') === '') await sleep(20);
    stop.abort();
    expect((await work).message).toMatch(/interrupted/);
    expect(await gone(pid)).toBe(true);
    const at = failed('sleep 60', { signal: AbortSignal.abort() });
    expect((await at).message).toMatch(/interrupted/);
  });

  it('does not fill the memory', async () => {
    expect((await failed(`yes ${VALUE}`)).message).toMatch(/more than 16 MiB/);
    expect((await failed(`yes ${VALUE} | head -c 50000000 >&2; exit 1`)).message).toMatch(/code 1/);
  });

  it('may leave something running that holds its pipes', async () => {
    const program = standIn('sleep 3 & echo "A: b"');
    const began = Date.now();
    expect(await decryptWithSops(fileAt('/repo/db.yaml'), optionsOf(program))).toBe('A: b\n');
    expect(Date.now() - began).toBeLessThan(20_000);
  });

  it('writes text', async () => {
    expect((await failed(String.raw`printf '\377\376'`)).message).toMatch(/is not text/);
  });

  it('is there, and can be run', async () => {
    const work = async (program: string): Promise<UpstreamError> =>
      failure(decryptWithSops(fileAt('/repo/db.yaml'), optionsOf(program)));
    const missing = await work('no-such-sops');
    expect([missing.upstream, missing.exitCode]).toEqual(['notConfigured', 2]);
    expect(missing.message).toMatch(
      /'no-such-sops' is not there: install it \(https:\/\/getsops\.io\), or name it/,
    );
    writeFileSync(join(folder, 'plain'), '');
    expect((await work(join(folder, 'plain'))).message).toMatch(/cannot be started \(EACCES\)/);
  });

  it('is given a name that no shell would take apart', async () => {
    const program = standIn('exit 1');
    const file = fileAt('/repo/x', { shown: "a'; rm -rf b.yaml" });
    const error = await failure(decryptWithSops(file, optionsOf(program)));
    expect(error.message).toContain(String.raw`sops --decrypt 'a'\''; rm -rf b.yaml' > /dev/null`);
  });
});

describe.skipIf(!needs('sops') || !needs('age'))('SOPS itself', () => {
  it('decrypts with the key, and without it says whose key it takes', async () => {
    const key = makeKey(folder);
    const other = makeKey(folder, 'other.key');
    const file = encrypted(join(folder, 'real.yaml'), `PASSWORD: ${VALUE}\n`, key);
    const program = findSops() ?? '';
    const asked = fileAt(file, { recipients: [`age ${key.recipient}`] });
    expect(await decryptWithSops(asked, optionsOf(program, { env: key.env }))).toBe(`PASSWORD: ${VALUE}\n`);
    const error = await failure(decryptWithSops(asked, optionsOf(program, { env: other.env })));
    expect(error.exitCode).toBe(4);
    expect(error.message).toContain(key.recipient);
  });

  it('quotes a value that was left in the clear, and is not quoted', async () => {
    const key = makeKey(folder, 'third.key');
    const file = encrypted(join(folder, 'clear.yaml'), 'A: b\nPASSWORD: c\n', key);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^PASSWORD: .*$/m, `PASSWORD: ${VALUE}`));
    const options = optionsOf(findSops() ?? '', { env: key.env });
    expect((await failure(decryptWithSops(fileAt(file), options))).message).toMatch(
      /not what SOPS has encrypted/,
    );
  });
});
