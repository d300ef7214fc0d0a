/** External Secrets Operator's resources, with a status as its controllers write it. */
import { list, textOf } from './manifest.ts';
import type { Manifest, Short } from './manifest.ts';
import { condition, resource, statusOf } from './status.ts';
import type { Maker } from './status.ts';

export const EXTERNAL_SECRETS: Readonly<Record<string, Maker>> = {
  ExternalSecret: (short) => {
    const status = statusOf(short, externalStatus);
    return resource(
      'ExternalSecret',
      { generation: 1, ...short },
      { spec: specOf(short), ...(status && { status }) },
    );
  },
  ClusterExternalSecret: (short) => {
    const failed = Object.entries((short['failed'] ?? {}) as Short).map(([namespace, reason]) => ({
      namespace,
      reason,
    }));
    const { namespaces, provisioned } = short;
    return resource('ClusterExternalSecret', short, {
      spec: {
        externalSecretName: short['external'] ?? short['target'] ?? short['name'],
        externalSecretSpec: specOf(short),
        ...(namespaces === undefined ? {} : { namespaces }),
      },
      ...(short['status'] === 'none'
        ? {}
        : {
            status: {
              conditions: [condition('Ready', failed.length === 0)],
              ...(provisioned === undefined ? {} : { provisionedNamespaces: provisioned }),
              ...(failed.length === 0 ? {} : { failedNamespaces: failed }),
            },
          }),
    });
  },
  SecretStore: (short) => storeOf('SecretStore', short),
  ClusterSecretStore: (short) => storeOf('ClusterSecretStore', short),
};

/** `target`, `policy` (creationPolicy), `store` (a name, or `ClusterSecretStore/name`), `keys`, `interval`. */
function specOf(short: Short): Manifest {
  const [kindOrName = '', name] = textOf(short['store'], 'floe-store').split('/');
  const reference =
    name === undefined ? { name: kindOrName, kind: 'SecretStore' } : { name, kind: kindOrName };
  return {
    refreshInterval: short['interval'] ?? '1h0m0s',
    secretStoreRef: reference,
    target: {
      ...(short['target'] === undefined ? {} : { name: short['target'] }),
      creationPolicy: short['policy'] ?? 'Owner',
    },
    data: list(short['keys'] ?? ['db']).map((key) => ({ secretKey: 'PASSWORD', remoteRef: { key } })),
  };
}

/** Words of `status`: ready, failing, missing (Merge without a Secret), deleted (everything upstream is gone). */
function externalStatus(word: string, short: Short): Manifest {
  const since = short['since'] ?? 'now-10m';
  const synced = {
    refreshTime: short['lastSync'] ?? 'now-2m',
    syncedResourceVersion: `${textOf(short['observed'], '1')}-ab12`,
    binding: { name: short['target'] ?? short['name'] },
  };
  const ready = (good: boolean, reason: string, message: string): Manifest =>
    condition('Ready', good, { reason, message: textOf(short['message'], message), since });
  switch (word) {
    case 'ready':
      return { ...synced, conditions: [ready(true, 'SecretSynced', 'secret synced')] };
    case 'missing':
      return {
        conditions: [ready(true, 'SecretMissing', 'secret will not be created due to CreationPolicy=Merge')],
      };
    case 'deleted':
      return {
        ...synced,
        conditions: [ready(true, 'SecretDeleted', 'secret deleted due to DeletionPolicy=Delete')],
      };
    case 'failing':
      return {
        ...(short['lastSync'] === undefined ? {} : synced),
        conditions: [ready(false, 'SecretSyncedError', 'could not get secret data from provider')],
      };
    default:
      throw new Error(`no status of an ExternalSecret: ${word}`);
  }
}

function storeOf(kind: string, short: Short): Manifest {
  const provider = textOf(short['provider'], 'vault');
  const status = statusOf(short, (word) => ({
    conditions: [
      word === 'ready'
        ? condition('Ready', true, { reason: 'Valid', message: 'store validated' })
        : condition('Ready', false, {
            reason: 'InvalidProviderConfig',
            message: textOf(short['message'], 'unable to validate store'),
          }),
    ],
  }));
  const { project, environment, path } = short;
  const scope = {
    ...(project === undefined ? {} : { projectSlug: project }),
    ...(environment === undefined ? {} : { environmentSlug: environment }),
    ...(path === undefined ? {} : { secretsPath: path }),
  };
  const settings = provider === 'infisical' ? { secretsScope: scope } : {};
  return resource(kind, short, { spec: { provider: { [provider]: settings } }, ...(status && { status }) });
}
