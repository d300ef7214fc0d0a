/** `validate --upstream`: the stores are asked for what the manifest's Secrets are made of. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as validate } from '../../src/cli/validate.ts';
import { startInfisical, IDENTITY, PROJECT } from '../upstream/infisical-server.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import type { Outcome } from './captured.ts';
import { ROOT } from '../sources.ts';
import { captured, folderOf } from './captured.ts';

const VALUE = 'made-up-value';
const OK = `status:
  conditions:
  - {type: secrets.infisical.com/ReadyToSyncSecrets, status: "True", reason: OK, message: synced, lastTransitionTime: "2026-11-27T10:00:00Z"}`;

function secret(name: string): string {
  return `apiVersion: v1
kind: Secret
metadata: {name: ${name}, namespace: floe-jobs}
data: {USER: eA==, PASSWORD: eA==}
`;
}

function resource(name: string, path: string, more = ''): string {
  return `apiVersion: secrets.infisical.com/v1alpha1
kind: InfisicalSecret
metadata: {name: ${name}, namespace: floe-jobs}
spec:
  authentication:
    universalAuth:
      secretsScope: {projectSlug: ${PROJECT.slug}, envSlug: prod, secretsPath: ${path}${more}}
  managedKubeSecretReferences: [{secretName: ${name}, secretNamespace: floe-jobs}]
${OK}
`;
}

const manifest = (name: string, key: string): string => `a: {secret_ref: {name: ${name}, key: ${key}}}\n`;

const cwd = folderOf({
  'world.yaml': [
    secret('db'),
    resource('db', '/compute'),
    secret('moved'),
    resource('moved', '/gone'),
    secret('deep'),
    resource('deep', '/compute', ', recursive: true'),
    secret('plain'),
    secret('stranger'),
    resource('stranger', '/compute').replace(
      'spec:',
      'spec:\n  hostAPI: https://infisical.other.example/api',
    ),
  ].join('---\n'),
  'good.yaml': manifest('db', 'PASSWORD'),
  'moved.yaml': manifest('moved', 'USER'),
  'behind.yaml': manifest('db', 'USER'),
  'deep.yaml': manifest('deep', 'USER'),
  'plain.yaml': manifest('plain', 'USER'),
  'stranger.yaml': manifest('stranger', 'USER'),
  'twice.yaml': `${manifest('db', 'PASSWORD')}b: {secret_ref: {name: deep, key: USER}}\n`,
});

describe('validate --upstream', () => {
  let server: InfisicalServer;
  beforeAll(async () => {
    server = await startInfisical('2024');
    server.seed('prod', '/compute', { PASSWORD: VALUE });
  });
  afterAll(() => server.stop());

  async function run(
    config: string,
    more: Readonly<Record<string, unknown>> = {},
    secretOf = IDENTITY.clientSecret,
  ): Promise<Outcome> {
    const env = {
      FLOE_SECRETS_UPSTREAM_INFISICAL_HOST_API: server.url,
      INFISICAL_CLIENT_ID: IDENTITY.clientId,
      INFISICAL_CLIENT_SECRET: secretOf,
    };
    const options = { config, world: ['world.yaml'], namespace: 'floe-jobs', upstream: true, ...more };
    const outcome = await captured(validate, options, { cwd, env });
    expect(outcome.out + outcome.err).not.toContain(VALUE);
    return outcome;
  }

  it('finds what is there', async () => {
    const { code, out, err } = await run('good.yaml');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(
      '✓ db: exists, 2 keys\n  ✓ upstream: Infisical floe-platform/prod/compute, 1 key\n',
    );
  });

  it('finds that the store has no such path any more, though the Secret is still there', async () => {
    const { code, out } = await run('moved.yaml');
    expect(code).toBe(5);
    expect(out).toContain(
      '✗ moved: exists, 2 keys\n  ✗ upstream: Infisical, floe-platform/prod/gone: no such path',
    );
    expect(out).toContain('1 error found.');
  });

  it('finds a key that is in the Secret, but not upstream', async () => {
    const { code, out } = await run('behind.yaml', { output: 'json' });
    expect(code).toBe(5);
    expect(JSON.parse(out)).toMatchObject({
      items: [
        {
          exists: true,
          upstream: [
            { place: 'Infisical floe-platform/prod/compute', keys: 1, missingKeys: ['USER'], error: null },
          ],
        },
      ],
      summary: { errors: 1 },
    });
  });

  it('draws no conclusion about keys that come from folders below', async () => {
    expect((await run('deep.yaml')).code).toBe(0);
  });

  it('asks nothing of a native Secret, and nothing without the option', async () => {
    const before = server.requests.length;
    expect((await run('plain.yaml')).out).toContain('✓ plain: exists, 2 keys\n\nAll');
    expect((await run('moved.yaml', { upstream: false })).code).toBe(0);
    expect(server.requests.length).toBe(before);
  });

  it('asks no Infisical for what comes from another one', async () => {
    const before = server.requests.length;
    const { code, out } = await run('stranger.yaml');
    expect(code).toBe(2);
    expect(out).toContain(
      '! upstream: its sync resource reads another Infisical than upstream.infisical.hostAPI names',
    );
    expect(server.requests.length).toBe(before);
  });

  it('logs in once for all of them', async () => {
    const before = server.asked('POST', '/login');
    expect((await run('twice.yaml')).code).toBe(0);
    expect(server.asked('POST', '/login')).toBe(before + 1);
  });

  it('tells a store that cannot be asked from one that says no', async () => {
    const { code, out } = await run('good.yaml', {}, 'wrong');
    expect(code).toBe(4);
    expect(out).toContain('! upstream: Infisical, login by Universal Auth: the credentials are refused');
    expect(out).toContain('✓ db: exists');
  });

  it('ends when it has said all, whatever the SDK still tries', async () => {
    server.fail('/secrets/raw', 'hang');
    const args = ['validate', '-c', 'good.yaml', '--world', 'world.yaml', '-n', 'floe-jobs', '--upstream'];
    const env = {
      PATH: process.env['PATH'] ?? '',
      FLOE_SECRETS_UPSTREAM_TIMEOUT: '1s',
      FLOE_SECRETS_UPSTREAM_INFISICAL_HOST_API: server.url,
      INFISICAL_CLIENT_ID: IDENTITY.clientId,
      INFISICAL_CLIENT_SECRET: IDENTITY.clientSecret,
    };
    // Alone the SDK would go on for 65 s.
    const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), ...args], { cwd, env });
    const [code] = (await once(child, 'close')) as [number];
    server.heal();
    expect(code).toBe(8);
  });
});
