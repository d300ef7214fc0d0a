/** The codes of findings. A code that is retired is never used again. */

export type Severity = 'error' | 'warning';

export const REASONS = {
  'FLOE-E801': { severity: 'error', meaning: 'Secret not found' },
  'FLOE-E802': { severity: 'error', meaning: 'key not in the Secret' },
  'FLOE-E803': { severity: 'error', meaning: 'not synced: Pending, Failed, Empty or Gone' },
  'FLOE-E804': {
    severity: 'error',
    meaning:
      'no plugin of the chain claims the Secret: no sync resource targets it, or its CRD is not installed',
  },
  'FLOE-E805': {
    severity: 'error',
    meaning:
      'an annotation or reference that cannot be parsed, names no such container, or is not a valid name',
  },
  'FLOE-E806': { severity: 'warning', meaning: 'stale: the Secret is there, its sync fails or is old' },
  'FLOE-E807': {
    severity: 'error',
    meaning:
      '`/validate` only: the pod asked for an injection that it does not carry (the mutating call was skipped)',
  },
  'FLOE-E810': {
    severity: 'error',
    meaning: 'this namespace, service account or product may not use this Secret or project',
  },
  'FLOE-E811': {
    severity: 'error',
    meaning: 'environment of the sync resource and of the namespace differ',
  },
  'FLOE-E812': { severity: 'warning', meaning: 'a literal that looks like a credential in `env`' },
  'FLOE-E813': {
    severity: 'warning',
    meaning: 'two sources set the same variable, or a key is not usable as a variable name',
  },
  'FLOE-E814': {
    severity: 'warning',
    meaning: 'several sync resources target this Secret, or one of another namespace does',
  },
  'FLOE-E815': { severity: 'warning', meaning: 'a sync resource uses credentials of another namespace' },
  'FLOE-E820': { severity: 'error', meaning: 'the Kubernetes API could not be asked' },
  'FLOE-E821': {
    severity: 'error',
    meaning: 'the Kubernetes API refused (RBAC); the message names the missing permission',
  },
  'FLOE-E830': { severity: 'warning', meaning: "Secret name breaks floe's naming rule" },
} as const satisfies Record<string, { severity: Severity; meaning: string }>;

export type Code = keyof typeof REASONS;

/** The states of a reference, in the order of the contract's section 4. */
export const STATES = [
  'Synced',
  'Unknown',
  'Optional',
  'Failed',
  'Pending',
  'Gone',
  'Missing',
  'Empty',
  'KeysMissing',
  'Stale',
  'Unmanaged',
] as const;
export type State = (typeof STATES)[number];
