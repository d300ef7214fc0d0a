/** PushSecret and InfisicalPushSecret: they read a Secret and write none, so there is nothing to rehearse or to own. */
import type { JsonObject } from '../kube/json.ts';
import { asObject, dig, get, text } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import { namespaceOf } from '../kube/object.ts';
import { conditionOf, verdictOf, wordsOf } from '../plugins/conditions.ts';
import { GROUP as INFISICAL } from '../plugins/infisical-operator.ts';
import type { Health, Scope } from '../plugins/plugin.ts';
import { GROUP as ESO } from '../plugins/secret-stores.ts';
import { target } from '../plugins/spec.ts';
import type { Manner } from './manner.ts';

export const PUSH_SECRET: ResourceKind = {
  group: ESO,
  version: 'v1alpha1',
  kind: 'PushSecret',
  plural: 'pushsecrets',
  namespaced: true,
};

const INFISICAL_PUSH_SECRET: ResourceKind = {
  ...PUSH_SECRET,
  group: INFISICAL,
  kind: 'InfisicalPushSecret',
  plural: 'infisicalpushsecrets',
};

const NOWHERE: Scope = { projects: [], environments: [], paths: [] };

/** What is upstream goes with a resource whose deletionPolicy is Delete. */
const POLICY: Pick<Manner, 'ownership' | 'isReleased' | 'isSilent' | 'marks' | 'answers' | 'traces'> = {
  ownership: (raw) => (text(get(raw, 'spec'), 'deletionPolicy') === 'Delete' ? 'Delete' : 'None'),
  isReleased: (raw) => text(get(raw, 'spec'), 'deletionPolicy') !== 'Delete',
  isSilent: () => false,
  marks: () => true,
  answers: false,
  traces: { labels: [], annotations: [] },
};

export const PUSH_MANNERS: readonly Manner[] = [
  {
    ...POLICY,
    sync: {
      resource: PUSH_SECRET,
      targets: ({ raw }) => target(text(dig(raw, 'spec', 'selector', 'secret'), 'name'), namespaceOf(raw)),
      health: (object) => healthBy(object, 'Ready', 'True'),
      scope: () => NOWHERE,
    },
    released: (raw) => withPolicy(raw, { deletionPolicy: 'None' }),
  },
  {
    ...POLICY,
    sync: {
      resource: INFISICAL_PUSH_SECRET,
      targets: ({ raw }) => {
        const secret = dig(raw, 'spec', 'push', 'secret');
        return target(text(secret, 'secretName'), text(secret, 'secretNamespace') ?? namespaceOf(raw));
      },
      // Its condition is the other way round: True tells of a failure.
      health: (object) => healthBy(object, `${INFISICAL}/Reconcile`, 'False'),
      scope: () => NOWHERE,
    },
    released: (raw) => withPolicy(raw, {}),
  },
];

function withPolicy(raw: JsonObject, policy: JsonObject): JsonObject {
  const { deletionPolicy: _policy, ...spec } = asObject(get(raw, 'spec'));
  return { ...raw, spec: { ...spec, ...policy } };
}

function healthBy(object: KubeObject, type: string, good: 'True' | 'False'): Health {
  const condition = conditionOf(object, type);
  const base = { generation: 'unreported', neverOld: true, everSynced: false } as const;
  if (condition === undefined) return { ...base, ...verdictOf(condition) };
  const verdict = condition.status === good ? 'ok' : 'failing';
  return { ...base, verdict, words: wordsOf(condition) };
}
