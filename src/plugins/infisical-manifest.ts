/** InfisicalSecrets as this program writes them: v1alpha1, whose CRD every Infisical operator has, and v1beta1. */
import type { Json, JsonObject } from '../kube/json.ts';
import type { ResourceKind } from '../kube/object.ts';
import { apiVersionOf } from '../kube/object.ts';
import { infisicalStaticSecret } from './infisical-static-secret.ts';
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
  /** Whether folders below the path count too. */
  readonly recursive?: boolean;
  readonly login: OperatorLogin;
  readonly target?: TargetWish;
}

/** How the Secret is to be, where that is not as the operator makes one by itself. */
export interface TargetWish {
  /** Default the name of the resource. */
  readonly name?: string;
  readonly type?: string;
  /** `Owner`: the Secret goes with the resource; `Orphan`: it stays. Default Owner. */
  readonly creationPolicy?: 'Owner' | 'Orphan';
  /** Keys to Go templates, in which a secret of the folder is `.KEY.Value`: the Secret gets these keys and no others. */
  readonly template?: Readonly<Record<string, string>>;
  /** The operator copies those of the resource to the Secret. */
  readonly labels?: JsonObject;
  readonly annotations?: JsonObject;
}

/** floe's own promise: a change is there within a minute. */
const RESYNC = '1m';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function infisicalSecretFor(wish: InfisicalSecretWish): JsonObject {
  const { namespace, name, hostAPI, target = {} } = wish;
  const { type, template } = target;
  return {
    apiVersion: apiVersionOf(INFISICAL_SECRET),
    kind: INFISICAL_SECRET.kind,
    metadata: metadataOf(wish),
    spec: {
      hostAPI,
      syncConfig: { resyncInterval: RESYNC },
      authentication: authenticationOf(wish),
      managedKubeSecretReferences: [
        {
          secretName: target.name ?? name,
          secretNamespace: namespace,
          ...(type === undefined ? {} : { secretType: type }),
          creationPolicy: target.creationPolicy ?? 'Owner',
          ...(template === undefined ? {} : { template: { includeAllSecrets: false, data: template } }),
        },
      ],
    },
  };
}

function metadataOf({ namespace, name, target = {} }: Named & { readonly target?: TargetWish }): JsonObject {
  const { labels, annotations } = target;
  return {
    name,
    namespace,
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

export interface StaticSecretWish extends Named {
  /** The InfisicalAuth that it logs in by. */
  readonly auth: Named;
  /** Folders; of equal keys the first one's counts. */
  readonly sources: readonly {
    readonly project: string;
    readonly environment: string;
    readonly path: string;
  }[];
  readonly target?: TargetWish;
}

/** An InfisicalStaticSecret, v1beta1: of several folders, and where no operator of today takes the older kind. */
export function infisicalStaticSecretFor(wish: StaticSecretWish): JsonObject {
  const { namespace, name, auth, sources, target = {} } = wish;
  const { type, template } = target;
  return {
    apiVersion: apiVersionOf(infisicalStaticSecret.resource),
    kind: infisicalStaticSecret.resource.kind,
    metadata: metadataOf(wish),
    spec: {
      infisicalAuthRef: { name: auth.name, namespace: auth.namespace },
      syncOptions: { refreshInterval: RESYNC, instantUpdates: false },
      sources: sources.map(({ project, environment, path }) => ({
        [projectField(project)]: project,
        environmentSlug: environment,
        secretPath: path,
      })),
      targets: [
        {
          name: target.name ?? name,
          namespace,
          kind: 'Secret',
          ...(type === undefined ? {} : { secretType: type }),
          creationPolicy: target.creationPolicy ?? 'Owner',
          ...(template === undefined ? {} : { template: { engineVersion: 'v1', data: template } }),
        },
      ],
    },
  };
}

function projectField(project: string): string {
  return UUID.test(project) ? 'projectId' : 'projectSlug';
}

function authenticationOf(wish: InfisicalSecretWish): Json {
  const { project, environment, path, login } = wish;
  const secretsScope = {
    [projectField(project)]: project,
    envSlug: environment,
    secretsPath: path,
    recursive: wish.recursive ?? false,
  };
  return Object.fromEntries(
    Object.entries(loginOf(login)).map(([method, settings]) => [method, { ...settings, secretsScope }]),
  );
}

/** The method and its settings. */
export function loginOf(login: OperatorLogin): Readonly<Record<string, JsonObject>> {
  if ('credentials' in login) {
    const { namespace, name } = login.credentials;
    return { universalAuth: { credentialsRef: { secretName: name, secretNamespace: namespace } } };
  }
  const { namespace, name } = login.serviceAccount;
  return {
    kubernetesAuth: {
      identityId: login.identityId,
      serviceAccountRef: { name, namespace },
      autoCreateServiceAccountToken: true,
    },
  };
}

export interface PushWish extends Omit<InfisicalSecretWish, 'target' | 'recursive'> {
  /** The Secret that is read, in the same namespace. */
  readonly secret: string;
  /** Whether keys that are upstream already are overwritten. */
  readonly replaces: boolean;
  /** Whether they go with the resource. */
  readonly deletes: boolean;
  /** Keys upstream to Go templates, in which a key of the Secret is `.KEY.Value`. */
  readonly template: Readonly<Record<string, string>>;
  /** As the operator takes one: '1h'. Without it a change of the Secret alone makes it push. */
  readonly interval?: string;
}

/** An InfisicalPushSecret, v1alpha1. */
export function infisicalPushSecretFor(wish: PushWish): JsonObject {
  const { namespace, name, hostAPI, project, environment, path, secret, template, interval } = wish;
  return {
    apiVersion: apiVersionOf(INFISICAL_SECRET),
    kind: 'InfisicalPushSecret',
    metadata: { name, namespace },
    spec: {
      hostAPI,
      ...(interval === undefined ? {} : { resyncInterval: interval }),
      ...(wish.replaces ? { updatePolicy: 'Replace' } : {}),
      ...(wish.deletes ? { deletionPolicy: 'Delete' } : {}),
      destination: { [projectField(project)]: project, environmentSlug: environment, secretsPath: path },
      authentication: loginOf(wish.login),
      push: {
        secret: {
          secretName: secret,
          secretNamespace: namespace,
          template: { includeAllSecrets: false, data: template },
        },
      },
    },
  };
}
