/** The short forms of `given`, and the manifests that they stand for. */
import { createHash } from 'node:crypto';

export type Manifest = Readonly<Record<string, unknown>>;
type Short = Readonly<Record<string, unknown>>;

export const NAMESPACE = 'floe-jobs';
export const OWN_PREFIX = 'secrets.floe.dev/';
const INFISICAL = 'secrets.infisical.com';

/** A value that no answer may ever show; every Secret of every story holds it. */
export const VALUE = 'never-shown-7c1d';

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

/** Annotations without a slash belong to this project's prefix; of the labels, `injection` and `enforcement`. */
export function prefixed(keys: unknown, own = (_key: string) => true): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(asShort(keys)).map(([key, value]) => [
      key.includes('/') || !own(key) ? key : OWN_PREFIX + key,
      String(value),
    ]),
  );
}

export function prefixedLabels(labels: unknown): Readonly<Record<string, string>> {
  return prefixed(labels, (key) => key === 'injection' || key === 'enforcement');
}

/** The uid of an object that has none yet: the same for the same kind and name. */
export function uidOf(kindAndName: string): string {
  const hash = createHash('sha256').update(kindAndName).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  ReplicaSet: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Deployment: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
  InfisicalSecret: `${INFISICAL}/v1alpha1`,
  InfisicalStaticSecret: `${INFISICAL}/v1beta1`,
};

/** An ownerReference with `controller: true`; `uid:Kind/name` is filled in where the story is rendered. */
export function ownerReference(owner: unknown): Manifest {
  if (typeof owner !== 'string') return asShort(owner);
  const [kind = '', name = 'made-up'] = owner.split('/');
  return {
    apiVersion: API_VERSIONS[kind] ?? 'v1',
    kind,
    name,
    uid: `uid:${kind}/${name}`,
    controller: true,
    blockOwnerDeletion: true,
  };
}

function manifest(short: Short, apiVersion: string, kind: string): Manifest {
  return { apiVersion, kind, metadata: metadataOf({ ...short, kind }) };
}

