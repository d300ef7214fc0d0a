/**
 * What the webhook may do, derived from what it does: the rules of its plugins and of the features that are on. The
 * chart, the README, `doctor` and the tests' clusters take them from here.
 */
import type { Config } from '../config/config.ts';
import { PROGRAM } from '../contract/keys.ts';
import { dig } from '../kube/json.ts';
import type { Plugin } from '../plugins/plugin.ts';
import { INDEX_NAME } from '../review/secret-index.ts';
import { companionsOf } from './watched-kinds.ts';

/** One rule of a Role or ClusterRole. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** What something needs in every namespace, and what in the webhook's own. */
export interface Grant {
  readonly cluster?: readonly Rule[];
  readonly own?: readonly Rule[];
}

/** What every installation needs. Secrets: only `get`, and nothing is ever written (floe's rule AC-8). */
const BASE: Grant = {
  cluster: [
    rule('', ['namespaces', 'serviceaccounts'], ['get', 'list', 'watch']),
    rule('', ['secrets'], ['get']),
    rule('batch', ['jobs', 'cronjobs'], ['get']),
    // Secrets that a pod's own CSI volume makes.
    rule('secrets-store.csi.x-k8s.io', ['secretproviderclasses'], ['get']),
    // To notice a CRD that is installed or removed later.
    rule('apiextensions.k8s.io', ['customresourcedefinitions'], ['list', 'watch']),
    // Whether a person may list Secrets, before a look-alike is named.
    rule('authorization.k8s.io', ['subjectaccessreviews'], ['create']),
  ],
};

/** What each feature needs besides. */
export const FEATURES = {
  /** `secrets.access: watch`. */
  watchSecrets: { cluster: [rule('', ['secrets'], ['list', 'watch'])] },
  /** To know whether somebody opens gates. */
  lease: { own: [rule('coordination.k8s.io', ['leases'], ['get'])] },
  /** To lead, and to know pods and workloads while leading. */
  controllers: {
    cluster: [
      rule('', ['pods'], ['get', 'list', 'watch']),
      rule('apps', ['deployments', 'statefulsets', 'daemonsets', 'replicasets'], ['get', 'list', 'watch']),
      rule('batch', ['jobs', 'cronjobs'], ['get', 'list', 'watch']),
      rule('argoproj.io', ['rollouts'], ['get', 'list', 'watch']),
    ],
    own: [rule('coordination.k8s.io', ['leases'], ['create', 'update'])],
  },
  /** Whether the API server accepts the replica's certificate: asked by readiness. */
  registrations: { cluster: [registrations(['get', 'list', 'watch'])] },
  /** The leader writes the caBundle and the strict webhooks' failurePolicy, and tries the way back to itself. */
  keepRegistrations: {
    cluster: [registrations(['patch'])],
    own: [rule('coordination.k8s.io', ['leases'], ['create'])],
  },
  /** `certificates.mode: self`. */
  certificates: { own: [certificates(['get', 'list', 'watch'])] },
  /** The same, for the leader. */
  keepCertificates: { own: [certificates(['patch'])] },
  /** To say what was decided where `kubectl describe` shows it. */
  events: {
    cluster: [
      rule('', ['events'], ['create', 'patch']),
      // The owner that a pod names counts only once it was read.
      rule('apps', ['deployments', 'statefulsets', 'daemonsets', 'replicasets'], ['get']),
      rule('batch', ['jobs', 'cronjobs'], ['get']),
      rule('argoproj.io', ['rollouts'], ['get']),
    ],
  },
  /** To hear of refused pods, and to have their owners try again. */
  retries: {
    cluster: [
      rule('', ['events'], ['list', 'watch']),
      rule('apps', ['replicasets', 'statefulsets', 'daemonsets'], ['patch']),
      rule('batch', ['jobs'], ['patch']),
    ],
  },
  /** To write a PolicyReport a namespace, where that CRD is installed. */
  policyReports: { cluster: [rule('wgpolicyk8s.io', ['policyreports'], ['create', 'patch', 'delete'])] },
  /** `missedPods.evict`. */
  evictMissedPods: { cluster: [rule('', ['pods/eviction'], ['create'])] },
  /** `policy.index`: to keep that one ConfigMap a namespace. */
  secretIndex: { cluster: [indexes(['list', 'watch', 'create', 'patch', 'delete'])] },
  /** `gates.enabled`: to open scheduling gates. */
  gates: { cluster: [rule('', ['pods'], ['patch'])] },
  /** `reload.enabled`: to restart workloads; it reads Secrets as the webhook does. */
  reload: {
    cluster: [
      rule('apps', ['deployments', 'statefulsets', 'daemonsets'], ['patch']),
      rule('argoproj.io', ['rollouts'], ['patch']),
    ],
  },
  /** `reload.strategy: evict`. */
  evictions: { cluster: [rule('', ['pods/eviction'], ['create'])] },
} as const satisfies Readonly<Record<string, Grant>>;

