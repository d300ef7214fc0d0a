import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Options } from '../../src/cli/options.ts';
import { run } from '../../src/cli/policy.ts';
import { captured } from './captured.ts';
import { expectGolden } from './golden.ts';
import { runningCluster } from './running.ts';

const cwd = runningCluster();

async function policy(more: Options) {
  return captured(run, { world: ['world'], namespace: 'floe-jobs', ...more }, { cwd });
}

function kinds(out: string): readonly unknown[] {
  return parseAllDocuments(out).map((one) => (one.toJS() as { readonly kind: string }).kind);
}

const NET = ['ValidatingAdmissionPolicy', ...Array<string>(3).fill('ValidatingAdmissionPolicyBinding')];
const INJECTION = ['MutatingAdmissionPolicy', 'MutatingAdmissionPolicyBinding'];

describe('policy', () => {
  it.each(['text', 'json', 'yaml'])('writes %s', async (output) => {
    const { out, err, code } = await policy({ index: true, mutating: true, output });
    expect([code, err]).toEqual([0, '']);
    await expectGolden(`policy.${output}`, out);
  });

  it('prints the net alone where a cluster is not asked', async () => {
    expect(kinds((await policy({})).out)).toEqual(NET);
    expect(kinds((await policy({ mutating: true })).out)).toEqual([...INJECTION, ...NET]);
  });

  it('says that it could not ask a cluster', async () => {
    const { out, err } = await captured(run, { kubeconfig: join(offline(), 'offline.yaml') });
    expect(kinds(out)).toEqual(NET);
    expect(err).toContain('printed without it');
  });

  it('prints the net without any kubeconfig, unless one was named', async () => {
    const env = { HOME: offline() };
    const without = async (more: Options) => captured(run, more, { env });
    const { out, err, code } = await without({});
    expect([kinds(out), err, code]).toEqual([NET, expect.stringContaining('printed without it'), 0]);
    for (const mutating of [true, false])
      expect(await without({ mutating })).toMatchObject({ err: '', code: 0 });
    const missing = join(env.HOME, 'missing.yaml');
    for (const more of [{ kubeconfig: missing }, { context: 'other' }, { index: true, mutating: false }]) {
      expect(await without(more)).toMatchObject({
        out: '',
        err: expect.stringContaining('does not exist'),
        code: 3,
      });
    }
    const kubeconfig = join(env.HOME, 'offline.yaml');
    const typo = await without({ kubeconfig, context: 'typo' });
    expect(typo).toMatchObject({
      out: '',
      err: expect.stringContaining("context 'typo' is not in"),
      code: 2,
    });
  });

  it('indexes one namespace', async () => {
    const { out } = await policy({ index: true });
    const index = parseAllDocuments(out).at(-1)?.toJS() as unknown;
    expect(index).toMatchObject({ metadata: { namespace: 'floe-jobs' }, data: { db: 'Synced' } });
    expect(await policy({ index: true, allNamespaces: true })).toMatchObject({ code: 2 });
  });
});

/** A kubeconfig whose server nobody is. */
function offline(): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  return runningCluster({ 'offline.yaml': JSON.stringify(config) });
}
