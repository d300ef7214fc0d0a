/**
 * Secrets that stand in git, encrypted: SopsSecret of isindir's sops-secrets-operator 0.21, SealedSecret of Bitnami's
 * sealed-secrets 0.36. Both are driven by events, so nothing of them is ever old, and neither reads a project.
 */
import { derived } from '../kube/derived.ts';
import { asArray, asNumber, dig, flag, get, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { nameOf, namespaceOf } from '../kube/object.ts';
import { conditionOf, generationOfVerdict, verdictOf } from './conditions.ts';
import type { Health, Plugin, Scope, SyncKind } from './plugin.ts';
import { ownedByGroup } from './plugin.ts';
import { optional, target } from './spec.ts';

const SOPS = 'isindir.github.com';
const SEALED = 'bitnami.com';

/** SOPS encrypts what stands under `secretTemplates`, and with it the names. */
const CIPHERTEXT = 'ENC[';
const HEALTHY = 'Healthy';

export const sopsSecret: SyncKind = {
  resource: {
    group: SOPS,
    version: 'v1alpha3',
    olderVersions: ['v1alpha2', 'v1alpha1'],
    kind: 'SopsSecret',
    plural: 'sopssecrets',
    namespaced: true,
  },
  targets: (object) =>
    namesOf(object)
      .filter((name) => !name.startsWith(CIPHERTEXT))
      .flatMap((name) => target(name, namespaceOf(object.raw))),
  isOpaque: (object) => namesOf(object).some((name) => name.startsWith(CIPHERTEXT)),
  health: derived(healthOfSops),
  scope: inGit,
  credentialNamespaces: () => [],
  revive: 'change an annotation of it, or restart its operator: it then decrypts it again',
};

export const sealedSecret: SyncKind = {
  resource: {
    group: SEALED,
    version: 'v1alpha1',
    kind: 'SealedSecret',
    plural: 'sealedsecrets',
    namespaced: true,
  },
  targets: ({ raw }) => target(nameOf(raw), namespaceOf(raw)),
  health: derived(healthOfSealed),
  scope: inGit,
  credentialNamespaces: () => [],
  mayBeSilent: true,
  revive: 'recreate it, or restart its controller: it then unseals it again',
};

export const sops: Plugin = {
  id: 'sops',
  aliases: ['sealed-secrets'],
  claims: 'a `SopsSecret` or `SealedSecret` produces it',
  kinds: [sopsSecret, sealedSecret],
  marks: ({ ownerReferences }) =>
    ownedByGroup(ownerReferences, SOPS) || ownedByGroup(ownerReferences, SEALED),
};

function namesOf({ raw }: KubeObject): readonly string[] {
  return asArray(dig(raw, 'spec', 'secretTemplates')).map((template) => text(template, 'name') ?? '');
}

/** One message is all of its status. */
function healthOfSops({ raw }: KubeObject): Health {
  const message = text(get(raw, 'status'), 'message') ?? '';
  const suspended = flag(get(raw, 'spec'), 'suspend');
  return {
    verdict: message === '' ? 'none' : message === HEALTHY ? 'ok' : 'failing',
    generation: 'unreported',
    ...optional(
      'restraint',
      suspended ? { from: 'write' as const, why: 'its spec.suspend is true' } : undefined,
    ),
    words: message === '' ? 'no status yet' : `status.message '${message}'`,
    neverOld: true,
    everSynced: message === HEALTHY,
  };
}

function healthOfSealed(object: KubeObject): Health {
  const synced = conditionOf(object, 'Synced');
  const observed = asNumber(dig(object.raw, 'status', 'observedGeneration'));
  return {
    ...verdictOf(synced),
    generation: generationOfVerdict(object, observed),
    neverOld: true,
    everSynced: synced?.status === 'True',
  };
}

function inGit(): Scope {
  return { projects: [], environments: [], paths: [], selfContained: true };
}