export type Feature = keyof typeof FEATURES;

/** When a feature is on, and whether every replica needs its permissions or the leader alone. */
export interface Use {
  /** '' is always. */
  readonly setting: string;
  readonly is: string | boolean;
  readonly by: 'replicas' | 'leader';
}

const ALWAYS = { setting: '', is: '' };

export const USES: Readonly<Record<Feature, Use>> = {
  watchSecrets: { setting: 'secrets.access', is: 'watch', by: 'replicas' },
  lease: { ...ALWAYS, by: 'replicas' },
  controllers: { ...ALWAYS, by: 'leader' },
  events: { ...ALWAYS, by: 'replicas' },
  retries: { ...ALWAYS, by: 'leader' },
  // Also where they are turned off: then those that are left are opened.
  gates: { ...ALWAYS, by: 'leader' },
  policyReports: { ...ALWAYS, by: 'leader' },
  evictMissedPods: { setting: 'missedPods.evict', is: true, by: 'leader' },
  secretIndex: { setting: 'policy.index', is: true, by: 'leader' },
  registrations: { ...ALWAYS, by: 'replicas' },
  keepRegistrations: { ...ALWAYS, by: 'leader' },
  certificates: { setting: 'certificates.mode', is: 'self', by: 'replicas' },
  keepCertificates: { setting: 'certificates.mode', is: 'self', by: 'leader' },
  reload: { setting: 'reload.enabled', is: true, by: 'leader' },
  evictions: { setting: 'reload.strategy', is: 'evict', by: 'leader' },
};

/** The features that these settings turn on, of those that these need: the replicas, the leader. */
export function featuresOn(config: Config, by: readonly string[]): readonly Feature[] {
  const isOn = ({ setting, is }: Use): boolean => setting === '' || dig(config, ...setting.split('.')) === is;
  return (Object.keys(USES) as Feature[]).filter(
    (feature) => by.includes(USES[feature].by) && isOn(USES[feature]),
  );
}

/** The rules of these plugins and features, those of one resource as one, in a stable order. */
export function rbacRules(plugins: readonly Plugin[], features: readonly Feature[] = []): Required<Grant> {
  const grants: readonly Grant[] = [BASE, grantOf(plugins), ...features.map((feature) => FEATURES[feature])];
  return {
    cluster: merged(grants.flatMap((grant) => grant.cluster ?? [])),
    own: merged(grants.flatMap((grant) => grant.own ?? [])),
  };
}

/** Exactly what plugins watch: sync resources are also read one by one, before a refusal. */
export function grantOf(plugins: readonly Plugin[]): Grant {
  const kinds = [...new Set(plugins.flatMap((plugin) => plugin.kinds))];
  return {
    cluster: [
      ...kinds.map(({ resource }) => rule(resource.group, [resource.plural], ['get', 'list', 'watch'])),
      ...companionsOf(kinds).map(({ group, plural }) => rule(group, [plural], ['list', 'watch'])),
    ],
  };
}

function rule(group: string, resources: readonly string[], verbs: readonly string[]): Rule {
  return { apiGroups: [group], resources, verbs };
}

function registrations(verbs: readonly string[]): Rule {
  const resources = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
  return { ...rule('admissionregistration.k8s.io', resources, verbs), resourceNames: [PROGRAM] };
}

function certificates(verbs: readonly string[]): Rule {
  return { ...rule('', ['secrets'], verbs), resourceNames: [`${PROGRAM}-certificates`] };
}

function indexes(verbs: readonly string[]): Rule {
  return { ...rule('', ['configmaps'], verbs), resourceNames: [INDEX_NAME] };
}

/** One rule for all resources of a group with the same verbs. A rule for named objects stays as it is. */
function merged(rules: readonly Rule[]): readonly Rule[] {
  const verbsOf = new Map<string, Set<string>>();
  for (const { apiGroups, resources, verbs, resourceNames } of rules) {
    if (resourceNames !== undefined) continue;
    for (const key of apiGroups.flatMap((group) => resources.map((resource) => `${group}/${resource}`))) {
      verbsOf.set(key, (verbsOf.get(key) ?? new Set()).union(new Set(verbs)));
    }
  }
  const together = Map.groupBy(verbsOf, ([key, verbs]) => `${key.split('/', 1)[0]} ${ordered(verbs).join()}`);
  const open = [...together.values()].map((entries) => {
    const [group = ''] = entries[0]?.[0].split('/', 1) ?? [];
    const resources = entries.map(([key]) => key.slice(group.length + 1));
    return rule(group, resources, ordered(entries[0]?.[1] ?? new Set()));
  });
  return [...open, ...rules.filter(({ resourceNames }) => resourceNames !== undefined)];
}

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

function ordered(verbs: ReadonlySet<string>): readonly string[] {
  return [...verbs].toSorted((one, other) => VERBS.indexOf(one) - VERBS.indexOf(other));
}
