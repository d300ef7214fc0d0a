import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import type { SecretUse } from '../../src/kube/running.ts';
import { otherReloader } from '../../src/reload/other-reloaders.ts';
import { object, use, workload } from './setup.ts';

const STAKATER = 'Stakater Reloader';

interface Given {
  readonly kind?: string;
  readonly on?: Record<string, string>;
  readonly template?: Record<string, string>;
  readonly uses?: readonly SecretUse[];
  readonly secret?: Record<string, string>;
  readonly claimants?: Parameters<typeof otherReloader>[1]['claimants'];
}

function driver({ kind, on = {}, template = {}, uses = [use('db')], secret = {}, claimants = [] }: Given) {
  const one = workload(kind, { annotations: on, templateAnnotations: template, templateUses: uses });
  return otherReloader(one, { name: 'db', annotations: secret, claimants });
}

const key = (rest: string, prefix = '') => `${prefix}reloader.stakater.com/${rest}`;
const AUTO = { [key('auto')]: 'true' };
const SEARCH = { [key('search')]: 'true' };

describe('Stakater Reloader drives', () => {
  test.each<[string, Given]>([
    ['auto', { on: AUTO }],
    ['auto, as Go reads it', { on: { [key('auto')]: 'T' } }],
    ['auto of Secrets', { on: { [key('auto', 'secret.')]: 'true' } }],
    ['auto in the template', { template: AUTO }],
    ['auto, with a projected volume', { on: AUTO, uses: [use('db', 'projected')] }],
    ['auto, with an init container', { on: AUTO, uses: [use('db', 'env', true)] }],
    ['auto of a Rollout', { kind: 'Rollout', on: AUTO }],
    ['a name', { on: { [key('reload', 'secret.')]: 'other, db' } }],
    ['a name of what is only injected', { on: { [key('reload', 'secret.')]: 'db' }, uses: [] }],
    ['a pattern', { on: { [key('reload', 'secret.')]: 'd.*' } }],
    ['search and match', { on: SEARCH, secret: { [key('match')]: 'true' } }],
  ])('%s', (_name, given) => {
    expect(driver(given)).toBe(STAKATER);
  });

  test.each<[string, Given]>([
    ['nothing', {}],
    ['what is only injected', { on: AUTO, uses: [] }],
    ['a pull secret', { on: AUTO, uses: [use('db', 'imagePullSecrets')] }],
    ['auto that is off', { on: { [key('auto')]: 'false' } }],
    [
      'the template where the workload says something else',
      { on: { [key('auto')]: 'false' }, template: AUTO },
    ],
    ['another name', { on: { [key('reload', 'secret.')]: 'other' } }],
    ['a regular expression that is not run here', { on: { [key('reload', 'secret.')]: '(d+)+b' } }],
    ['search without match', { on: SEARCH }],
    ['a Secret that it ignores', { on: AUTO, secret: { [key('ignore')]: 'true' } }],
    ['a Secret that is excluded', { on: { ...AUTO, [key('reload', 'secrets.exclude.')]: 'x, db' } }],
  ])('not: %s', (_name, given) => {
    expect(driver(given)).toBeUndefined();
  });
});

const INFISICAL = { 'secrets.infisical.com/auto-reload': 'true' };
const alpha = object('secrets.infisical.com', 'InfisicalSecret', {});
const beta = object('secrets.infisical.com', 'InfisicalStaticSecret', {});

function vault(target: JsonObject, more: JsonObject = {}) {
  return object('secrets.hashicorp.com', 'VaultStaticSecret', {
    spec: { rolloutRestartTargets: [target], ...more },
  });
}

describe('an operator drives', () => {
  test.each<[string, Given, string | undefined]>([
    ['Infisical, what it syncs', { on: INFISICAL, claimants: [alpha] }, 'the Infisical operator'],
    ["Infisical, not another operator's", { on: INFISICAL, claimants: [vault({})] }, undefined],
    ['Infisical, not what is only injected', { on: INFISICAL, claimants: [alpha], uses: [] }, undefined],
    [
      'v1alpha1, no init container',
      { on: INFISICAL, claimants: [alpha], uses: [use('db', 'env', true)] },
      undefined,
    ],
    [
      'v1beta1, an init container',
      { on: INFISICAL, claimants: [beta], uses: [use('db', 'env', true)] },
      'the Infisical operator',
    ],
    [
      'Infisical, no projected volume',
      { on: INFISICAL, claimants: [beta], uses: [use('db', 'projected')] },
      undefined,
    ],
    ['Infisical, no template', { template: INFISICAL, claimants: [alpha] }, undefined],
    ['Infisical, no Rollout', { kind: 'Rollout', on: INFISICAL, claimants: [alpha] }, undefined],
    [
      'Vault, its targets, also what is injected',
      { claimants: [vault({ kind: 'Deployment', name: 'api' })], uses: [] },
      'the Vault Secrets Operator',
    ],
    [
      'Vault, a Rollout',
      { kind: 'Rollout', claimants: [vault({ kind: 'argo.Rollout', name: 'api' })] },
      'the Vault Secrets Operator',
    ],
    ['Vault, no other target', { claimants: [vault({ kind: 'Deployment', name: 'web' })] }, undefined],
    [
      'Vault, not where it cannot see changes',
      { claimants: [vault({ kind: 'Deployment', name: 'api' }, { hmacSecretData: false })] },
      undefined,
    ],
    [
      'Doppler',
      {
        on: { 'secrets.doppler.com/reload': 'true' },
        claimants: [object('secrets.doppler.com', 'DopplerSecret', {})],
      },
      'the Doppler operator',
    ],
    [
      'Doppler, no DaemonSet',
      {
        kind: 'DaemonSet',
        on: { 'secrets.doppler.com/reload': 'true' },
        claimants: [object('secrets.doppler.com', 'DopplerSecret', {})],
      },
      undefined,
    ],
    [
      '1Password',
      {
        on: { 'operator.1password.io/auto-restart': 'true' },
        secret: { 'operator.1password.io/item-path': 'vaults/v/items/i' },
      },
      'the 1Password operator',
    ],
    [
      '1Password, not what it does not write',
      { on: { 'operator.1password.io/auto-restart': 'true' } },
      undefined,
    ],
  ])('%s', (_name, given, expected) => {
    expect(driver(given)).toBe(expected);
  });
});
