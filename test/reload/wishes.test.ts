import { expect, test } from 'vitest';
import { NAMESPACE, SERVICE_ACCOUNT } from '../../src/kube/object.ts';
import { isWished, wishOf } from '../../src/reload/wishes.ts';
import { object, workload } from './setup.ts';

const KEY = 'secrets.floe.dev/auto-reload';
const above = (value: string) => ({ raw: { metadata: { name: 'x', annotations: { [KEY]: value } } } });
const account = (value: string) => ({ kind: SERVICE_ACCOUNT, ...above(value) });
const namespace = (value: string) => ({ kind: NAMESPACE, ...above(value) });
const NOBODY = { serviceAccount: undefined, namespace: undefined };

test.each([
  ['nobody', workload(), NOBODY, 'some'],
  ['the workload', workload('Deployment', { annotations: { [KEY]: 'true' } }), NOBODY, 'every'],
  ['its template', workload('Deployment', { templateAnnotations: { [KEY]: 'true' } }), NOBODY, 'every'],
  ['its ServiceAccount', workload(), { ...NOBODY, serviceAccount: account('true') }, 'every'],
  ['its Namespace', workload(), { ...NOBODY, namespace: namespace('true') }, 'every'],
  ['no other word', workload('Deployment', { annotations: { [KEY]: 'yes' } }), NOBODY, 'some'],
  [
    'a refusal over everything above',
    workload('Deployment', { annotations: { [KEY]: 'false' } }),
    { serviceAccount: account('true'), namespace: namespace('true') },
    'never',
  ],
  [
    'a refusal in the template',
    workload('Deployment', { annotations: { [KEY]: 'true' }, templateAnnotations: { [KEY]: 'false' } }),
    NOBODY,
    'never',
  ],
  ['no refusal above', workload(), { ...NOBODY, namespace: namespace('false') }, 'some'],
] as const)('asked by %s', (_name, one, levels, expected) => {
  expect(wishOf(one, levels)).toBe(expected);
});

test.each([
  ['a Secret', { [KEY]: 'true' }, [], true],
  ['a Secret that was not read', undefined, [], false],
  ['a sync resource', {}, [object('external-secrets.io', 'ExternalSecret', above('true').raw)], true],
  [
    "the ADR's annotation on an InfisicalSecret",
    {},
    [
      object('secrets.infisical.com', 'InfisicalSecret', {
        metadata: { annotations: { 'secrets.infisical.com/auto-reload': 'true' } },
      }),
    ],
    true,
  ],
  [
    "the ADR's annotation on anything else",
    {},
    [
      object('external-secrets.io', 'ExternalSecret', {
        metadata: { annotations: { 'secrets.infisical.com/auto-reload': 'true' } },
      }),
    ],
    false,
  ],
  ['nobody', {}, [object('secrets.infisical.com', 'InfisicalSecret', {})], false],
] as const)('asked on %s', (_name, annotations, claimants, expected) => {
  expect(isWished(annotations, claimants)).toBe(expected);
});
