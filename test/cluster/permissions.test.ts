import { describe, expect, it } from 'vitest';
import { PLUGINS } from '../../src/plugins/index.ts';
import type { Plugin, SyncKind } from '../../src/plugins/plugin.ts';
import { CUSTOM_KINDS } from '../../tools/control-plane/crds.ts';
import { defaultConfig } from '../../src/config/config.ts';
import { featuresOn, grantOf, rbacRules } from '../../src/cluster/permissions.ts';
import { syncResourceRules } from '../../tools/webhook-rules.ts';
import { syncKind } from '../review/setup.ts';

const NATIVE = PLUGINS.filter(({ id }) => id === 'k8s');
const store = {
  group: 'example.com',
  version: 'v1',
  kind: 'Store',
  plural: 'stores',
  namespaced: false,
};
const leaning: SyncKind = { ...syncKind('InfisicalSecret'), companions: [store] };
const plugin = (kinds: readonly SyncKind[]): Plugin => ({
  id: 'x',
  aliases: [],
  claims: '',
  kinds,
  marks: () => false,
});

describe('the permissions', () => {
  it('of a webhook without sync resources are to read, and only single Secrets', () => {
    const { cluster, own } = rbacRules(NATIVE);
    expect(own).toEqual([]);
    expect(cluster).toContainEqual({ apiGroups: [''], resources: ['secrets'], verbs: ['get'] });
    const verbs = cluster.flatMap((rule) => (rule.resources[0] === 'subjectaccessreviews' ? [] : rule.verbs));
    expect([...new Set(verbs)].toSorted()).toEqual(['get', 'list', 'watch']);
  });

  it('grow by exactly what a plugin watches; companions are never read one by one', () => {
    expect(grantOf([plugin([leaning])]).cluster).toEqual([
      {
        apiGroups: ['secrets.infisical.com'],
        resources: ['infisicalsecrets'],
        verbs: ['get', 'list', 'watch'],
      },
      { apiGroups: ['example.com'], resources: ['stores'], verbs: ['list', 'watch'] },
    ]);
  });

  it('name a kind once that several plugins have', () => {
    expect(grantOf([plugin([leaning]), plugin([leaning])])).toEqual(grantOf([plugin([leaning])]));
  });

  it('of a feature join those of one resource', () => {
    const { cluster } = rbacRules(NATIVE, ['watchSecrets']);
    expect(cluster.filter(({ resources }) => resources.includes('secrets'))).toEqual([
      { apiGroups: [''], resources: expect.arrayContaining(['secrets']), verbs: ['get', 'list', 'watch'] },
    ]);
  });

  it('of features follow the settings, whatever their kind', () => {
    const config = defaultConfig();
    const on = featuresOn(config, ['leader']);
    expect(on).toContain('reload');
    expect(on).not.toContain('secretIndex');
    const keeping = { ...config, reload: { ...config.reload, enabled: false }, policy: { index: true } };
    expect(featuresOn(keeping, ['leader'])).toContain('secretIndex');
    expect(featuresOn(keeping, ['leader'])).not.toContain('reload');
    expect(featuresOn(keeping, ['replicas'])).not.toContain('secretIndex');
  });

  it('of the index are for that one ConfigMap of each namespace', () => {
    const { cluster } = rbacRules(NATIVE, ['secretIndex']);
    const rules = cluster.filter(({ resources }) => resources.includes('configmaps'));
    expect(rules).toMatchObject([{ resources: ['configmaps'], resourceNames: ['floe-secrets-index'] }]);
  });

  it('never hold a star', () => {
    expect(JSON.stringify(rbacRules(PLUGINS, ['watchSecrets']))).not.toContain('*');
  });
});

describe('the kinds of the plugins', () => {
  const kinds = PLUGINS.flatMap((one) => one.kinds).flatMap((kind) => [
    kind.resource,
    ...(kind.companions ?? []),
  ]);

  it.each(kinds.map((kind) => [kind.kind, kind] as const))(
    '%s is served as its operator defines it',
    (_name, { group, version, kind, plural, namespaced }) => {
      expect(CUSTOM_KINDS).toContainEqual({
        group,
        version,
        kind,
        plural,
        ...(namespaced ? {} : { cluster: true }),
      });
    },
  );

  it('are asked about when they are written, but for those of the whole cluster', () => {
    const asked = syncResourceRules(PLUGINS).flatMap(({ apiGroups, resources }) =>
      resources.map((resource) => `${resource}.${String(apiGroups[0])}`),
    );
    const written = PLUGINS.flatMap((one) => one.kinds)
      .map(({ resource }) => resource)
      .filter(({ namespaced }) => namespaced)
      .map(({ plural, group }) => `${plural}.${group}`);
    expect(asked.toSorted()).toEqual([...new Set(written)].toSorted());
  });
});
