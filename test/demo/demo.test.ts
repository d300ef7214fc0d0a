import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { needs } from '../needs.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const HEADINGS = [
  'The webhook starts',
  'A namespace opts in, and says which Secrets there are',
  'A pod asks for two Secrets and gets them',
  'A Secret that nobody has heard of: refused',
  'A workload is told before its pods are',
  'The Secret is declared, but its sync fails: refused, in the words of the operator',
  'The Secret is synced, but lacks a key that the pod cannot do without: refused',
  'Somebody adds the key to the store, it is synced: the same pod is admitted',
  'A Secret that is still to come: the pod waits, and starts by itself',
  'The token is rotated in the store: the Deployment that uses it restarts',
  'The same rules as warnings, for a namespace that is not ready to be strict',
  "The InfisicalSecret as floe's ADR-0031 prints it: explained, and corrected",
];

type Child = ChildProcessByStdio<null, Readable, Readable>;

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** What is in the run's own temporary directory when it has ended. */
  readonly left: readonly string[];
}

interface Started {
  readonly child: Child;
  readonly ended: Promise<Run>;
  /** Resolves once the text was written, rejects where the demo ends without it. */
  saw(text: string): Promise<void>;
}

/** The demo with a temporary directory of its own, so that what it leaves behind is seen. */
function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const temporary = mkdtempSync(join(tmpdir(), 'fd-'));
  const child: Child = spawn(process.execPath, ['tools/demo/demo.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: temporary, TMP: temporary, TEMP: temporary, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  const ended = once(child, 'close').then(([code]) => {
    const left = readdirSync(temporary);
    rmSync(temporary, { recursive: true, force: true });
    return { code: code as number | null, out, err, left };
  });
  return {
    child,
    ended,
    saw: async (text) => {
      while (!out.includes(text)) {
        const what = await Promise.race([once(child.stdout, 'data'), ended]);
        if ('code' in what && !out.includes(text)) throw new Error(`the demo ended early: ${out}${err}`);
      }
    },
  };
}

function headingsOf(out: string): readonly string[] {
  return [...out.matchAll(/^\d+\. (.*)$/gm)].map((match) => match[1] ?? '');
}

/** Refusals are wrapped for people. */
function unwrapped(out: string): string {
  return out.replaceAll(/\s+/g, ' ');
}

function toldWell(run: () => Run): void {
  test('every step behaves as announced, and nothing is left behind', () => {
    const { code, out, err, left } = run();
    expect({ code, err }, out).toEqual({ code: 0, err: '' });
    expect(out).toContain('Every step behaved as announced.');
    expect(left).toEqual([]);
  });

  test('the steps come in their order', () => {
    expect(headingsOf(run().out)).toEqual(HEADINGS);
  });

  test('piped, it is plain: no escape codes, no carriage returns', () => {
    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    expect(run().out).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/);
  });

  test('what was injected is a diff of the pod', () => {
    const added = [...run().out.matchAll(/^ {2}\+(?!\+)(.*)$/gm)].map((match) => match[1]?.trim());
    expect(added).toEqual(
      expect.arrayContaining(['- secretRef:', 'name: snowflake-credentials', '- name: CATALOG_SECRET']),
    );
    expect(run().out).not.toMatch(/^ {2}-(?!--)/m);
  });

  test('refusals are whole, as kubectl prints them', () => {
    const out = unwrapped(run().out);
    const refused =
      'Error from server (Forbidden): error when creating "deploy/examples/floe/ingest-pod.yaml": ' +
      'admission webhook "mutate.secrets.floe.dev" denied the request: ';
    expect(out).toContain(
      `${refused}FLOE-E801: Secret 'salesforce-credentials' not found in namespace 'floe-jobs'.`,
    );
    expect(out).toContain(
      `${refused}FLOE-E803: Secret 'salesforce-credentials' in namespace 'floe-jobs' is not synced: InfisicalSecret 'salesforce' reports secrets.infisical.com/ReadyToSyncSecrets=False`,
    );
    expect(out).toContain(
      `${refused}FLOE-E802: Secret 'salesforce-credentials' in namespace 'floe-jobs' has no key 'SALESFORCE_TOKEN'.`,
    );
    expect(out).toContain('Suggestion: kubectl describe infisicalsecret salesforce -n floe-jobs');
  });

  test('warnings are as kubectl prints them', () => {
    const out = unwrapped(run().out);
    expect(out).toMatch(
      /Warning: FLOE-E801: Secret 'salesforce-credentials' is not there yet .* deployment\.apps\/salesforce-ingest created/,
    );
    expect(out).toMatch(
      /Warning: FLOE-E801: Secret 'report-credentials' not found .* pod\/report-by-hand created/,
    );
  });

  test("the ADR's InfisicalSecret is printed in the form that the operator reads", () => {
    expect(run().out).toMatch(
      /universalAuth:\s+credentialsRef:[^]*?secretsScope:\s+projectSlug: floe-platform/,
    );
  });

  test('no value of a Secret is shown', () => {
    expect(run().out).not.toMatch(/example-(?:user|password|account|token|client)/);
  });
}

