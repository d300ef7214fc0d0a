import { expect, it } from 'vitest';
import { examineCertificates } from '../../src/cluster/diagnose-certificates.ts';
import type { Patient } from '../../src/cluster/patient.ts';
import { defaultConfig } from '../../src/config/config.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import type { ResourceKind } from '../../src/kube/object.ts';

const SECRET = { metadata: { name: 'floe-secrets-webhook-certificates' } };

/** What doctor says of the certificate, with these objects and no webhook configuration. */
async function examined(objects: Readonly<Record<string, JsonObject>>) {
  const patient = {
    name: 'floe-secrets-webhook',
    namespace: 'floe-secrets-system',
    now: 0,
    config: defaultConfig(),
    read: async ({ kind }: ResourceKind) => {
      const value = objects[kind];
      return value === undefined ? { state: 'absent' } : { state: 'read', value };
    },
  };
  const findings = await examineCertificates(patient as unknown as Patient);
  return findings.filter(({ check }) => check === 'certificates');
}

it('misses the certificate of an installation, and none of a webhook outside of the cluster', async () => {
  expect(await examined({})).toMatchObject([{ outcome: 'failed' }]);
  expect(await examined({ Secret: SECRET, Service: { spec: { type: 'ClusterIP' } } })).toMatchObject([
    { outcome: 'failed', message: 'Secret floe-secrets-webhook-certificates has no certificate yet' },
  ]);
  const outside = { spec: { type: 'ExternalName', externalName: 'localhost' } };
  expect(await examined({ Secret: SECRET, Service: outside })).toEqual([]);
});
