/** VaultStaticSecrets as this program writes them: v1beta1, for Vault Secrets Operator 0.5 and later. */
import type { JsonObject } from '../kube/json.ts';
import { apiVersionOf } from '../kube/object.ts';
import { vaultStaticSecret } from './vault.ts';

/** What the operator puts on each Secret that it owns, over whatever has these names. */
export const OWNER_LABELS: Readonly<Record<string, string>> = {
  'app.kubernetes.io/name': 'vault-secrets-operator',
  'app.kubernetes.io/managed-by': 'hashicorp-vso',
  'app.kubernetes.io/component': 'secret-sync',
};

export interface VaultStaticSecretWish {
  readonly namespace: string;
  readonly name: string;
  /** Of the resource itself. */
  readonly metadata: { readonly labels?: JsonObject; readonly annotations?: JsonObject };
  /** `[namespace/]name` of the VaultAuth; undefined: the operator's own default. */
  readonly auth?: string;
  /** Vault's own; '' for that of the VaultAuth. */
  readonly vaultNamespace: string;
  readonly mount: string;
  readonly type: 'kv-v1' | 'kv-v2';
  readonly path: string;
  readonly secret: {
    readonly name: string;
    readonly type: string;
    readonly labels?: JsonObject;
    readonly annotations?: JsonObject;
  };
  /** Keys whose values Vault keeps as base64. */
  readonly encoded: readonly string[];
}

/** floe's own promise: a change is there within a minute. The operator adds some of its own to it. */
export const REFRESH = '30s';

/**
 * It owns the Secret, which the operator takes over by `overwrite`. A type that is not the Secret's would have it deleted
 * and made again, and labels and annotations are all replaced by these. Without `excludeRaw` there would be a key `_raw`.
 */
export function vaultStaticSecretFor(wish: VaultStaticSecretWish): JsonObject {
  const { namespace, name, metadata, auth, vaultNamespace, mount, type, path, secret, encoded } = wish;
  const templates = encoded.map((key) => [key, { text: `{{ get .Secrets "${key}" | b64dec }}` }] as const);
  return {
    apiVersion: apiVersionOf(vaultStaticSecret.resource),
    kind: vaultStaticSecret.resource.kind,
    metadata: { name, namespace, ...metadata },
    spec: {
      ...(auth === undefined ? {} : { vaultAuthRef: auth }),
      ...(vaultNamespace === '' ? {} : { namespace: vaultNamespace }),
      mount,
      type,
      path,
      refreshAfter: REFRESH,
      destination: {
        ...secret,
        create: true,
        overwrite: true,
        transformation: {
          excludeRaw: true,
          ...(templates.length === 0 ? {} : { templates: Object.fromEntries(templates) }),
        },
      },
    },
  };
}
