import type { JsonObject } from '../../src/kube/json.ts';
import { KEYS } from '../../src/contract/keys.ts';
import { KINDS } from './kinds.ts';
import type { Kind } from './kinds.ts';
import { SERVICE } from './webhook.ts';

/** Where the API server finds the webhook: a Service whose name leads to a port of this machine. */
export function serviceFor(target: { readonly externalName: string; readonly port: number }): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: SERVICE.name, namespace: SERVICE.namespace },
    spec: {
      type: 'ExternalName',
      externalName: target.externalName,
      ports: [{ name: 'https', port: target.port }],
    },
  };
}

/** The two webhooks for the kinds of the demo, as an installation registers them. */
export function webhookConfigurations(ca: string, port: number): readonly JsonObject[] {
  return [configuration('mutate', ca, port), configuration('validate', ca, port)];
}

function configuration(door: 'mutate' | 'validate', ca: string, port: number): JsonObject {
  const mutating = door === 'mutate';
  const webhook = {
    name: `${door}.secrets.floe.dev`,
    admissionReviewVersions: ['v1'],
    sideEffects: 'NoneOnDryRun',
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    timeoutSeconds: 5,
    namespaceSelector: { matchLabels: { [KEYS.injection]: 'enabled' } },
    rules: KINDS.filter(({ doors }) => doors.includes(door)).map(ruleFor),
    clientConfig: {
      caBundle: Buffer.from(ca).toString('base64'),
      service: { namespace: SERVICE.namespace, name: SERVICE.name, port, path: `/${door}` },
    },
    ...(mutating
      ? {
          reinvocationPolicy: 'IfNeeded',
          objectSelector: {
            matchExpressions: [{ key: KEYS.injection, operator: 'NotIn', values: ['disabled'] }],
          },
        }
      : {}),
  };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: mutating ? 'MutatingWebhookConfiguration' : 'ValidatingWebhookConfiguration',
    metadata: { name: SERVICE.name },
    webhooks: [webhook],
  };
}

function ruleFor({ group, version, plural, kind }: Kind): JsonObject {
  const operations = kind === 'Pod' ? ['CREATE'] : ['CREATE', 'UPDATE'];
  return { operations, apiGroups: [group], apiVersions: [version], resources: [plural], scope: 'Namespaced' };
}
