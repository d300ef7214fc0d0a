/** An InfisicalSecret as its operator leaves it, for the controllers' tests. */
import type { JsonObject } from '../../src/kube/json.ts';
import { NOON } from './reign.ts';

/** Of a Secret of its own name; what failed says 'it broke'. */
export function infisicalSecret(secretName: string, isGood: boolean): JsonObject {
  const condition = {
    type: 'secrets.infisical.com/ReadyToSyncSecrets',
    status: isGood ? 'True' : 'False',
    lastTransitionTime: new Date(NOON).toISOString(),
    message: 'it broke',
  };
  return {
    metadata: { name: secretName, namespace: 'floe-jobs', creationTimestamp: '2026-11-27T11:00:00Z' },
    spec: { managedKubeSecretReferences: [{ secretName, secretNamespace: 'floe-jobs' }] },
    status: { conditions: [condition] },
  };
}
