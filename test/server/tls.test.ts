import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ConfigError } from '../../src/config/error.ts';
import type { Certificates } from '../../src/server/tls.ts';
import { openCertificates } from '../../src/server/tls.ts';
import type { Authority, KeyPair } from '../../tools/certificates.ts';
import { makeAuthority } from '../../tools/certificates.ts';
import { mountSecret } from './mounted-secret.ts';
import {
  authority,
  certificateDirectory,
  post,
  recordedLog,
  review,
  servingPair,
  startWebhook,
  writePair,
} from './webhook.ts';

const other: Authority = await makeAuthority('another CA');
const newPair: KeyPair = await authority.issue({ names: ['localhost'], days: 60 });

/** A webhook that serves what a directory holds, polled as often as a test has patience for. */
async function serveFrom(directory: string, clientCA = '') {
  const { log, lines } = recordedLog();
  const refused: string[] = [];
  const options = { directory, clientCA, log, pollMs: 50, refused: (why: string) => refused.push(why) };
  const certificates: Certificates = openCertificates(options);
  onTestFinished(() => certificates.stop());
  const webhook = await startWebhook({ tls: certificates.current(), log });
  certificates.follow((next) => webhook.app.server.setSecureContext(next));
  return { ...webhook, certificates, lines, refused };
}

/** The serial number that a new connection is shown. */
async function serialAt(port: number): Promise<string> {
  const { serial, status } = await post(port, review());
  expect(status).toBe(200);
  return serial;
}

