// deploy/chart/values.schema.json: what may be written in values.yaml. Of `config` it is the program's own schema.
import { z } from 'zod';
import { SETTINGS_SCHEMA } from '../../src/config/config.ts';

type Schema = Readonly<Record<string, unknown>>;

const text = { type: 'string' };
const flag = { type: 'boolean' };
const count = { type: 'integer', minimum: 0 };
const anything = { type: 'object' };
const texts = { type: 'array', items: text };
const objects = { type: 'array', items: anything };
const labels = { type: 'object', additionalProperties: text };
const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values });

/** A mapping with exactly these keys. */
function mapping(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', additionalProperties: false, properties };
}

const VALUES = {
  image: mapping({
    registry: text,
    repository: { type: 'string', minLength: 1 },
    tag: text,
    digest: { type: 'string', pattern: '^$|^sha256:[0-9a-f]{64}$' },
    pullPolicy: oneOf('Always', 'IfNotPresent', 'Never'),
  }),
  imagePullSecrets: { type: 'array' },
  nameOverride: text,
  fullnameOverride: text,
  replicaCount: count,
  certificates: mapping({
    mode: oneOf('self', 'cert-manager', 'files'),
    existingSecret: text,
    certManager: mapping({ issuerRef: anything, duration: text, renewBefore: text }),
    clientCAConfigMap: text,
  }),
  webhook: mapping({
    failurePolicy: oneOf('auto', 'Fail', 'Ignore'),
    timeoutSeconds: { type: 'integer', minimum: 1, maximum: 30 },
    reinvocationPolicy: oneOf('IfNeeded', 'Never'),
    namespaceExpressions: objects,
    annotations: labels,
  }),
  controllers: mapping({ separate: flag, replicaCount: count, resources: anything }),
  guard: mapping({ enabled: flag }),
  service: mapping({
    port: { type: 'integer', minimum: 1, maximum: 65_535 },
    annotations: labels,
    externalName: text,
  }),
  serviceAccount: mapping({ create: flag, name: text, annotations: labels }),
  rbac: mapping({ create: flag, secretNamespaces: texts }),
  networkPolicy: mapping({ enabled: flag, apiServerCIDRs: texts, metricsFrom: objects, egress: objects }),
  podDisruptionBudget: mapping({ enabled: flag, maxUnavailable: { type: ['integer', 'string'] } }),
  resources: anything,
  preStopSeconds: count,
  terminationGracePeriodSeconds: count,
  priorityClassName: text,
  nodeSelector: labels,
  affinity: anything,
  tolerations: objects,
  topologySpreadConstraints: objects,
  podLabels: labels,
  podAnnotations: labels,
  env: objects,
  tracing: mapping({
    endpoint: { type: 'string', pattern: '^$|^https?://' },
    protocol: oneOf('', 'grpc', 'http/protobuf', 'http/json'),
    // `--set` knows no fractions, and hands over a text.
    ratio: {
      type: ['number', 'string'],
      minimum: 0,
      maximum: 1,
      pattern: String.raw`^(0(\.\d+)?|1(\.0+)?)$`,
    },
  }),
  metrics: mapping({
    serviceMonitor: mapping({ enabled: flag, interval: text, labels }),
    prometheusRule: mapping({ enabled: flag, labels, runbookURL: text }),
    dashboard: mapping({ enabled: flag, labels }),
  }),
  uninstall: mapping({ enabled: flag }),
} as const satisfies Readonly<Record<string, Schema>>;

export function valuesSchema(): string {
  const { $schema, ...config } = z.toJSONSchema(SETTINGS_SCHEMA, { io: 'input', target: 'draft-7' });
  const schema = {
    $schema,
    $id: 'https://floe.dev/schemas/floe-secrets-webhook-values.json',
    title: 'Values of the chart floe-secrets-webhook',
    type: 'object',
    additionalProperties: false,
    // `global` is shared with other charts.
    properties: { global: anything, enabled: flag, ...VALUES, config },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