describe('without an API server', () => {
  let run: Run;
  beforeAll(async () => {
    run = await start(['--embedded']).ended;
  });

  toldWell(() => run);

  test('it says how to get a real one', () => {
    expect(unwrapped(run.out)).toContain('npm run demo -- --cluster');
  });

  test('it is what plays where no control plane is found, and nothing is fetched', async () => {
    const nowhere = mkdtempSync(join(tmpdir(), 'fd-cache-'));
    onTestFinished(() => rmSync(nowhere, { recursive: true, force: true }));
    const env = { XDG_CACHE_HOME: nowhere, XDG_DATA_HOME: nowhere, HOME: nowhere, KUBEBUILDER_ASSETS: '' };
    const demo = start([], env);
    onTestFinished(() => void demo.child.kill('SIGKILL'));
    await demo.saw('serve --world');
    demo.child.kill('SIGINT');
    expect((await demo.ended).out).toContain('without an API server');
    expect(readdirSync(nowhere)).toEqual([]);
  });

  test('it can be kept, and asked by curl; its end takes everything along', async () => {
    const demo = start(['--embedded', '--keep']);
    onTestFinished(() => void demo.child.kill('SIGKILL'));
    await demo.saw('floe-secrets.js review');
    demo.child.kill('SIGINT');
    const { code, out, left } = await demo.ended;
    expect(code).toBe(0);
    expect(unwrapped(out)).toMatch(/curl --cacert \S+ca\.crt .*https:\/\/localhost:\d+\/mutate/);
    expect(left).toEqual([]);
  });

  test('an interruption in the middle leaves nothing behind', async () => {
    const demo = start(['--embedded']);
    onTestFinished(() => void demo.child.kill('SIGKILL'));
    await demo.saw('3. ');
    demo.child.kill('SIGINT');
    const { code, left } = await demo.ended;
    expect(code).toBe(130);
    expect(left).toEqual([]);
  });

  test('the webhook does not outlive a demo that is killed', async () => {
    const demo = start(['--embedded', '--keep']);
    onTestFinished(() => void demo.child.kill('SIGKILL'));
    await demo.saw('floe-secrets.js review');
    demo.child.kill('SIGKILL');
    const { out } = await demo.ended;
    const port = /https:\/\/localhost:(\d+)/.exec(out)?.[1];
    await expect
      .poll(() => fetch(`http://localhost:${port}`).then(String, causeOf), { timeout: 60_000 })
      .toBe('ECONNREFUSED');
  });
});

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error && 'code' in error.cause
    ? error.cause.code
    : error;
}

describe.skipIf(!needs('apiserver'))('with a real API server', () => {
  let run: Run;
  beforeAll(async () => {
    run = await start(['--cluster']).ended;
  });

  toldWell(() => run);

  test('it says whose answers these are', () => {
    expect(run.out).toContain('A Kubernetes API server of this machine');
  });
});

test('--help says what there is, and starts nothing', async () => {
  const { code, out, err, left } = await start(['--help']).ended;
  expect({ code, err, left }).toEqual({ code: 0, err: '', left: [] });
  for (const option of ['--cluster', '--embedded', '--keep', '--help']) expect(out).toContain(option);
});

test('an option that is not known is wrong usage', async () => {
  const { code, out, err } = await start(['--fast']).ended;
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain('--fast');
});
