import { describe, expect, it } from 'vitest';
import { run } from '../../src/cli/annotate.ts';
import type { Options } from '../../src/cli/options.ts';
import { captured, folderOf } from './captured.ts';
import { expectGolden } from './golden.ts';

/** As floe's compiler writes it: what credentials are called, which keys they have, which variables they feed. */
const ARTIFACTS = {
  version: '0.16.0',
  deployment: {
    storage: {
      credentials: {
        mode: 'kubernetes-secret',
        secret_ref: {
          name: 'floe-platform-minio-credentials',
          namespace: 'floe-system',
          keys: { accessKeyId: 'root-user', secretAccessKey: 'root-password' },
        },
      },
      runtime: { env_refs: { accessKeyId: 'AWS_ACCESS_KEY_ID', secretAccessKey: 'AWS_SECRET_ACCESS_KEY' } },
    },
    catalog: { credentials: { source: 'kubernetes-secret', name: 'polaris', key: 'client-secret' } },
    ingestion: { credentials: { source: 'environment', name: 'NOT_A_SECRET' } },
  },
  plugins: { compute: { connection_secret_ref: 'snowflake-credentials' } },
};

const cwd = folderOf({
  'artifacts.json': JSON.stringify(ARTIFACTS),
  'nothing.json': '{"version": "0.16.0"}',
  'bad.json': JSON.stringify({ a: { secret_ref: { name: 'db', keys: { x: 'not a key' } } } }),
});

async function annotate(more: Options) {
  return captured(run, { artifacts: 'artifacts.json', ...more }, { cwd });
}

describe('annotate', () => {
  it.each(['text', 'json', 'yaml'])('writes %s', async (output) => {
    const { out, err, code } = await annotate({ output });
    expect([code, err]).toEqual([0, '']);
    await expectGolden(`annotate.${output}`, out);
  });

  it('warns of a Secret that pods of the namespace cannot refer to', async () => {
    expect(await annotate({ namespace: 'floe-jobs' })).toMatchObject({
      code: 5,
      err: "Warning: artifacts.json: deployment.storage.credentials.secret_ref: Secret 'floe-platform-minio-credentials' is in namespace 'floe-system', and pods of 'floe-jobs' cannot refer to it\n",
    });
    expect((await annotate({ namespace: 'floe-system' })).code).toBe(0);
  });

  it.each([
    ['nothing.json', 1, 'names no Secret'],
    ['nope.json', 3, 'no such file'],
    ['bad.json', 5, "'not a key' is no key"],
  ])('%s is exit code %i', async (artifacts, code, message) => {
    const told = await annotate({ artifacts });
    expect(told.code).toBe(code);
    expect(told.err).toContain(message);
  });
});
