/** InfisicalStaticSecret (v1beta1), and the InfisicalAuth and InfisicalConnection behind it. */
import { derived } from '../kube/derived.ts';
import { asArray, dig, get, text } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import { namespaceOf, timeOf } from '../kube/object.ts';
import { causeOf, conditionOf, generationOfVerdict } from './conditions.ts';
import { GROUP, infisicalVerdict, projectsOf } from './infisical-operator.ts';
import type { Health, Scope, SyncKind, Target, View } from './plugin.ts';
import { intervalOf, optional, target, texts } from './spec.ts';

const AUTH: ResourceKind = {
  group: GROUP,
  version: 'v1beta1',
  kind: 'InfisicalAuth',
  plural: 'infisicalauths',
  namespaced: true,
};
const CONNECTION: ResourceKind = { ...AUTH, kind: 'InfisicalConnection', plural: 'infisicalconnections' };

export const infisicalStaticSecret: SyncKind = {
  resource: {
    group: GROUP,
    version: 'v1beta1',
    kind: 'InfisicalStaticSecret',
    plural: 'infisicalstaticsecrets',
    namespaced: true,
  },
  companions: [AUTH, CONNECTION],
  targets: targetsOfStatic,
  health: healthOfStatic,
  scope: derived(scopeOfStatic),
  credentialNamespaces: (object) => texts([dig(object.raw, 'spec', 'infisicalAuthRef', 'namespace')]),
  revive:
    'wait for its next refresh (syncOptions.refreshInterval) or change a label of it: the operator then writes it again',
};

function targetsOfStatic(object: KubeObject): readonly Target[] {
  const targets = asArray(dig(object.raw, 'spec', 'targets')).filter(
    (one) => text(one, 'kind') !== 'ConfigMap',
  );
  return targets.flatMap((one) =>
    target(text(one, 'name'), text(one, 'namespace') ?? namespaceOf(object.raw)),
  );
}

function healthOfStatic(object: KubeObject, view: View): Health {
  const status = conditionOf(object, `${GROUP}/LastReconcileStatus`);
  const success = conditionOf(object, `${GROUP}/LastSuccessfulReconcileAt`);
  const said = infisicalVerdict(status);
  return {
    ...said,
    generation: generationOfVerdict(object, status?.observedGeneration),
    ...optional('refused', refusedStatic(object)),
    ...optional('cause', said.verdict === 'failing' ? causeOfAuth(object, view) : undefined),
    ...optional('lastSync', timeOf(success?.message)),
    ...intervalOf(dig(object.raw, 'spec', 'syncOptions', 'refreshInterval')),
    neverOld: false,
    everSynced: success !== undefined,
  };
}

/** Its InfisicalAuth, or the InfisicalConnection behind that: neither is looked at again while it says Ready. */
function causeOfAuth(object: KubeObject, view: View): string | undefined {
  const type = `${GROUP}/IsReady`;
  const reference = dig(object.raw, 'spec', 'infisicalAuthRef');
  const name = text(reference, 'name') ?? '';
  const auth = view.find(AUTH, text(reference, 'namespace') ?? namespaceOf(object.raw), name);
  const cause = causeOf(auth, `InfisicalAuth '${name}'`, type);
  if (auth.state !== 'present') return cause;
  const behind = dig(auth.value.raw, 'spec', 'infisicalConnectionRef');
  const connection = text(behind, 'name');
  // Without one the operator talks to the address that it was started with.
  if (connection === undefined) return cause;
  const place = text(behind, 'namespace') ?? namespaceOf(auth.value.raw);
  const deeper = causeOf(
    view.find(CONNECTION, place, connection),
    `InfisicalConnection '${connection}'`,
    type,
  );
  return deeper ?? cause;
}

function refusedStatic(object: KubeObject): string | undefined {
  const names = asArray(dig(object.raw, 'spec', 'targets')).map(
    (one) => `${text(one, 'kind') ?? ''} ${text(one, 'namespace') ?? ''}/${text(one, 'name') ?? ''}`,
  );
  return new Set(names).size === names.length ? undefined : 'its spec names one target twice';
}

function scopeOfStatic(object: KubeObject): Scope {
  const sources = asArray(dig(object.raw, 'spec', 'sources'));
  // A source whose project cannot be read must not hide behind one whose project can.
  const readable = sources.every((source) => texts(projectsOf(source)).length > 0);
  return {
    projects: readable ? texts(sources.flatMap(projectsOf)) : [],
    environments: texts(sources.map((source) => get(source, 'environmentSlug'))),
    paths: texts(sources.map((source) => get(source, 'secretPath'))),
  };
}
