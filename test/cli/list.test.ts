import { describe, expect, it } from 'vitest';
import { run as list } from '../../src/cli/list.ts';
import { run as status } from '../../src/cli/status.ts';
import { NAMESPACE, SECRET, captured, folderOf, infisicalSecret, readyStatus } from './captured.ts';

const ago = (milliseconds: number): string => new Date(Date.now() - milliseconds).toISOString();
const HOUR = 3_600_000;

const folder = folderOf({
  'world.yaml': [
    NAMESPACE,
    SECRET,
    infisicalSecret('snowflake', {
      target: 'snowflake-credentials',
      status: readyStatus('True', ago(2 * HOUR)),
    }),
    infisicalSecret('catalog-credentials', {
      status: readyStatus('False', ago(HOUR), 'invalid token'),
      metadata: `, creationTimestamp: "${ago(2 * HOUR)}"`,
    }),
    SECRET.replace('snowflake-credentials', 'plain').replace(
      'kind: Secret',
      'kind: Secret\ntype: kubernetes.io/basic-auth',
    ),
    SECRET.replace('snowflake-credentials, namespace: floe-jobs', 'elsewhere, namespace: other'),
  ].join('---\n'),
});

const options = { world: [folder], namespace: 'floe-jobs' };

describe('list', () => {
  it('writes the table of the decision record', async () => {
    const { out, err, code } = await captured(list, options);
    expect(out).toBe(`NAME                      TYPE                      SYNC STATUS
catalog-credentials       InfisicalSecret           Failed
plain                     kubernetes.io/basic-auth  Synced
snowflake-credentials     InfisicalSecret           Synced
`);
    expect([err, code]).toEqual(['', 0]);
  });

  it('puts NAMESPACE first with -A', async () => {
    const { out } = await captured(list, { ...options, allNamespaces: true });
    expect(out.split('\n')[0]).toBe(
      'NAMESPACE  NAME                      TYPE                      SYNC STATUS',
    );
    expect(out).toContain('\nother      elsewhere                 Opaque                    Synced\n');
  });

  it('writes the document of the contract', async () => {
    const { out } = await captured(list, { ...options, output: 'json' });
    expect(JSON.parse(out)).toEqual({
      apiVersion: 'secrets.floe.dev/v1alpha1',
      kind: 'ListList',
      items: [
        {
          namespace: 'floe-jobs',
          name: 'catalog-credentials',
          type: 'InfisicalSecret',
          state: 'Failed',
          syncResource: { kind: 'InfisicalSecret', namespace: 'floe-jobs', name: 'catalog-credentials' },
          reason:
            "InfisicalSecret 'catalog-credentials' reports secrets.infisical.com/ReadyToSyncSecrets=False (invalid token)",
        },
        {
          namespace: 'floe-jobs',
          name: 'plain',
          type: 'kubernetes.io/basic-auth',
          state: 'Synced',
          syncResource: null,
          reason: null,
        },
        {
          namespace: 'floe-jobs',
          name: 'snowflake-credentials',
          type: 'InfisicalSecret',
          state: 'Synced',
          syncResource: { kind: 'InfisicalSecret', namespace: 'floe-jobs', name: 'snowflake' },
          reason: null,
        },
      ],
      summary: { total: 3, synced: 2, unsynced: 1 },
    });
    expect(out).not.toContain('hunter2');
  });

  it('is 0 with unsynced rows, 5 with --exit-code', async () => {
    expect((await captured(list, options)).code).toBe(0);
    expect((await captured(list, { ...options, exitCode: true })).code).toBe(5);
    expect((await captured(list, { ...options, exitCode: true, output: 'yaml' })).code).toBe(5);
    expect((await captured(list, { ...options, exitCode: true, namespace: 'other' })).code).toBe(0);
  });

  it('says so where there is nothing', async () => {
    const { out, err, code } = await captured(list, { ...options, namespace: 'empty' });
    expect([out, err, code]).toEqual(['', 'No Secrets and no sync resources found in namespace empty.\n', 0]);
  });

  it('takes the only namespace of a world in files for its own', async () => {
    const { out } = await captured(list, { world: [folderOf({ 'a.yaml': SECRET })] });
    expect(out).toContain('snowflake-credentials');
  });

  it.each([
    [{ world: ['/nowhere'] }, 3],
    [{ ...options, output: 'diff' }, 2],
    [{ kubeconfig: '/nowhere' }, 3],
  ])('%j exits with %i', async (wrong, code) => {
    const outcome = await captured(list, wrong);
    expect(outcome.code).toBe(code);
    expect(outcome.err).toMatch(/^Error: /);
  });
});

describe('status', () => {
  it('writes the table of the decision record', async () => {
    const { out } = await captured(status, options);
    expect(out).toBe(`NAME                      PROJECT           ENV         LAST SYNC
catalog-credentials       floe-platform     production  -
plain                     -                 -           -
snowflake-credentials     floe-platform     production  2h ago
`);
  });

  it("tells the operator's own time, its newest write, or when its condition turned True", async () => {
    const staticSecret = `apiVersion: secrets.infisical.com/v1beta1
kind: InfisicalStaticSecret
metadata: {name: reported, namespace: floe-jobs}
spec:
  sources: [{projectSlug: p1, environmentSlug: e1, secretPath: /}, {projectSlug: p2, environmentSlug: e1, secretPath: /b}]
  targets: [{name: reported, namespace: floe-jobs, kind: Secret}]
status:
  conditions:
  - {type: secrets.infisical.com/LastReconcileStatus, status: "True", lastTransitionTime: "2026-01-01T00:00:00Z"}
  - {type: secrets.infisical.com/LastSuccessfulReconcileAt, status: "True", message: "2026-02-01T00:00:00Z"}
`;
    const written = (manager: string): string => `apiVersion: v1
kind: Secret
metadata:
  name: ${manager}
  namespace: floe-jobs
  managedFields: [{manager: ${manager}, operation: Update, time: "2026-03-01T00:00:00Z", fieldsType: FieldsV1, fieldsV1: {"f:data": {"f:a": {}}}}]
data: {a: ""}
`;
    const world = folderOf({
      'a.yaml': [
        staticSecret,
        SECRET.replace('snowflake-credentials', 'reported'),
        written('operator'),
        infisicalSecret('operator', { status: readyStatus('True', '2026-01-01T00:00:00Z') }),
        written('kubectl-edit'),
        infisicalSecret('kubectl-edit', { status: readyStatus('True', '2026-01-01T00:00:00Z') }),
      ].join('---\n'),
    });
    const { out } = await captured(status, { world: [world], output: 'json' });
    const { items } = JSON.parse(out) as { items: readonly Record<string, unknown>[] };
    expect(items.map(({ name, lastSync, lastSyncSource }) => [name, lastSync, lastSyncSource])).toEqual([
      ['kubectl-edit', '2026-01-01T00:00:00.000Z', 'transition'],
      ['operator', '2026-03-01T00:00:00.000Z', 'written'],
      ['reported', '2026-02-01T00:00:00.000Z', 'reported'],
    ]);
    expect(items[2]).toMatchObject({ project: 'p1,p2', environment: 'e1', path: '/,/b' });
  });

  it('has null where nothing is known', async () => {
    const { out } = await captured(status, { ...options, output: 'json' });
    const { kind, items } = JSON.parse(out) as { kind: string; items: readonly object[] };
    expect(kind).toBe('StatusList');
    expect(items[1]).toMatchObject({
      project: null,
      environment: null,
      path: null,
      lastSync: null,
      lastSyncSource: null,
    });
  });
});
