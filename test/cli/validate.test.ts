import { describe, expect, it } from 'vitest';
import { run } from '../../src/cli/validate.ts';
import { NAMESPACE, SECRET, captured, folderOf, infisicalSecret, readyStatus } from './captured.ts';

const manifest = (...secrets: readonly string[]): string =>
  [
    'apiVersion: floe.dev/v1',
    'kind: Manifest',
    'plugins:',
    ...secrets.map((name, index) => `  p${index}: {type: x, connection_secret_ref: ${name}}`),
    '',
  ].join('\n');

async function validated(files: Readonly<Record<string, string>>, options = {}) {
  const cwd = folderOf({ 'world/world.yaml': `${NAMESPACE}---\n${SECRET}`, ...files });
  return captured(run, { world: ['world'], namespace: 'floe-jobs', ...options }, { cwd });
}

describe('validate', () => {
  it('is content where everything is there', async () => {
    const files = {
      'manifest.yaml': manifest('snowflake-credentials', 'catalog-credentials'),
      'world/more.yaml': SECRET.replace('snowflake-credentials', 'catalog-credentials').replace(
        /^data.*\n/m,
        '',
      ),
    };
    expect(await validated(files)).toEqual({
      code: 0,
      err: '',
      out: `Validating secret references in manifest.yaml...
✓ snowflake-credentials: exists, 3 keys
✓ catalog-credentials: exists, 2 keys

All 2 references found.
`,
    });
  });

  it('names what is not there and how to make it', async () => {
    expect(
      await validated({ 'manifest.yaml': manifest('snowflake-credentials', 'salesforce-credentials') }),
    ).toEqual({
      code: 5,
      err: '',
      out: `Validating secret references in manifest.yaml...
✓ snowflake-credentials: exists, 3 keys
✗ salesforce-credentials: NOT FOUND

1 error found. Run 'floe-secrets create salesforce-credentials' to fix.
`,
    });
  });

  it('writes numbers as people do', async () => {
    const one = await validated({
      'manifest.yaml': manifest('one'),
      'world/one.yaml': SECRET.replace('snowflake-credentials', 'one').replace(/^stringData.*\n/m, ''),
    });
    expect(one.out).toContain('✓ one: exists, 1 key\n\nAll 1 reference found.\n');
    const two = await validated({ 'manifest.yaml': manifest('a', 'b') });
    expect(two.out).toContain(
      "\n\n2 errors found. Run 'floe-secrets create a', 'floe-secrets create b' to fix.\n",
    );
    expect((await validated({ 'manifest.yaml': 'kind: Manifest\n' })).out).toContain(
      '\n\nNo secret references found.\n',
    );
  });

  it('checks the keys that a reference names', async () => {
    const text = `plugins:
  secrets:
    type: infisical
    config:
      client_id: {secretRef: {name: snowflake-credentials, key: SNOWFLAKE_USER}}
      client_secret: {secretRef: {name: snowflake-credentials, key: clientSecret}}
`;
    const { out, code } = await validated({ 'manifest.yaml': text });
    expect(code).toBe(5);
    expect(out).toContain('✗ snowflake-credentials: exists, 3 keys, KEY NOT FOUND\n');
    expect(out).toContain(
      "no key 'clientSecret'. Used by plugins.secrets.config.client_secret.secretRef (manifest.yaml:6)",
    );
    expect(out).toContain('\n\n1 error found.\n');
  });

  it("tells the operator's words of a Secret that is not synced, and does not propose to create it", async () => {
    const sync = infisicalSecret('db', {
      status: readyStatus('False', '2026-01-01T00:00:00Z', 'invalid token'),
    });
    const { out, code } = await validated({ 'manifest.yaml': manifest('db'), 'world/sync.yaml': sync });
    expect(code).toBe(5);
    expect(out).toContain('✗ db: NOT FOUND\n  ✗ FLOE-E803: ');
    expect(out).toContain('invalid token');
    expect(out).toContain('\n\n1 error found.\n');
  });

  it('warns of names and namespaces that do not work, without an error', async () => {
    const text = `a: {secret_ref: dotted.name}\nb: {secret_ref: {name: minio, namespace: floe-system}}\n`;
    const secrets = [
      SECRET.replace('snowflake-credentials', 'dotted.name'),
      SECRET.replace('snowflake-credentials, namespace: floe-jobs', 'minio, namespace: floe-system'),
    ];
    const { out, code } = await validated({
      'manifest.yaml': text,
      'world/more.yaml': secrets.join('---\n'),
    });
    expect(code).toBe(0);
    expect(out).toContain("✓ dotted.name: exists, 3 keys\n  ! FLOE-E830: Secret name 'dotted.name'");
    expect(out).toContain(
      "✓ minio: exists, 3 keys\n  ! it is in namespace 'floe-system', and pods of namespace 'floe-jobs'",
    );
    expect(out).toContain('All 2 references found.');
  });

  it('looks nothing up for a name that no Secret can have', async () => {
    const { out, code } = await validated({ 'manifest.yaml': 'secret_ref: ../../nodes\n' });
    expect(code).toBe(5);
    expect(out).toContain("FLOE-E805: '../../nodes' is not a valid Secret name");
    expect(out).toContain('1 error found.\n');
  });

  it('finds the manifest by its old name, and takes another with -c', async () => {
    const old = await validated({ 'platform-manifest.yaml': manifest('snowflake-credentials') });
    expect(old.out).toContain('in platform-manifest.yaml...');
    const given = await validated(
      { 'deep/floe.yaml': manifest('snowflake-credentials') },
      { config: 'deep/floe.yaml' },
    );
    expect(given.out).toContain('in deep/floe.yaml...');
  });

  it("takes the namespace of the manifest's secrets plugin where -n does not say", async () => {
    const text = `${manifest('snowflake-credentials')}  secrets: {type: k8s, config: {namespace: floe-jobs}}\n`;
    const more = {
      'manifest.yaml': text,
      'world/other.yaml': SECRET.replace('namespace: floe-jobs', 'namespace: other'),
    };
    expect((await validated(more, { namespace: undefined })).code).toBe(0);
    expect((await validated(more, { namespace: 'nowhere' })).code).toBe(5);
  });

  it('writes a document', async () => {
    const { out, code } = await validated(
      { 'manifest.yaml': manifest('snowflake-credentials', 'salesforce') },
      { output: 'json' },
    );
    expect(code).toBe(5);
    expect(JSON.parse(out)).toMatchObject({
      apiVersion: 'secrets.floe.dev/v1alpha1',
      kind: 'ValidateList',
      items: [
        {
          namespace: 'floe-jobs',
          name: 'snowflake-credentials',
          exists: true,
          state: 'Synced',
          keys: 3,
          references: [{ field: 'plugins.p0.connection_secret_ref', line: 4, keys: [] }],
          findings: [],
        },
        {
          name: 'salesforce',
          exists: false,
          state: 'Missing',
          keys: null,
          findings: [{ code: 'FLOE-E801', severity: 'error' }],
        },
      ],
      summary: { references: 2, found: 1, errors: 1, warnings: 0 },
    });
  });

  it('reads compiled artifacts and a floe.yaml, instead of a manifest and besides', async () => {
    const files = {
      'manifest.yaml': manifest('snowflake-credentials'),
      'artifacts.json': JSON.stringify({
        deployment: {
          storage: { credentials: { secret_ref: { name: 'minio', keys: { user: 'root-user' } } } },
        },
      }),
      'floe.yaml': 'destinations:\n  - name: crm\n    connection_secret_ref: salesforce\n',
    };
    const alone = await validated(files, { artifacts: ['artifacts.json', 'floe.yaml'] });
    expect(alone.out).toContain(
      'Validating secret references in artifacts.json, floe.yaml...\n✗ minio: NOT FOUND',
    );
    expect(alone.out).toContain('✗ salesforce: NOT FOUND');
    expect(alone.out).not.toContain('snowflake');
    const besides = await validated(files, { config: 'manifest.yaml', artifacts: ['artifacts.json'] });
    expect(besides.out).toContain('✓ snowflake-credentials: exists');
    expect(besides.out).toContain('✗ minio: NOT FOUND');
    expect((await validated(files, { artifacts: ['nope.json'] })).code).toBe(3);
  });

  it('takes FLOE_ENV for the environment that the secrets must be of', async () => {
    const sync = infisicalSecret('sync', {
      target: 'snowflake-credentials',
      status: readyStatus('True', '2026-01-01T00:00:00Z'),
    });
    const cwd = folderOf({
      'manifest.yaml': manifest('snowflake-credentials'),
      'world/world.yaml': `${NAMESPACE}---\n${SECRET}---\n${sync}`,
    });
    const within = async (FLOE_ENV: string) =>
      captured(run, { world: ['world'], namespace: 'floe-jobs' }, { cwd, env: { FLOE_ENV } });
    // The aliases of the settings count: the resource says `production`.
    expect((await within('prod')).code).toBe(0);
    expect((await within('')).code).toBe(0);
    const staging = await within('staging');
    expect(staging.code).toBe(5);
    expect(staging.out).toContain('FLOE-E811');
  });

  it.each<readonly [string, Readonly<Record<string, string>>, object, readonly [number, string]]>([
    ['no manifest', {}, {}, [3, 'no manifest.yaml and no platform-manifest.yaml here']],
    ['a manifest that is not there', {}, { config: 'x.yaml' }, [3, '/x.yaml: no such file or directory']],
    [
      'artifacts that are not there',
      {},
      { artifacts: ['y.json'] },
      [3, '/y.json: no such file or directory'],
    ],
    ['a manifest that is none', { 'manifest.yaml': 'a: 1\na: 2' }, {}, [1, 'manifest.yaml:2: two keys']],
  ])('%s', async (_case, files, options, [code, message]) => {
    const outcome = await validated(files, options);
    expect([outcome.code, outcome.out]).toEqual([code, '']);
    expect(outcome.err).toContain(message);
  });
});
