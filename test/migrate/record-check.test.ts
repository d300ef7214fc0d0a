// Records that somebody wrote by hand: nobody may be made to act on them.
import { describe, expect, it, test } from 'vitest';
import type { HandOver } from '../../src/migrate/hand-over.ts';
import { recordManifest, recordOf } from '../../src/migrate/record.ts';
import { infisicalSecretFor, infisicalStaticSecretFor } from '../../src/plugins/infisical-manifest.ts';
import { vaultStaticSecretFor } from '../../src/plugins/vault-manifest.ts';

const PLACE = { project: 'floe-platform', environment: 'prod', path: '/db' };
const TO = infisicalSecretFor({
  namespace: 'jobs',
  name: 'db',
  hostAPI: 'https://infisical.example/api',
  login: { credentials: { namespace: 'jobs', name: 'operator' } },
  ...PLACE,
  target: { name: 'db', creationPolicy: 'Orphan' },
});
const PLAN = {
  namespace: 'jobs',
  secret: 'db',
  from: {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ExternalSecret',
    metadata: { name: 'db', namespace: 'jobs', labels: { team: 'data' } },
    spec: { target: { name: 'db' } },
  },
  to: TO,
  copy: { store: 'infisical', place: PLACE, keys: ['A', 'B'], encoded: [], created: ['A'] },
  record: 'kept',
} as const;

const ENTRY = { project: 'secret', environment: '', path: 'floe/jobs/db' };
const VAULT = vaultStaticSecretFor({
  namespace: 'jobs',
  name: 'db',
  metadata: {},
  vaultNamespace: '',
  mount: ENTRY.project,
  type: 'kv-v2',
  path: ENTRY.path,
  secret: { name: 'db', type: 'Opaque' },
  encoded: [],
});
const IN_VAULT = { ...PLAN.copy, store: 'vault', place: ENTRY } as const;

function problemOf(change: object): string | undefined {
  const plan: HandOver = { ...PLAN, ...change };
  return recordOf(recordManifest(plan, new Date(0)))?.problem;
}

function changed(manifest: object, path: readonly string[], value: unknown): object {
  const [key = '', ...rest] = path;
  const inner = (manifest as Record<string, object>)[key] ?? {};
  return { ...manifest, [key]: rest.length === 0 ? value : changed(inner, rest, value) };
}

