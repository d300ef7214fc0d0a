/** The short forms of `given`, and the manifests that they stand for. */
import { EXTERNAL_SECRETS } from './external-objects.ts';
import { INFISICAL_OBJECTS } from './infisical-objects.ts';
import { asShort, INFISICAL, list, manifest, metadataOf, pick, VALUE } from './manifest.ts';
import type { Manifest, Short } from './manifest.ts';
import { OPERATOR_OBJECTS } from './operator-objects.ts';
import { resource } from './status.ts';
import type { Maker } from './status.ts';
import { VAULT_OBJECTS } from './vault-objects.ts';

const MAKERS: Readonly<Record<string, Maker>> = {
  Secret: secret,
  ...INFISICAL_OBJECTS,
  ...EXTERNAL_SECRETS,
  ...VAULT_OBJECTS,
  ...OPERATOR_OBJECTS,
  Namespace: (short) => manifest(short, 'v1', 'Namespace'),
  ServiceAccount: (short) => ({
    ...manifest(short, 'v1', 'ServiceAccount'),
    ...pick(short, ['imagePullSecrets']),
  }),
  Job: (short) => ({ ...manifest(short, 'batch/v1', 'Job'), spec: { template: podTemplate('Never') } }),
  CronJob: (short) => ({
    ...manifest(short, 'batch/v1', 'CronJob'),
    spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template: podTemplate('Never') } } },
  }),
  Lease: (short) => {
    const controllers = { 'secrets.floe.dev/controllers': list(short['runs']).join(',') };
    const lease = {
      name: 'floe-secrets-webhook',
      namespace: 'floe-secrets-system',
      annotations: controllers,
    };
    return {
      ...manifest(lease, 'coordination.k8s.io/v1', 'Lease'),
      spec: { holderIdentity: short['name'], leaseDurationSeconds: 15 },
    };
  },
  SecretProviderClass: (short) =>
    resource('SecretProviderClass', short, {
      spec: {
        provider: short['provider'] ?? 'vault',
        secretObjects: list(short['secrets']).map((secretName) => ({ secretName, type: 'Opaque', data: [] })),
      },
    }),
};

/** The whole manifest of a short form; a manifest with a `kind` is one already. */
export function manifestOf(short: Short): Manifest {
  if (typeof short['kind'] === 'string') {
    return { ...short, metadata: metadataOf({ kind: short['kind'], ...asShort(short['metadata']) }) };
  }
  const kind = Object.keys(MAKERS).find((name) => typeof short[name] === 'string');
  if (kind === undefined) throw new Error(`no short form: ${JSON.stringify(short)}`);
  return MAKERS[kind]?.({ ...short, name: short[kind] }) ?? {};
}

function secret(short: Short): Manifest {
  const name = String(short['name']);
  const keys = list(short['keys'] ?? [`${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_PASSWORD`]);
  const mark = { [`${INFISICAL}/version`]: 'W/"secrets-48-80C15C79"' };
  const annotations = { ...(short['mark'] === true ? mark : {}), ...asShort(short['annotations']) };
  return {
    ...manifest({ ...short, annotations }, 'v1', 'Secret'),
    type: short['type'] ?? 'Opaque',
    data: Object.fromEntries(keys.map((key) => [String(key), Buffer.from(VALUE).toString('base64')])),
  };
}

function podTemplate(restartPolicy: string): Manifest {
  return { spec: { restartPolicy, containers: [{ name: 'dbt', image: 'ghcr.io/floe/dbt:1' }] } };
}
