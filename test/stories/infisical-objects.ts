/** Infisical's sync resources, with a status as its operator writes it. */
import { asShort, INFISICAL, list, manifest, NAMESPACE, textOf } from './manifest.ts';
import type { Manifest, Short } from './manifest.ts';

/** An InfisicalSecret (v1alpha1) of its short form. */
export function infisicalSecret(short: Short): Manifest {
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

/** An InfisicalStaticSecret (v1beta1) of its short form. */
export function staticSecret(short: Short): Manifest {
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
  const error = textOf(
    short['message'],
    'CallListSecretsV3Raw: unable to complete api request: connection refused',
  );
  const at = (type: string, good: boolean, reason: string, message: string): Manifest =>
    condition(`${INFISICAL}/${type}`, good, { reason, message, since });
  const failed = `Failed to sync secrets. This can be caused by invalid access token or an invalid API host that is set. Error: ${error}`;
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
  const error = textOf(short['message'], 'InfisicalAuth is not ready');
  const words = {
    reason: good ? 'OK' : 'Error',
    message: good ? 'Reconciliation successful' : `Reconciliation failed: ${error}`,
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
  return { namespace: textOf(short['namespace'], NAMESPACE), name: first };
}