function metadataOf(short: Short): Manifest {
  const owner = short['owner'] ?? short['ownedBy'];
  const known = ['generation', 'managedFields', 'deletionTimestamp', 'finalizers', 'ownerReferences'];
  return {
    name: short['name'],
    ...(short['kind'] === 'Namespace' ? {} : { namespace: short['namespace'] ?? NAMESPACE }),
    uid: short['uid'] ?? `uid:${String(short['kind'] ?? '')}/${String(short['name'])}`,
    resourceVersion: '4711',
    creationTimestamp: short['created'] ?? short['creationTimestamp'] ?? 'now-1h',
    ...(short['labels'] === undefined ? {} : { labels: prefixedLabels(short['labels']) }),
    ...(short['annotations'] === undefined ? {} : { annotations: prefixed(short['annotations']) }),
    ...(owner === undefined ? {} : { ownerReferences: [ownerReference(owner)] }),
    ...pick(short, known),
  };
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

function infisicalSecret(short: Short): Manifest {
  const reference = (target: unknown): Manifest => {
    const { name, namespace } = targetOf(target, short);
    return { secretName: name, secretNamespace: namespace, secretType: 'Opaque', creationPolicy: 'Orphan' };
  };
  const home = short['namespace'] ?? NAMESPACE;
  const scope = {
    ...(short['project'] === null ? {} : { projectSlug: short['project'] ?? 'data-platform' }),
    envSlug: short['environment'] ?? 'dev',
    secretsPath: '/compute',
  };
  const credentialsRef = {
    secretName: 'infisical-credentials',
    secretNamespace: short['credentials'] ?? home,
  };
  return {
    ...manifest(short, `${INFISICAL}/v1alpha1`, 'InfisicalSecret'),
    spec: {
      syncConfig: { resyncInterval: short['interval'] ?? '1m' },
      authentication: { universalAuth: { credentialsRef, secretsScope: scope } },
      ...(short['target'] === undefined ? {} : { managedSecretReference: reference(short['target']) }),
      ...(short['targets'] === undefined
        ? {}
        : { managedKubeSecretReferences: list(short['targets']).map(reference) }),
      ...asShort(short['spec']),
    },
    ...statusOf(short, infisicalConditions),
  };
}

function staticSecret(short: Short): Manifest {
  const source = {
    projectSlug: short['project'] ?? 'data-platform',
    environmentSlug: short['environment'] ?? 'dev',
    secretPath: '/compute',
  };
  return {
    ...manifest({ generation: 1, ...short }, `${INFISICAL}/v1beta1`, 'InfisicalStaticSecret'),
    spec: {
      infisicalAuthRef: {
        name: 'infisical-auth',
        namespace: short['credentials'] ?? short['namespace'] ?? NAMESPACE,
      },
      syncOptions: { refreshInterval: short['interval'] ?? '1m', instantUpdates: false },
      sources: [source],
      targets: list(short['targets'] ?? [short['target']]).map((target) => ({
        ...targetOf(target, short),
        kind: 'Secret',
        creationPolicy: 'Owner',
      })),
      ...asShort(short['spec']),
    },
    ...statusOf(short, staticConditions),
  };
}

function statusOf(short: Short, conditions: (short: Short) => readonly Manifest[]): Manifest {
  const status = short['status'] ?? 'ready';
  if (status === 'none') return {};
  return { status: typeof status === 'string' ? { conditions: conditions({ ...short, status }) } : status };
}

/** As the operator writes them; texts from real runs of version 0.11. */
function infisicalConditions(short: Short): readonly Manifest[] {
  const status = String(short['status']);
  const since = short['since'] ?? 'now-10m';
  const error =
    short['message'] ?? 'CallListSecretsV3Raw: unable to complete api request: connection refused';
  const at = (type: string, good: boolean, reason: string, message: string): Manifest =>
    condition(`${INFISICAL}/${type}`, good, { reason, message, since });
  const failed = `Failed to sync secrets. This can be caused by invalid access token or an invalid API host that is set. Error: ${String(error)}`;
  const synced = 'Infisical controller has started syncing your secrets. Last reconcile synced 2 secrets';
  const loaded =
    'Infisical controller has loaded the Infisical token in provided Kubernetes secret, using UNIVERSAL_MACHINE_IDENTITY authentication strategy';
  const noToken =
    'Failed to load Infisical Token from the provided Kubernetes secret because: Invalid credentials';
  const found = 'Infisical has found 0 deployments which are ready to be auto redeployed when secrets change';
  const ready = status === 'ready' || status === 'deleted';
  const token = status === 'badCredentials';
  return [
    at('LoadedInfisicalToken', !token, token ? 'Error' : 'OK', token ? noToken : loaded),
    at('ReadyToSyncSecrets', ready, ready ? 'OK' : 'Error', ready ? synced : failed),
    at('AutoRedeployReady', status === 'ready', status === 'ready' ? 'OK' : 'Stopped', found),
  ];
}

function staticConditions(short: Short): readonly Manifest[] {
  const good = short['status'] === 'ready';
  const observedGeneration = short['observed'] ?? short['generation'] ?? 1;
  const error = short['message'] ?? 'InfisicalAuth is not ready';
  const words = {
    reason: good ? 'OK' : 'Error',
    message: good ? 'Reconciliation successful' : `Reconciliation failed: ${String(error)}`,
    since: short['since'] ?? 'now-10m',
    observedGeneration,
  };
  const lastSync = short['lastSync'] ?? (good ? 'now-30s' : undefined);
  return [
    condition(`${INFISICAL}/LastReconcileStatus`, good, words),
    ...(lastSync === undefined
      ? []
      : [
          condition(`${INFISICAL}/LastSuccessfulReconcileAt`, true, {
            ...words,
            reason: 'OK',
            message: lastSync,
          }),
        ]),
  ];
}

function condition(type: string, good: boolean, words: Readonly<Record<string, unknown>>): Manifest {
  const { since, ...rest } = words;
  return { type, status: good ? 'True' : 'False', lastTransitionTime: since, ...rest };
}

function targetOf(target: unknown, short: Short): { readonly name: string; readonly namespace: string } {
  const [first = '', second] = String(target).split('/');
  if (second !== undefined) return { namespace: first, name: second };
  return { namespace: String(short['namespace'] ?? NAMESPACE), name: first };
}

function podTemplate(restartPolicy: string): Manifest {
  return { spec: { restartPolicy, containers: [{ name: 'dbt', image: 'ghcr.io/floe/dbt:1' }] } };
}

export function asShort(value: unknown): Short {
  return typeof value === 'object' && value !== null ? (value as Short) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function pick(short: Short, keys: readonly string[]): Manifest {
  return Object.fromEntries(keys.filter((key) => short[key] !== undefined).map((key) => [key, short[key]]));
}
