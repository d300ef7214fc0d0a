import { expect, it } from 'vitest';
import { targetSecretOf } from '../../src/migrate/standing-secret.ts';

const base64 = (bytes: Buffer | string): string => Buffer.from(bytes).toString('base64');

it('a Secret is told without its values: its keys, what is no text, and what is its own', () => {
  const target = targetSecretOf({
    metadata: {
      labels: { team: 'data', 'secrets.hashicorp.com/vso-ownerRefUID': 'u' },
      annotations: {
        'secrets.floe.dev/allowed-products': 'orders',
        'secrets.infisical.com/auto-reload': 'true',
        'secrets.infisical.com/version': 'etag',
        'secrets.infisical.com/managed-labels': 'team',
        'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"TEXT":"hunter2"}}',
        'reconcile.external-secrets.io/data-hash': 'x',
      },
    },
    type: 'kubernetes.io/tls',
    data: { TEXT: base64('plain'), BLANK: base64(' blank '), BYTES: base64(Buffer.from([0xff, 0x00])) },
  });
  expect(target).toEqual({
    keys: ['BLANK', 'BYTES', 'TEXT'],
    encoded: ['BLANK', 'BYTES'],
    binary: ['BYTES'],
    type: 'kubernetes.io/tls',
    immutable: false,
    metadata: {
      labels: { team: 'data' },
      annotations: {
        'secrets.floe.dev/allowed-products': 'orders',
        'secrets.infisical.com/auto-reload': 'true',
      },
    },
  });
});
