/**
 * Other reloaders that restart a workload for a Secret: what tells them to, and what they can see. All of them read
 * templates, so what is injected into pods is theirs only where they are told names.
 */
import { matchesGlob } from '../contract/globs.ts';
import { INFISICAL_AUTO_RELOAD } from '../contract/keys.ts';
import { asArray, dig, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { namespaceOf } from '../kube/object.ts';
import type { SecretUse, WorkloadRecord } from '../kube/running.ts';

/** A Secret as far as reloaders look at it. */
export interface DrivenSecret {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** The sync resources that write it. */
  readonly claimants: readonly KubeObject[];
}

type Drives = (workload: WorkloadRecord, secret: DrivenSecret) => boolean;

const OTHERS: readonly (readonly [name: string, drives: Drives])[] = [
  ['Stakater Reloader', stakater],
  ['the Infisical operator', infisical],
  ['the Vault Secrets Operator', vault],
  ['the Doppler operator', doppler],
  ['the 1Password operator', onepassword],
];

/** Who else restarts this workload when this Secret changes; undefined where nobody does. */
export function otherReloader(workload: WorkloadRecord, secret: DrivenSecret): string | undefined {
  return OTHERS.find(([, drives]) => drives(workload, secret))?.[0];
}

const STAKATER = 'reloader.stakater.com/';
const BY_NAME = `secret.${STAKATER}reload`;
const AUTO = [`${STAKATER}auto`, `secret.${STAKATER}auto`] as const;
const SEARCH = `${STAKATER}search`;
const EXCLUDED = `secrets.exclude.${STAKATER}reload`;
/** As Go's `strconv.ParseBool` reads it. */
const YES = /^(1|t|T|TRUE|true|True)$/;

/** The workload's annotations count, or where none of them is there the template's. */
function stakater(workload: WorkloadRecord, secret: DrivenSecret): boolean {
  const isTold = [BY_NAME, ...AUTO, SEARCH].some((key) => workload.annotations[key] !== undefined);
  const told = isTold ? workload.annotations : workload.templateAnnotations;
  if (secret.annotations[`${STAKATER}ignore`] === 'true') return false;
  if (namesOf(workload.annotations[EXCLUDED]).includes(secret.name)) return false;
  // Told by name, it restarts also what does not refer to the Secret.
  if (namesOf(told[BY_NAME]).some((pattern) => matchesPattern(pattern, secret.name))) return true;
  const found = told[SEARCH] === 'true' && secret.annotations[`${STAKATER}match`] === 'true';
  return (found || AUTO.some((key) => YES.test(told[key] ?? ''))) && isSeen(workload, secret, () => true);
}

function namesOf(written: string | undefined): readonly string[] {
  return (written ?? '').split(',').map((name) => name.trim());
}

/** It takes regular expressions. A stranger's is not run here: names and `.*` are understood, others are not. */
function matchesPattern(pattern: string, name: string): boolean {
  return /^([-a-z0-9.]|\.\*)+$/.test(pattern) && matchesGlob(pattern.replaceAll('.*', '*'), name);
}

const APPS = ['Deployment', 'StatefulSet', 'DaemonSet'];

/** v1alpha1 looks at containers only, v1beta1 at init containers too. */
function infisical(workload: WorkloadRecord, secret: DrivenSecret): boolean {
  if (workload.annotations[INFISICAL_AUTO_RELOAD] !== 'true' || !APPS.includes(workload.kind.kind))
    return false;
  return secret.claimants
    .filter(({ kind }) => kind.group === 'secrets.infisical.com')
    .some(({ kind }) => {
      const init = kind.kind !== 'InfisicalSecret';
      return isSeen(workload, secret, (use) => use.form !== 'projected' && (init || !use.init));
    });
}

/** The only one that is given targets, so it also drives what is injected into pods. */
function vault(workload: WorkloadRecord, { claimants }: DrivenSecret): boolean {
  const kind = workload.kind.kind === 'Rollout' ? 'argo.Rollout' : workload.kind.kind;
  return claimants
    .filter((claimant) => claimant.kind.group === 'secrets.hashicorp.com')
    .filter(({ raw }) => namespaceOf(raw) === workload.namespace)
    .filter(({ raw }) => dig(raw, 'spec', 'hmacSecretData') !== false)
    .some(({ raw }) =>
      asArray(dig(raw, 'spec', 'rolloutRestartTargets')).some(
        (target) => text(target, 'kind') === kind && text(target, 'name') === workload.name,
      ),
    );
}

function doppler(workload: WorkloadRecord, secret: DrivenSecret): boolean {
  return (
    workload.kind.kind === 'Deployment' &&
    workload.annotations['secrets.doppler.com/reload'] === 'true' &&
    secret.claimants.some(({ kind }) => kind.group === 'secrets.doppler.com') &&
    isSeen(workload, secret, (use) => use.form !== 'projected' && !use.init)
  );
}

function onepassword(workload: WorkloadRecord, secret: DrivenSecret): boolean {
  return (
    workload.kind.kind === 'Deployment' &&
    workload.annotations['operator.1password.io/auto-restart'] === 'true' &&
    secret.annotations['operator.1password.io/item-path'] !== undefined &&
    isSeen(workload, secret, (use) => use.form !== 'projected')
  );
}

/** Whether the workload's own template names the Secret in a form that the other one looks at. */
function isSeen(
  workload: WorkloadRecord,
  { name }: DrivenSecret,
  looks: (use: SecretUse) => boolean,
): boolean {
  return workload.templateUses.some(
    (use) => use.secret === name && use.form !== 'imagePullSecrets' && looks(use),
  );
}
