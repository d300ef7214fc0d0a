import { describe, expect, it } from 'vitest';
import type { Migration, MigrationState } from '../../src/cli/migrate-report.ts';
import { migrateDocument, planText } from '../../src/cli/migrate-report.ts';
import { structured } from '../../src/cli/print.ts';
import { parseManifests } from '../../src/kube/manifests.ts';
import type { Conversion } from '../../src/migrate/conversion.ts';
import { infisicalSecretFor } from '../../src/plugins/infisical-manifest.ts';
import { expectGolden } from './golden.ts';

function migration(name: string, state: MigrationState, more: Partial<Conversion> = {}): Migration {
  const to = infisicalSecretFor({
    namespace: 'floe-jobs',
    name,
    hostAPI: 'https://app.infisical.com/api',
    project: 'floe-platform',
    environment: 'prod',
    path: `/${name}`,
    login: { credentials: { namespace: 'infisical', name: 'operator' } },
  });
  const conversion: Conversion = {
    namespace: 'floe-jobs',
    secret: name,
    kind: 'ExternalSecret',
    name,
    source: 'vault/team',
    obstacles: [],
    notes: [],
    ...(state === 'blocked' ? {} : { to }),
    ...more,
  };
  return { conversion, state, steps: [] };
}

const ALL: readonly Migration[] = [
  migration('db', 'planned', {
    copy: {
      store: 'infisical',
      place: { project: 'floe-platform', environment: 'prod', path: '/db' },
      keys: ['PASSWORD', 'USER'],
      encoded: [],
    },
    notes: ['what changes in vault/team from then on no longer arrives'],
  }),
  migration('tokens', 'blocked', {
    source: '-',
    obstacles: [
      {
        where: 'spec.dataFrom[0].sourceRef.generatorRef',
        why: 'a Password makes a new value at each refresh, and nothing in Infisical takes its place',
      },
    ],
  }),
  migration('salesforce', 'blocked', {
    secret: 'salesforce-credentials',
    obstacles: [
      { where: 'spec.data[0]', why: 'its values are in vault/team', fix: '--copy-values copies them' },
    ],
  }),
  migration('snowflake', 'underWay', { source: '-' }),
  migration('minio', 'done', { source: '-' }),
];

describe('migrate', () => {
  it('writes what cannot be migrated first, and manifests that kubectl takes', async () => {
    const text = planText(ALL, '5 ExternalSecrets');
    await expectGolden('migrate.text', text);
    expect(parseManifests(text, 'plan.yaml').map(({ raw }) => raw)).toEqual([ALL[0]?.conversion.to]);
  });

  it('is a plan without any document where there is nothing to do', () => {
    expect(planText([], '0 ExternalSecrets')).toBe('# 0 ExternalSecrets: 0 can be migrated, 0 cannot\n');
  });

  it.each(['json', 'yaml'] as const)('writes %s', async (format) => {
    await expectGolden(`migrate.${format}`, structured(format, migrateDocument(ALL)));
  });

  it('lets no control characters of strangers out', () => {
    const hostile = migration('x', 'blocked', {
      obstacles: [{ where: 'a\u001B[2J', why: 'b\nkind: Secret' }],
    });
    const text = planText([hostile], '1 ExternalSecret');
    expect(text).not.toContain('\u001B');
    expect(text).not.toMatch(/^kind/m);
  });
});
