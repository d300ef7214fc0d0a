// What Infisical's operator (v0.11) does, played by hand: no operator and no Infisical run in the demo.
import { crc32 } from 'node:zlib';
import type { JsonObject } from '../../src/kube/json.ts';
import { dig, text } from '../../src/kube/json.ts';
import { nameOf, namespaceOf, uidOf } from '../../src/kube/object.ts';
import type { Example, Stage } from './stage.ts';

const GROUP = 'secrets.infisical.com';

/** Writes the Secret that the InfisicalSecret targets and reports success. */
export async function sync(stage: Stage, owner: JsonObject, values: Readonly<Record<string, string>>) {
  await stage.apply(managedSecret(owner, values));
  const words = `Infisical controller has started syncing your secrets. Last reconcile synced ${Object.keys(values).length} secrets`;
  await stage.setStatus(owner, {
    conditions: [
      condition('LoadedInfisicalToken', 'True', 'OK', LOADED),
      condition('ReadyToSyncSecrets', 'True', 'OK', words),
      condition('AutoRedeployReady', 'True', 'OK', REDEPLOY),
    ],
  });
}

/** Reports what it does where the Secret with its machine identity is not there; no Secret is written. */
export async function failToSync(stage: Stage, owner: JsonObject): Promise<void> {
  await stage.setStatus(owner, {
    conditions: [
      condition(
        'LoadedInfisicalToken',
        'False',
        'Error',
        `Failed to load Infisical Token from the provided Kubernetes secret because: ${NO_CREDENTIALS}`,
      ),
      condition('ReadyToSyncSecrets', 'False', 'Error', FAILED),
      condition(
        'AutoRedeployReady',
        'False',
        'Stopped',
        `Auto redeployment has been stopped because the operator failed to sync secrets. Error: unable to authenticate [err=${NO_CREDENTIALS}]`,
      ),
    ],
  });
}

const LOADED =
  'Infisical controller has loaded the Infisical token in provided Kubernetes secret, using UNIVERSAL_MACHINE_IDENTITY authentication strategy';
const REDEPLOY =
  'Infisical has found 0 deployments which are ready to be auto redeployed when secrets change';
const NO_CREDENTIALS = 'no authentication method provided';
const FAILED = `Failed to sync secrets. This can be caused by invalid access token or an invalid API host that is set. Error: unable to authenticate [err=${NO_CREDENTIALS}]`;

function condition(type: string, status: string, reason: string, message: string): JsonObject {
  const lastTransitionTime = `${new Date().toISOString().slice(0, 19)}Z`;
  return { type: `${GROUP}/${type}`, status, reason, message, lastTransitionTime };
}

function managedSecret(owner: JsonObject, values: Readonly<Record<string, string>>): Example {
  const name = text(dig(owner, 'spec', 'managedSecretReference'), 'secretName') ?? nameOf(owner);
  const ownerReference = {
    apiVersion: `${GROUP}/v1alpha1`,
    kind: 'InfisicalSecret',
    name: nameOf(owner),
    uid: uidOf(owner),
    controller: true,
    blockOwnerDeletion: true,
  };
  const raw: JsonObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace: namespaceOf(owner),
      annotations: { [`${GROUP}/version`]: versionOf(values) },
      ownerReferences: [ownerReference],
    },
    type: 'Opaque',
    data: Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    ),
  };
  return { file: '-', raw };
}

/** The operator's mark on its Secrets: length and checksum of the sorted data. */
function versionOf(values: Readonly<Record<string, string>>): string {
  const data = Object.entries(values)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}\0${value}\0`)
    .join('');
  const sum = crc32(data).toString(16).toUpperCase().padStart(8, '0');
  return `W/"secrets-${Buffer.byteLength(data)}-${sum}"`;
}