describe('a new pair', () => {
  it('is served to new connections, while reviews on old and new ones go on', async () => {
    const directory = certificateDirectory(servingPair);
    const { port, certificates } = await serveFrom(directory);
    const before = await serialAt(port);
    const load = startLoad(port);
    writePair(directory, newPair);
    await vi.waitUntil(async () => (await serialAt(port)) !== before, { timeout: 60_000 });
    const { answered, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(0);
    expect(certificates.expiresAt()).toBeGreaterThan(Date.now() + 50 * 86_400_000);
  });

  it('is found where a mounted Secret swaps its ..data link', async () => {
    const entries = ({ certPem, keyPem }: KeyPair) => ({ 'tls.crt': certPem, 'tls.key': keyPem });
    const { directory, swap } = mountSecret(entries(servingPair));
    const { port } = await serveFrom(directory);
    const before = await serialAt(port);
    swap(entries(newPair));
    await vi.waitUntil(async () => (await serialAt(port)) !== before, { timeout: 60_000 });
  });
});

describe('a pair that callers do not accept yet', () => {
  it('waits, and is served as soon as they do', async () => {
    const directory = certificateDirectory(servingPair);
    const { log, lines } = recordedLog();
    let accepted = false;
    const mayReplace = vi.fn((_current: string, next: string) => next !== newPair.certPem || accepted);
    const certificates = openCertificates({ directory, clientCA: '', log, pollMs: 20, mayReplace });
    onTestFinished(() => certificates.stop());
    const waits = () => lines.filter((line) => line.includes('waits until the API server accepts it'));
    writePair(directory, newPair);
    await vi.waitUntil(() => mayReplace.mock.calls.length > 3, { timeout: 60_000 });
    expect(mayReplace).toHaveBeenCalledWith(servingPair.certPem, newPair.certPem);
    expect(certificates.current().cert).toBe(servingPair.certPem);
    expect(waits()).toHaveLength(1);
    accepted = true;
    await vi.waitUntil(() => certificates.current().cert === newPair.certPem, { timeout: 60_000 });
  });
});

describe('a pair that cannot serve', () => {
  const expired = authority.issue({ names: ['localhost'], days: -1 });
  it.each<[string, () => Promise<KeyPair> | KeyPair, RegExp]>([
    [
      'of two that do not fit',
      () => ({ ...newPair, keyPem: servingPair.keyPem }),
      /tls\.key is not the key of/,
    ],
    [
      'half written',
      () => ({ ...newPair, certPem: newPair.certPem.slice(0, 200) }),
      /tls\.crt holds no certificate/,
    ],
    ['without a key', () => ({ ...newPair, keyPem: '' }), /tls\.key holds no private key/],
    ['that is over', () => expired, /tls\.crt expired at 20/],
  ])('leaves the old one in place and is logged once: one %s', async (_what, pairOf, reason) => {
    const directory = certificateDirectory(servingPair);
    const { port, lines, refused } = await serveFrom(directory);
    const before = await serialAt(port);
    const refusals = () => lines.filter((line) => line.includes('new certificate refused'));
    // The pair as a whole, so that no poll sees the half of it.
    writePair(directory, await pairOf());
    await vi.waitUntil(() => refusals().some((line) => reason.test(line)), { timeout: 60_000 });
    const logged = refusals().length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(refusals()).toHaveLength(logged);
    expect(refused).toHaveLength(logged);
    expect(refused.at(-1)).toMatch(reason);
    expect(await serialAt(port)).toBe(before);
    expect(lines.join('')).not.toContain('PRIVATE KEY');

    writePair(directory, newPair);
    await vi.waitUntil(async () => (await serialAt(port)) !== before, { timeout: 60_000 });
  });

  it('is an error where there is no old one', async () => {
    const { log } = recordedLog();
    const open = (directory: string, clientCA = '') => openCertificates({ directory, clientCA, log });
    const failureOf = (attempt: () => unknown) => {
      try {
        attempt();
      } catch (error) {
        if (error instanceof ConfigError) return [error.exitCode, error.message];
      }
      throw new Error('no ConfigError was thrown');
    };
    const good = certificateDirectory(servingPair);
    const mixed = certificateDirectory({ ...servingPair, keyPem: newPair.keyPem });
    const keyless = certificateDirectory(servingPair);
    rmSync(join(keyless, 'tls.key'));
    expect(failureOf(() => open('/nowhere'))).toEqual([3, expect.stringContaining('server.certDir')]);
    expect(failureOf(() => open(keyless))).toEqual([3, expect.stringContaining('tls.key cannot be read')]);
    expect(failureOf(() => open(mixed))).toEqual([2, expect.stringContaining('is not the key of')]);
    expect(failureOf(() => open(good, '/nowhere'))).toEqual([3, expect.stringContaining('webhook.clientCA')]);
    expect(failureOf(() => open(good, join(good, 'tls.key')))).toEqual([
      2,
      expect.stringContaining('no certificate'),
    ]);
  });
});

describe('with a client CA', () => {
  const authorityFile = () => {
    const file = join(mkdtempSync(join(tmpdir(), 'floe-ca-')), 'ca.crt');
    writeFileSync(file, authority.certPem);
    return file;
  };

  it('only callers that show a certificate of it are answered, before and after a swap', async () => {
    const directory = certificateDirectory(servingPair);
    const { port } = await serveFrom(directory, authorityFile());
    const client = await authority.issue({ names: ['kube-apiserver'], usage: 'client' });
    const stranger = await other.issue({ names: ['kube-apiserver'], usage: 'client' });
    const check = async () => {
      const known = await post(port, review(), { client });
      expect(known.status).toBe(200);
      await expect(post(port, review())).rejects.toThrow();
      await expect(post(port, review(), { client: stranger })).rejects.toThrow();
      return known.serial;
    };
    const before = await check();
    writePair(directory, newPair);
    await vi.waitUntil(async () => (await post(port, review(), { client })).serial !== before, {
      timeout: 60_000,
    });
    expect(await check()).not.toBe(before);
  });
});

/** Posts review after review, half of them on connections that are kept, until it is stopped. */
function startLoad(port: number) {
  const keepAlive = new Agent({ keepAlive: true });
  const failures: unknown[] = [];
  let answered = 0;
  const state = { stopped: false };
  const worker = async (agent: Agent | undefined): Promise<void> => {
    while (!state.stopped) {
      try {
        const { status } = await post(port, review(), agent === undefined ? {} : { agent });
        if (status === 200) answered += 1;
        else failures.push(status);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const workers = [worker(keepAlive), worker(keepAlive), worker(undefined)];
  return {
    stop: async () => {
      state.stopped = true;
      await Promise.all(workers);
      keepAlive.destroy();
      return { answered, failures };
    },
  };
}
