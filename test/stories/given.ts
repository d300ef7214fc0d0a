/** The short forms of `given`, and the manifests that they stand for. */
import { infisicalSecret, staticSecret } from './infisical-objects.ts';
import { asShort, INFISICAL, list, manifest, metadataOf, pick, VALUE } from './manifest.ts';
import type { Manifest, Short } from './manifest.ts';

const MAKERS: Readonly<Record<string, (short: Short) => Manifest>> = {
  Secret: secret,
  InfisicalSecret: infisicalSecret,
  InfisicalStaticSecret: staticSecret,
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
  SecretProviderClass: (short) => ({
    ...manifest(short, 'secrets-store.csi.x-k8s.io/v1', 'SecretProviderClass'),
    spec: {
      provider: 'vault',
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
