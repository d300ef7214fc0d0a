/** An InfisicalSecret as this program writes one: v1alpha1, whose CRD every Infisical operator has. */
import type { Json, JsonObject } from '../kube/json.ts';
import type { ResourceKind } from '../kube/object.ts';
import { apiVersionOf } from '../kube/object.ts';
import { infisicalSecret } from './infisical.ts';

/** The kind that is written. */
export const INFISICAL_SECRET: ResourceKind = infisicalSecret.resource;

/** How the operator logs in. */
export type OperatorLogin =
  /** Universal Auth by a Secret with `clientId` and `clientSecret`. */
  | { readonly credentials: Named }
  /** Kubernetes auth: the operator makes a token of this service account itself. */
  | { readonly identityId: string; readonly serviceAccount: Named };

interface Named {
  readonly namespace: string;
  readonly name: string;
}

export interface InfisicalSecretWish extends Named {
  readonly hostAPI: string;
  /** Slug or id. */
  readonly project: string;
  readonly environment: string;
  readonly path: string;
  readonly login: OperatorLogin;
  /** The Secret that it writes; default its own name. */
  readonly target?: string;
}

/** floe's own promise: a change is there within a minute. */
const RESYNC = '1m';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function infisicalSecretFor(wish: InfisicalSecretWish): JsonObject {
  const { namespace, name, hostAPI } = wish;
  return {
    apiVersion: apiVersionOf(INFISICAL_SECRET),
    kind: INFISICAL_SECRET.kind,
    metadata: { name, namespace },
    spec: {
      hostAPI,
      syncConfig: { resyncInterval: RESYNC },
      authentication: authenticationOf(wish),
      managedKubeSecretReferences: [
        { secretName: wish.target ?? name, secretNamespace: namespace, creationPolicy: 'Owner' },
      ],
    },
  };
}

function authenticationOf({ project, environment, path, login }: InfisicalSecretWish): Json {
  const secretsScope = {
    [UUID.test(project) ? 'projectId' : 'projectSlug']: project,
    envSlug: environment,
    secretsPath: path,
    recursive: false,
  };
  if ('credentials' in login) {
    const { namespace, name } = login.credentials;
    return {
      universalAuth: { credentialsRef: { secretName: name, secretNamespace: namespace }, secretsScope },
    };
  }
  const { namespace, name } = login.serviceAccount;
  return {
    kubernetesAuth: {
      identityId: login.identityId,
      serviceAccountRef: { name, namespace },
      autoCreateServiceAccountToken: true,
      secretsScope,
    },
  };
}