describe('a record', () => {
  it('as a migration writes it has no problem, and remembers what was copied', () => {
    const record = recordOf(recordManifest(PLAN, new Date(0)));
    expect(record?.problem).toBeUndefined();
    expect(record?.copy).toEqual(PLAN.copy);
    const made = { ...PLAN.copy, madePlace: true };
    expect(recordOf(recordManifest({ ...PLAN, copy: made }, new Date(0)))?.copy).toEqual(made);
    const auth = { namespace: 'jobs', name: 'auth' };
    const to = infisicalStaticSecretFor({ namespace: 'jobs', name: 'db', auth, sources: [PLACE] });
    expect(problemOf({ to })).toBeUndefined();
  });

  it('of a copy in Vault is read as it was written', () => {
    const plan: HandOver = { ...PLAN, from: TO, to: VAULT, copy: IN_VAULT };
    const record = recordOf(recordManifest(plan, new Date(0)));
    expect(record).toMatchObject({ from: TO, to: VAULT, copy: IN_VAULT });
    expect(record?.problem).toBeUndefined();
  });

  test.each<[string, object, RegExp]>([
    ['another entry', { ...ENTRY, path: 'floe/other/db' }, /'copy' is at another place/],
    ['another mount', { ...ENTRY, project: 'other' }, /'copy' is at another place/],
  ])('of a copy at %s of Vault than is read is refused', (_name, place, problem) => {
    expect(problemOf({ to: VAULT, copy: { ...IN_VAULT, place } })).toMatch(problem);
  });

  test.each(['floe/payments/db', 'floe/jobs/other', 'floe/xjobs/db', 'floe/jobs/db/more', ''])(
    'that reads the entry %j of Vault is refused, with a copy there or without',
    (path) => {
      const to = changed(VAULT, ['spec', 'path'], path);
      const copy = { ...IN_VAULT, place: { ...ENTRY, path } };
      expect(problemOf({ to, copy })).toMatch(/'to' reads what is of another Secret/);
      expect(problemOf({ to, copy: undefined })).toMatch(/'to' reads what is of another Secret/);
    },
  );

  it('of another Secret in Vault is refused', () => {
    const to = changed(VAULT, ['spec', 'destination', 'name'], 'other');
    expect(problemOf({ to, copy: IN_VAULT })).toMatch(/'to' writes something else than the Secret/);
  });

  it('that does not say in which store its copy is, is of Infisical', () => {
    const { store: _store, ...copy } = PLAN.copy;
    const raw = recordManifest({ ...PLAN, copy } as unknown as HandOver, new Date(0));
    expect(recordOf(raw)).toMatchObject({ copy: { store: 'infisical', created: ['A'] } });
  });

  it('of a copy in a store that nobody copies to, or that cannot be read, is refused', () => {
    expect(problemOf({ copy: { ...PLAN.copy, store: 'k8s' } })).toMatch(/'copy' cannot be read/);
    expect(problemOf({ copy: 'elsewhere' })).toMatch(/'copy' cannot be read/);
    expect(problemOf({ copy: { ...PLAN.copy, store: 'vault' } })).toMatch(/'copy' is at another place/);
  });

  const reference = { secretName: 'db', secretNamespace: 'jobs' };
  const references = ['spec', 'managedKubeSecretReferences'];
  test.each<[string, RegExp, object]>([
    [
      'another kind',
      /'to' is of a kind that no migration makes/,
      changed(TO, ['kind'], 'ClusterRoleBinding'),
    ],
    [
      'another namespace',
      /'to' is of another namespace/,
      changed(TO, ['metadata', 'namespace'], 'kube-system'),
    ],
    ['a name that is a path', /'to' has no valid name/, changed(TO, ['metadata', 'name'], '../secrets/x')],
    ['owners', /'to' has more metadata/, changed(TO, ['metadata', 'ownerReferences'], [])],
    [
      'another Secret',
      /'to' writes something else/,
      changed(TO, references, [{ ...reference, secretName: 'x' }]),
    ],
    [
      'a Secret elsewhere',
      /'to' writes something else/,
      changed(TO, references, [reference, { ...reference, secretNamespace: 'kube-system' }]),
    ],
    ['no Secret', /'to' writes something else/, changed(TO, references, [])],
    [
      'ConfigMaps too',
      /'to' writes something else/,
      changed(TO, ['spec', 'managedKubeConfigMapReferences'], [{ configMapName: 'x' }]),
    ],
  ])('with %s in its new resource is refused', (_name, problem, to) => {
    expect(problemOf({ to })).toMatch(problem);
  });

  it('with another old resource than that of the Secret is refused', () => {
    const from = changed(PLAN.from, ['spec', 'target', 'name'], 'other');
    expect(problemOf({ from })).toBe(
      "ConfigMap 'floe-migration-db' in namespace 'jobs' is not as a migration wrote it: 'from' writes something else than the Secret; nothing is done by it",
    );
    const manifest = changed(PLAN.from, ['spec', 'target', 'manifest'], { kind: 'ConfigMap' });
    expect(problemOf({ from: manifest })).toMatch(/'from' writes something else/);
  });

  test.each(['project', 'environment', 'path'])(
    'with a copy at another %s than is read is refused',
    (part) => {
      const place = { ...PLACE, [part]: '/elsewhere' };
      expect(problemOf({ copy: { ...PLAN.copy, place } })).toMatch(/'copy' is at another place/);
    },
  );

  it('of another name than its Secret gives it is refused', () => {
    const raw = recordManifest(PLAN, new Date(0));
    const renamed = changed(raw, ['metadata', 'name'], 'floe-migration-other');
    expect(recordOf(renamed)?.problem).toMatch(/it is of another Secret/);
  });

  it('of any size is read in no time', () => {
    const long = changed(TO, ['spec', 'hostAPI'], 'x'.repeat(500_000));
    expect(recordOf(recordManifest({ ...PLAN, to: long } as HandOver, new Date(0)))).toBeUndefined();
  });
});
