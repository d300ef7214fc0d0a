// Conditions as operator v0.11 wrote them on a real cluster, one resource a name. `T` shortens the type's prefix.
import type { Json } from '../../src/kube/json.ts';

const T = 'secrets.infisical.com';
const FLIPPED = '2026-11-22T03:47:40Z';
const FAILED =
  'Failed to sync secrets. This can be caused by invalid access token or an invalid API host that is set. Error: ';
const LOGIN =
  'authentication failed for strategy [UNIVERSAL_MACHINE_IDENTITY] [err=unable to login with machine identity credentials [err=APIError: CallUniversalAuthLogin unsuccessful response [POST http://127.0.0.1:28080/api/v1/auth/universal-auth/login] [status-code=401] [reqId=] [message="Invalid credentials"]]]';
const REFUSED =
  'failed to fetch secrets from API for managed secrets [err=\nfailed to get secrets because [err=unable to get secrets. [err=CallListSecretsV3Raw: unable to complete api request [err=Get "http://127.0.0.1:28090/api/v3/secrets/raw?environment=dev": dial tcp 127.0.0.1:28090: connect: connection refused]]]]';

function condition(type: string, status: 'True' | 'False', message: string, more: object = {}): Json {
  const reason = status === 'True' ? 'OK' : 'Error';
  return { type: `${T}/${type}`, status, reason, message, lastTransitionTime: FLIPPED, ...more };
}

const TOKEN = condition(
  'LoadedInfisicalToken',
  'True',
  'Infisical controller has loaded the Infisical token in provided Kubernetes secret, using UNIVERSAL_MACHINE_IDENTITY authentication strategy',
);
const NO_TOKEN = condition(
  'LoadedInfisicalToken',
  'False',
  `Failed to load Infisical Token from the provided Kubernetes secret because: ${LOGIN}`,
);
const synced = (count: number): Json =>
  condition(
    'ReadyToSyncSecrets',
    'True',
    `Infisical controller has started syncing your secrets. Last reconcile synced ${count} secrets`,
  );
const unsynced = (error: string): Json => condition('ReadyToSyncSecrets', 'False', FAILED + error);
const REDEPLOY = condition(
  'AutoRedeployReady',
  'True',
  'Infisical has found 0 deployments which are ready to be auto redeployed when secrets change',
);
const stopped = (error: string): Json =>
  condition(
    'AutoRedeployReady',
    'False',
    `Auto redeployment has been stopped because the operator failed to sync secrets. Error: ${error}`,
    { reason: 'Stopped' },
  );
const project =
  'failed to fetch secrets from API for managed secrets [err=\nfailed to get secrets because [err=unable to get secrets. [err=APIError: CallListSecretsV3Raw unsuccessful response [GET http://127.0.0.1:28080/api/v3/secrets/raw?environment=dev&workspaceId=00000000-0000-4000-8000-000000000000&workspaceSlug=] [status-code=404] [reqId=] [message="Project with ID \'00000000-0000-4000-8000-000000000000\' not found during bot lookup. Are you sure you are using the correct project ID?"]]]]';

/** InfisicalSecret, v1alpha1. */
export const SECRET_STATUSES = {
  good: [TOKEN, synced(2), REDEPLOY],
  // A path that an older server does not have: everything is True, and the Secret is empty.
  nothingFound: [TOKEN, synced(0), REDEPLOY],
  badCredentials: [NO_TOKEN, unsynced(`unable to authenticate [err=${LOGIN}]`), stopped(LOGIN)],
  noCredentials: [
    condition(
      'LoadedInfisicalToken',
      'False',
      'Failed to load Infisical Token from the provided Kubernetes secret because: no authentication method provided',
    ),
    unsynced('unable to authenticate [err=no authentication method provided]'),
    stopped('no authentication method provided'),
  ],
  missingProject: [TOKEN, unsynced(project), stopped(project)],
  serverDown: [TOKEN, unsynced(REFUSED), stopped(REFUSED)],
  // The Secret was deleted by hand: the operator says that it synced.
  secretDeleted: [
    TOKEN,
    synced(2),
    condition(
      'AutoRedeployReady',
      'False',
      'Failed reconcile deployments because: unable to fetch Kubernetes secret to update deployment: Secret "live-managed" not found',
    ),
  ],
  tokenOnly: [TOKEN],
  tokenFailedOnly: [NO_TOKEN],
} as const satisfies Readonly<Record<string, readonly Json[]>>;

const observed = (generation: number): object => ({ observedGeneration: generation });
const METHOD = condition('LastReconcileAuthMethod', 'True', 'universal', observed(1));
const AFFECTED = condition(
  'LastReconcileAffectedDeployments',
  'True',
  '0 deployments were redeployed due to secret changes',
  observed(1),
);
const reconciled = (generation: number): Json =>
  condition('LastReconcileStatus', 'True', 'Reconciliation successful', observed(generation));
const notReconciled = (message: string): Json =>
  condition('LastReconcileStatus', 'False', `Reconciliation failed: ${message}`, observed(1));
const success = (time: string, generation = 1): Json =>
  condition('LastSuccessfulReconcileAt', 'True', time, observed(generation));

/** InfisicalStaticSecret, v1beta1. */
export const STATIC_STATUSES = {
  good: [METHOD, AFFECTED, reconciled(1), success('2026-11-22T03:59:58Z')],
  generationTwo: [reconciled(2), success('2026-11-22T03:00:00Z', 2)],
  badCredentials: [notReconciled('InfisicalAuth is not ready')],
  missingPath: [
    METHOD,
    notReconciled(
      'unable to fetch all secret sources: failed to list secrets [status=404, body={"reqId":"req-2229d1c1","statusCode":404,"message":"Folder with path \'/nope\' in environment \'dev\' was not found.","error":"SecretPathNotFound"}]',
    ),
  ],
  serverDown: [
    METHOD,
    AFFECTED,
    notReconciled(
      'unable to fetch all secret sources: failed to list secrets: Get "http://127.0.0.1:28090/api/v4/secrets?environment=dev": dial tcp 127.0.0.1:28090: connect: connection refused',
    ),
    success('2026-11-22T04:01:16Z'),
  ],
  tooMany: [notReconciled('unable to fetch all secret sources: too many requests')],
} as const satisfies Readonly<Record<string, readonly Json[]>>;
