/** Doppler's operator: DopplerSecret (v1alpha1), as its controller of v1.7 writes it. */
import { derived } from '../kube/derived.ts';
import { asNumber, dig, get, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { namespaceOf } from '../kube/object.ts';
import { conditionOf, verdictOf } from './conditions.ts';
import type { Health, Plugin, Scope, SyncKind, Target } from './plugin.ts';
import { intervalOf, optional, target, texts } from './spec.ts';

const GROUP = 'secrets.doppler.com';
/** `<namespace>/<name>` of the DopplerSecret, on the Secret that it wrote: there is no ownerReference. */
const MANAGED_BY = `${GROUP}/managed-by`;
/** The CRD's own default of `resyncSeconds`. */
const RESYNC_SECONDS = 60;

export const dopplerSecret: SyncKind = {
  resource: {
    group: GROUP,
    version: 'v1alpha1',
    kind: 'DopplerSecret',
    plural: 'dopplersecrets',
    namespaced: true,
  },
  targets: targetsOf,
  health: derived(healthOf),
  scope: derived(scopeOf),
  credentialNamespaces: (object) => texts([dig(object.raw, 'spec', 'tokenSecret', 'namespace')]),
  revive: 'wait for its next resync (resyncSeconds) or change its spec, so that the operator writes it again',
};

export const doppler: Plugin = {
  id: 'doppler',
  aliases: [],
  claims: 'a `DopplerSecret` targets it',
  kinds: [dopplerSecret],
  marks: (secret) =>
    Object.hasOwn(secret.annotations, MANAGED_BY) || secret.labels[`${GROUP}/subtype`] === 'dopplerSecret',
};

function targetsOf(object: KubeObject): readonly Target[] {
  const managed = dig(object.raw, 'spec', 'managedSecret');
  return target(text(managed, 'name'), namespaceOfTarget(object));
}

function namespaceOfTarget({ raw }: KubeObject): string {
  const named = text(dig(raw, 'spec', 'managedSecret'), 'namespace');
  return named === undefined || named === '' ? namespaceOf(raw) : named;
}

function healthOf(object: KubeObject): Health {
  const ready = conditionOf(object, `${GROUP}/SecretSyncReady`);
  const said = verdictOf(ready);
  return {
    ...said,
    // The kind has no observed generation, and no time of its last poll.
    generation: 'unreported',
    ...optional('remedy', said.verdict === 'none' ? remedyOfSilence(object) : undefined),
    ...intervalOf((asNumber(dig(object.raw, 'spec', 'resyncSeconds')) ?? RESYNC_SECONDS) * 1000),
    neverOld: false,
    everSynced: ready?.status === 'True',
  };
}

/** The operator ends its reconcile before any status where a resource of a common namespace reaches for another one. */
function remedyOfSilence(object: KubeObject): string | undefined {
  if (namespaceOfTarget(object) === namespaceOf(object.raw)) return undefined;
  return "let managedSecret.namespace be its own: Doppler's operator writes into others only for resources of its own namespace";
}

/** A config is what other stores call an environment. A token of one config needs neither name in the spec. */
function scopeOf({ raw }: KubeObject): Scope {
  const spec = get(raw, 'spec');
  const names = get(spec, 'secrets');
  return {
    projects: texts([get(spec, 'project')]),
    environments: texts([get(spec, 'config')]),
    paths: Array.isArray(names) ? texts(names) : [],
  };
}
