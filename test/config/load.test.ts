import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/error.ts';
import { loadConfig } from '../../src/config/load.ts';

const HEADER = 'apiVersion: floe.dev/v1alpha1\nkind: SecretsWebhookConfig\n';

interface Said {
  readonly file?: string;
  readonly env?: Record<string, string>;
  readonly flags?: Record<string, string>;
  /** More files beside the config, by name. */
  readonly beside?: Record<string, string>;
}

function load({ file, env = {}, flags = {}, beside = {} }: Said) {
  const cwd = mkdtempSync(join(tmpdir(), 'floe-config-'));
  for (const [name, content] of Object.entries(beside)) writeFileSync(join(cwd, name), content);
  if (file !== undefined) writeFileSync(join(cwd, 'config.yaml'), file);
  return loadConfig({ file: file === undefined ? undefined : 'config.yaml', env, flags, cwd });
}

function failure(said: Said): ConfigError {
  try {
    load(said);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('no ConfigError was thrown');
}

describe('where a setting comes from', () => {
  it('is the default where nobody says anything', () => {
    expect(load({})).toEqual(defaultConfig());
  });

  it('is the file, beaten by the environment, beaten by a flag', () => {
    const file = `${HEADER}server: {port: 1, opsPort: 1, drain: 1s}\n`;
    const env = { FLOE_SECRETS_SERVER_OPS_PORT: '2', FLOE_SECRETS_SERVER_DRAIN: '2s' };
    const { server } = load({ file, env, flags: { 'server-drain': '3m' } });
    expect(server).toMatchObject({ port: 1, opsPort: 2, drain: 180_000 });
  });

  it.each([
    ['FLOE_SECRETS_SECRETS_CACHE_TTL', '500ms', ['secrets', 'cacheTtl'], 500],
    ['FLOE_SECRETS_WEBHOOK_CLIENT_CA', '/ca.crt', ['webhook', 'clientCA'], '/ca.crt'],
    ['FLOE_SECRETS_GATES_ENABLED', 'false', ['gates', 'enabled'], false],
    ['FLOE_SECRETS_INJECTION_SKIP_CONTAINERS', ' a, b ,', ['injection', 'skipContainers'], ['a', 'b']],
    ['FLOE_SECRETS_PLUGINS_ENABLED', 'k8s,vault', ['plugins', 'enabled'], ['k8s', 'vault']],
    ['FLOE_SECRETS_PLUGINS_ENABLED', 'auto', ['plugins', 'enabled'], 'auto'],
    ['FLOE_SECRETS_ENVIRONMENTS_ALIASES', '{"qa":["test"]}', ['environments', 'aliases'], { qa: ['test'] }],
    ['FLOE_SECRETS_FILES_DEFAULT_MODE', '0440', ['files', 'defaultMode'], 0o440],
    ['FLOE_SECRETS_ENFORCEMENT_EXEMPT_USERNAMES', 'ci', ['enforcement', 'exempt', 'usernames'], ['ci']],
  ])('reads %s=%s', (name, value, path, expected) => {
    expect(load({ env: { [name]: value } })).toHaveProperty(path, expected);
  });

  it('takes an empty variable for an unset one and an empty flag for an empty list', () => {
    const env = { FLOE_SECRETS_SERVER_PORT: '' };
    const config = load({ env, flags: { 'injection-skip-containers': '' } });
    expect(config.server.port).toBe(8443);
    expect(config.injection.skipContainers).toEqual([]);
  });

  it('lets the variables of Services pass, which the kubelet sets in every pod', () => {
    const env = {
      FLOE_SECRETS_WEBHOOK_SERVICE_HOST: '10.0.0.1',
      FLOE_SECRETS_WEBHOOK_SERVICE_PORT_HTTPS: '443',
      FLOE_SECRETS_WEBHOOK_PORT: 'tcp://10.0.0.1:443',
      FLOE_SECRETS_WEBHOOK_PORT_443_TCP_ADDR: '10.0.0.1',
      FLOE_SECRETS_SERVER_PORT: 'tcp://10.0.0.2:443',
    };
    expect(load({ env })).toEqual(defaultConfig());
  });
});

describe('what is wrong', () => {
  it.each<[string, Said, RegExp]>([
    [
      'an unknown key of a section',
      { file: `${HEADER}server:\n  prot: 1\n` },
      /unknown key 'server\.prot', did you mean 'server\.port'\? \(.*config\.yaml:4\)/,
    ],
    [
      'a key in the wrong section',
      { file: `${HEADER}webhook:\n  drain: 1s\n` },
      /unknown key 'webhook\.drain', did you mean 'server\.drain'\?/,
    ],
    [
      'a value in a file',
      { file: `${HEADER}server:\n  port: 8443\n  opsPort: https\n` },
      /server\.opsPort is "https"; allowed: a whole number from 0 to 65535 \(.*config\.yaml:5\)/,
    ],
    [
      'an item of a list',
      { file: `${HEADER}plugins:\n  default:\n    - k8s\n    - 5\n` },
      /plugins\.default\[1\] is 5; allowed: a list of strings.*config\.yaml:6\)/,
    ],
    [
      'a duration without a unit',
      { file: `${HEADER}server: {drain: 10}\n` },
      /server\.drain is 10; allowed: a duration such as 500ms, 10s, 2m or 1h30m/,
    ],
    [
      'a choice in the environment',
      { env: { FLOE_SECRETS_WEBHOOK_WORKLOADS: 'off' } },
      /webhook\.workloads is "off"; allowed: audit, warn, strict \(environment FLOE_SECRETS_WEBHOOK_WORKLOADS\)/,
    ],
    [
      'a flag that beats a good variable',
      { env: { FLOE_SECRETS_SERVER_PORT: '1' }, flags: { 'server-port': '65536' } },
      /server\.port is 65536; .* \(flag --server-port\)/,
    ],
    [
      'an unknown variable',
      { env: { FLOE_SECRETS_SERVER_PROT: '1' } },
      /unknown environment variable 'FLOE_SECRETS_SERVER_PROT', did you mean 'FLOE_SECRETS_SERVER_PORT'\?/,
    ],
    [
      'a section that is none',
      { file: `${HEADER}sync: yes please\n` },
      /sync is "yes please"; allowed: a mapping/,
    ],
    [
      'a file of another kind',
      { file: 'apiVersion: v1\nkind: Pod\n' },
      /apiVersion is "v1"; allowed: floe\.dev\/v1alpha1/,
    ],
    [
      'a file without a kind',
      { file: 'server: {port: 1}\n' },
      /kind is missing; allowed: SecretsWebhookConfig/,
    ],
    ['no YAML', { file: 'server: [\n' }, /config\.yaml:\d+:\d+ is not valid YAML/],
    [
      'one key twice',
      { file: `${HEADER}sync: {}\nsync: {}\n` },
      /is not valid YAML: Map keys must be unique/,
    ],
    [
      'an unquoted file mode',
      { file: `${HEADER}files: {defaultMode: 0440}\n` },
      /quoted string of octal digits/,
    ],
    [
      'aliases that are no JSON',
      { env: { FLOE_SECRETS_ENVIRONMENTS_ALIASES: 'a=b' } },
      /environments\.aliases is "a=b"/,
    ],
  ])('is named: %s', (_what, said, message) => {
    const error = failure(said);
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(2);
  });

  it('is named all at once', () => {
    const { message } = failure({ file: `${HEADER}server: {port: a, drain: b}\nlogs: {}\n` });
    expect(message).toContain('server.port');
    expect(message).toContain('server.drain');
    expect(message).toContain("unknown key 'logs', did you mean 'log'?");
  });

  it('is a missing file, with the exit code of one', () => {
    const sources = { file: '/nowhere/config.yaml', env: {}, flags: {}, cwd: '/' };
    expect(() => loadConfig(sources)).toThrow(expect.objectContaining({ exitCode: 3 }));
    expect(failure({ flags: { manifest: 'nowhere.yaml' } }).exitCode).toBe(3);
  });
});

