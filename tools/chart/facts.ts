// What the chart's templates take from the code: names, namespaces, webhook rules and permissions.
import { stringify } from 'yaml';
import {
  DEFAULT_INSTALL_NAMESPACE,
  OPERATOR_NAMESPACES,
  PROGRAM,
  SYSTEM_NAMESPACES,
} from '../../src/contract/keys.ts';
import type { Feature, Grant, Rule } from '../../src/cluster/permissions.ts';
import { FEATURES, USES, grantOf, rbacRules } from '../../src/cluster/permissions.ts';
import { REACHABLE_LABEL, WEBHOOKS } from '../../src/contract/webhooks.ts';
import { ALL_SETTINGS } from '../../src/config/settings.ts';
import { WORKLOADS } from '../../src/kube/workload.ts';
import { PLUGINS } from '../../src/plugins/index.ts';
import { syncResourceRules } from '../webhook-rules.ts';
import type { WebhookRule } from '../webhook-rules.ts';

/** In the place of the installation's name, which the chart knows. */
const NAME = '{name}';

export function chartFacts(): string {
  const facts = {
    webhooks: WEBHOOKS,
    reachableLabel: REACHABLE_LABEL,
    // Whatever is none of these is strict.
    lenientModes: ['audit', 'warn', 'off'],
    exemptNamespaces: [...SYSTEM_NAMESPACES, DEFAULT_INSTALL_NAMESPACE, ...OPERATOR_NAMESPACES],
    podRule: webhookRule('', 'v1', ['CREATE'], ['pods']),
    ephemeralContainersRule: webhookRule('', 'v1', ['UPDATE'], ['pods/ephemeralcontainers']),
    workloadRules: workloadRules(),
    plugins: PLUGINS.map((plugin) => ({
      id: plugin.id,
      aliases: plugin.aliases,
      webhookRules: syncResourceRules([plugin]),
      rules: grantOf([plugin]).cluster ?? [],
    })),
    rbac: rbac(),
  };
  const head = '# Written by `npm run generate` from the code; templates read it.\n';
  return head + stringify(facts, { aliasDuplicateObjects: false, version: '1.1' });
}

function rbac(): object {
  const { cluster, own } = rbacRules([]);
  const isOfSecrets = ({ resources }: Rule): boolean => resources.includes('secrets');
  return {
    base: { cluster: cluster.filter((rule) => !isOfSecrets(rule)), own },
    // Apart, for they may be granted in some namespaces only.
    secrets: cluster.filter(isOfSecrets),
    features: Object.entries(USES).map(([name, use]) => {
      const grant: Grant = FEATURES[name as Feature];
      return {
        name,
        setting: use.setting,
        is: use.is,
        default: defaultOf(use.setting),
        replicas: use.by === 'replicas',
        cluster: named(grant.cluster),
        own: named(grant.own),
      };
    }),
  };
}

function defaultOf(setting: string): string {
  if (setting === '') return '';
  const found = ALL_SETTINGS.find(({ path }) => path.join('.') === setting);
  if (found === undefined)
    throw new Error(`a feature stands on the setting ${setting}, which does not exist`);
  return JSON.stringify(found.setting.default).replaceAll('"', '');
}

function named(rules: readonly Rule[] = []): readonly Rule[] {
  return rules.map((rule) =>
    rule.resourceNames === undefined
      ? rule
      : { ...rule, resourceNames: rule.resourceNames.map((name) => name.replace(PROGRAM, NAME)) },
  );
}

function workloadRules(): readonly WebhookRule[] {
  const groups = Map.groupBy(WORKLOADS, ({ group, version }) => `${group} ${version}`);
  return [...groups.values()].map((kinds) => {
    const { group, version } = kinds[0]!;
    const plurals = kinds.map(({ plural }) => plural);
    return webhookRule(group, version, ['CREATE', 'UPDATE'], plurals);
  });
}

function webhookRule(
  group: string,
  version: string,
  operations: readonly string[],
  resources: readonly string[],
): WebhookRule {
  return { apiGroups: [group], apiVersions: [version], operations, resources };
}
