/** The policies that `policy` prints, as Kubernetes objects. */
import { KEYS, MIRROR_POD, PROGRAM } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import { INDEX_NAME } from '../review/secret-index.ts';
import type { Settings } from '../review/settings.ts';
import {
  ALL_CARRIED,
  CARRIED_MESSAGE,
  INJECTION,
  UNINDEXED,
  celText,
  injectionVariables,
} from './policy-cel.ts';

const API_VERSION = 'admissionregistration.k8s.io/v1';

export const INJECTION_POLICY = 'inject.secrets.floe.dev';
export const NET_POLICY = 'carried.secrets.floe.dev';
export const INDEX_POLICY = 'indexed.secrets.floe.dev';

/** The net: a pod that asked for an injection carries it, whoever injects. */
export function netPolicies(settings: Settings): readonly JsonObject[] {
  return [
    policy('ValidatingAdmissionPolicy', NET_POLICY, {
      ...matching(settings),
      variables: injectionVariables(settings.config.injection.skipContainers),
      validations: [{ expression: ALL_CARRIED, messageExpression: CARRIED_MESSAGE, reason: 'Forbidden' }],
    }),
    ...bindings(NET_POLICY, {}),
  ];
}

/** The injection by `inject`, for clusters that serve mutating policies. */
export function injectionPolicies(settings: Settings): readonly JsonObject[] {
  return [
    policy('MutatingAdmissionPolicy', INJECTION_POLICY, {
      ...matching(settings),
      reinvocationPolicy: 'IfNeeded',
      variables: injectionVariables(settings.config.injection.skipContainers),
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: INJECTION } }],
    }),
    policy('MutatingAdmissionPolicyBinding', INJECTION_POLICY, { policyName: INJECTION_POLICY }),
  ];
}

/** Presence by an index: what is not in the namespace's ConfigMap is not synced. Without that, nothing starts. */
export function indexPolicies(settings: Settings): readonly JsonObject[] {
  return [
    policy('ValidatingAdmissionPolicy', INDEX_POLICY, {
      ...matching(settings),
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      variables: [{ name: 'missing', expression: `(${UNINDEXED}).filter(n, n != '')` }],
      validations: [
        {
          expression: 'variables.missing.size() == 0',
          messageExpression:
            "'FLOE-E801: Secrets that are not there or not synced in namespace ' + request.namespace + ': ' + variables.missing.join(' ')",
          reason: 'Forbidden',
        },
      ],
    }),
    ...bindings(INDEX_POLICY, { paramRef: { name: INDEX_NAME, parameterNotFoundAction: 'Deny' } }),
  ];
}

const LABELS = { 'app.kubernetes.io/name': PROGRAM };

function policy(kind: string, name: string, spec: JsonObject): JsonObject {
  return { apiVersion: API_VERSION, kind, metadata: { name, labels: LABELS }, spec };
}

/** New pods of opted-in namespaces, but for mirror pods and those that want no injection. */
function matching({ exemptNamespaces }: Settings): JsonObject {
  const exempt = {
    key: 'kubernetes.io/metadata.name',
    operator: 'NotIn',
    values: [...exemptNamespaces].toSorted(),
  };
  return {
    failurePolicy: 'Fail',
    matchConstraints: {
      matchPolicy: 'Equivalent',
      namespaceSelector: { matchLabels: { [KEYS.injection]: 'enabled' }, matchExpressions: [exempt] },
      objectSelector: {
        matchExpressions: [{ key: KEYS.injection, operator: 'NotIn', values: ['disabled'] }],
      },
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    },
    matchConditions: [
      {
        name: 'no-mirror-pod',
        expression: `!object.metadata.?annotations[?${celText(MIRROR_POD)}].hasValue()`,
      },
    ],
  };
}

/** One binding a mode of enforcement: a binding's actions are the same for all its namespaces. */
function bindings(name: string, more: JsonObject): readonly JsonObject[] {
  const modes = [
    { mode: 'strict', actions: ['Deny'], operator: 'NotIn', values: ['audit', 'off', 'warn'] },
    { mode: 'warn', actions: ['Warn', 'Audit'], operator: 'In', values: ['warn'] },
    { mode: 'audit', actions: ['Audit'], operator: 'In', values: ['audit', 'off'] },
  ];
  return modes.map(({ mode, actions, operator, values }) =>
    policy('ValidatingAdmissionPolicyBinding', `${mode}.${name}`, {
      policyName: name,
      validationActions: actions,
      ...more,
      matchResources: {
        namespaceSelector: { matchExpressions: [{ key: KEYS.enforcement, operator, values }] },
      },
    }),
  );
}