describe('a floe manifest', () => {
  const manifest = (type: string) => ({ 'manifest.yaml': `plugins: {secrets: {type: ${type}}}\n` });

  it.each([
    ['k8s', ['k8s']],
    ['kubernetes', ['k8s']],
    ['k8s-secrets', ['k8s']],
    ['eso', ['external-secrets']],
    ['infisical', ['infisical', 'k8s']],
    ['vault', ['vault']],
  ])('of %s gives the chain', (type, chain) => {
    const config = load({ file: `${HEADER}manifest: manifest.yaml\n`, beside: manifest(type) });
    expect(config.plugins.default).toEqual(chain);
  });

  it('does not beat a chain that is set', () => {
    const said = {
      flags: { manifest: 'manifest.yaml', 'plugins-default': 'vault' },
      beside: manifest('k8s'),
    };
    expect(load(said).plugins.default).toEqual(['vault']);
  });

  it('without plugins.secrets changes nothing', () => {
    const beside = { 'manifest.yaml': 'plugins: {compute: {type: duckdb}}\n' };
    expect(load({ flags: { manifest: 'manifest.yaml' }, beside })).toMatchObject({
      plugins: { default: ['infisical', 'k8s'] },
    });
  });

  it('of an unknown type is an error with its place', () => {
    const { message } = failure({ flags: { manifest: 'manifest.yaml' }, beside: manifest('toString') });
    expect(message).toMatch(/plugins\.secrets\.type is "toString"; allowed: k8s, .*manifest\.yaml:1\)/);
  });
});

it('is frozen all the way down', () => {
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(frozen));
  expect(frozen(load({ env: { FLOE_SECRETS_ENVIRONMENTS_ALIASES: '{"a":["b"]}' } }))).toBe(true);
});
