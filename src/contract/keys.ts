/** What users type and read: annotations, labels and names. One table; the README's is compared with it. */

export const PREFIX = 'secrets.floe.dev/';
export const PROGRAM = 'floe-secrets-webhook';

export const KEYS = {
  injection: `${PREFIX}injection`,
  enforcement: `${PREFIX}enforcement`,
  plugin: `${PREFIX}plugin`,
  inject: `${PREFIX}inject`,
  env: `${PREFIX}env`,
  files: `${PREFIX}files`,
  containers: `${PREFIX}containers`,
  requireKeys: `${PREFIX}require-keys`,
  pending: `${PREFIX}pending`,
  allowedSecrets: `${PREFIX}allowed-secrets`,
  allowedProjects: `${PREFIX}allowed-projects`,
  allowedServiceAccounts: `${PREFIX}allowed-service-accounts`,
  allowedProducts: `${PREFIX}allowed-products`,
  maxSyncAge: `${PREFIX}max-sync-age`,
  autoReload: `${PREFIX}auto-reload`,
  injected: `${PREFIX}injected`,
  versions: `${PREFIX}versions`,
  restartedAt: `${PREFIX}restartedAt`,
  retry: `${PREFIX}retry`,
  syncRequested: `${PREFIX}sync-requested`,
  controllers: `${PREFIX}controllers`,
  reloadPolling: `${PREFIX}reload-polling`,
} as const;

/** The scheduling gate of a pod that waits for its Secrets. */
export const GATE = `${PREFIX}pending`;

/** What the leader calls the controller that opens gates; pods get none while nobody runs it. */
export const GATES_CONTROLLER = 'gates';

/** floe's own keys: read as context, never written. */
export const FLOE = {
  environment: 'floe.dev/environment',
  productIdentity: 'floe.dev/product-identity',
} as const;

/** The ADR's annotation on an InfisicalSecret, read as `auto-reload`. */
export const INFISICAL_AUTO_RELOAD = 'secrets.infisical.com/auto-reload';

export const MIRROR_POD = 'kubernetes.io/config.mirror';

/** The key of a Secret that `env` means when it names none; floe's own plugin uses the same. */
export const DEFAULT_KEY = 'value';

export const MODES = ['audit', 'warn', 'strict'] as const;
export type Mode = (typeof MODES)[number];

export const PENDING_CHOICES = ['deny', 'gate', 'gate-missing'] as const;
export type PendingChoice = (typeof PENDING_CHOICES)[number];

/** Namespaces that are never judged, whatever their labels; `enforcement.exempt.namespaces` adds to them. */
export const OPERATOR_NAMESPACES = [
  'infisical',
  'infisical-operator',
  'infisical-operator-system',
  'external-secrets',
  'vault',
  'vault-secrets-operator-system',
  'doppler-operator-system',
  'sealed-secrets',
  'cert-manager',
] as const;
export const SYSTEM_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease'] as const;
export const DEFAULT_INSTALL_NAMESPACE = 'floe-secrets-system';
