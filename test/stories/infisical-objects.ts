/** Infisical's sync resources, with a status as its operator writes it. */
import { INFISICAL, list, NAMESPACE, textOf } from './manifest.ts';
import type { Manifest, Short } from './manifest.ts';
import { condition, resource, statusOf, targetOf } from './status.ts';
import type { Maker } from './status.ts';

export const INFISICAL_OBJECTS: Readonly<Record<string, Maker>> = {
  InfisicalSecret: infisicalSecret,
  InfisicalStaticSecret: staticSecret,
  InfisicalDynamicSecret: dynamicSecret,
  InfisicalAuth: (short) => readiness('InfisicalAuth', short),
  InfisicalConnection: (short) => readiness('InfisicalConnection', short),
};

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
  const status = statusOf(short, infisicalConditions);
  return resource('InfisicalSecret', short, {
    spec: {
      syncConfig: { resyncInterval: short['interval'] ?? '1m' },
      authentication: { universalAuth: { credentialsRef, secretsScope: scope } },
      ...(short['target'] === undefined ? {} : { managedSecretReference: reference(short['target']) }),
      ...(short['targets'] === undefined
        ? {}
        : { managedKubeSecretReferences: list(short['targets']).map(reference) }),
    },
    ...(status && { status }),
  });
}

/** An InfisicalStaticSecret (v1beta1) of its short form. */
function staticSecret(short: Short): Manifest {
  const source = {
    projectSlug: short['project'] ?? 'data-platform',
    environmentSlug: short['environment'] ?? 'dev',
    secretPath: '/compute',
  };
  const status = statusOf(short, staticConditions);
  return resource(
    'InfisicalStaticSecret',
    { generation: 1, ...short },
    {
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
      },
      ...(status && { status }),
    },
  );
}

/** `leased` and `expires` are the lease's times. */
function dynamicSecret(short: Short): Manifest {
  const home = textOf(short['namespace'], NAMESPACE);
  const { name, namespace } = targetOf(short['target'], short);
  const status = statusOf(short, (word) => ({
    conditions: [
      condition(`${INFISICAL}/Reconcile`, word === 'ready', {
        reason: word === 'ready' ? 'OK' : 'Error',
        message: textOf(short['message'], word === 'ready' ? 'Reconciled' : 'unable to create lease'),
        since: short['since'] ?? 'now-10m',
      }),
    ],
    ...(word === 'ready' || short['leased'] !== undefined
      ? {
          lease: {
            id: 'l-1',
            version: 1,
            creationTimestamp: short['leased'] ?? 'now-10m',
            expiresAt: short['expires'] ?? 'now+50m',
          },
        }
      : {}),
  }));
  return resource('InfisicalDynamicSecret', short, {
    spec: {
      managedSecretReference: { secretName: name, secretNamespace: namespace, creationPolicy: 'Orphan' },
      authentication: {
        universalAuth: {
          credentialsRef: {
            secretName: 'infisical-credentials',
            secretNamespace: short['credentials'] ?? home,
          },
        },
      },
      dynamicSecret: {
        secretName: 'postgres',
        secretsPath: '/compute',
        environmentSlug: short['environment'] ?? 'dev',
        projectSlug: short['project'] ?? 'data-platform',
      },
      leaseRevocationPolicy: 'Revoke',
      leaseTTL: '1h',
    },
    ...(status && { status }),
  });
}

/** InfisicalAuth or InfisicalConnection: `connection` is the one behind an InfisicalAuth. */
function readiness(kind: string, short: Short): Manifest {
  const status = statusOf(short, (word) => ({
    conditions: [
      condition(`${INFISICAL}/IsReady`, word === 'ready', {
        reason: word === 'ready' ? 'Ok' : 'Error',
        message: textOf(short['message'], `${kind} is ready to be used.`),
      }),
    ],
  }));
  const reference = { name: short['connection'], namespace: short['namespace'] ?? NAMESPACE };
  const spec = short['connection'] === undefined ? {} : { infisicalConnectionRef: reference };
  return resource(kind, short, { spec, ...(status && { status }) });
}

/** As the operator writes them; texts from real runs of version 0.11. */
function infisicalConditions(status: string, short: Short): Manifest {
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
  return {
    conditions: [
      at('LoadedInfisicalToken', !token, token ? 'Error' : 'OK', token ? noToken : loaded),
      at('ReadyToSyncSecrets', ready, ready ? 'OK' : 'Error', ready ? synced : failed),
      at('AutoRedeployReady', status === 'ready', status === 'ready' ? 'OK' : 'Stopped', found),
    ],
  };
}

function staticConditions(word: string, short: Short): Manifest {
  const good = word === 'ready';
  const observedGeneration = short['observed'] ?? short['generation'] ?? 1;
  const error = textOf(short['message'], 'InfisicalAuth is not ready');
  const words = {
    reason: good ? 'OK' : 'Error',
    message: good ? 'Reconciliation successful' : `Reconciliation failed: ${error}`,
    since: short['since'] ?? 'now-10m',
    observedGeneration,
  };
  const lastSync = short['lastSync'] ?? (good ? 'now-30s' : undefined);
  return {
    conditions: [
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
    ],
  };
}
