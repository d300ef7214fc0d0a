import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readWorldContents, readWorldFolder, watchWorldFolder } from '../../src/cluster/world-files.ts';
import { createdAt } from '../../src/kube/object.ts';
import { PLUGINS } from '../../src/plugins/index.ts';

const kinds = PLUGINS.flatMap((plugin) => plugin.kinds);
const secret = (name: string, keys = '{a: aHVudGVyMg==}'): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: ${name}, namespace: floe-jobs}\ndata: ${keys}\n`;

let folder = '';
const put = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'floe-world-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('readWorldFolder', () => {
  it('knows Secrets by their keys and keeps no value', async () => {
    put('a.yaml', `${secret('db', '{b: aHVudGVyMg==, a: aHVudGVyMg==}')}stringData: {c: hunter2}\n`);
    const contents = await readWorldContents([folder], { kinds });
    expect(contents.secrets).toMatchObject([
      { namespace: 'floe-jobs', name: 'db', type: 'Opaque', keys: ['a', 'b', 'c'], keysComplete: true },
    ]);
    expect(JSON.stringify(contents)).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  it('drops last-applied-configuration, which may hold values', async () => {
    const applied = '{annotations: {kubectl.kubernetes.io/last-applied-configuration: "hunter2"}, name: db}';
    put('a.yaml', `apiVersion: v1\nkind: Secret\nmetadata: ${applied}\n`);
    expect(JSON.stringify(await readWorldContents([folder], { kinds }))).not.toContain('hunter2');
  });

  it('reads folders, JSON and Lists, and passes over what is hidden or of another kind', async () => {
    mkdirSync(join(folder, 'deep'));
    mkdirSync(join(folder, '.git'));
    put('deep/a.yml', secret('yml'));
    put(
      'b.json',
      '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"json","namespace":"floe-jobs"}}]}',
    );
    put('.git/c.yaml', 'broken: [');
    put('README.md', 'broken: [');
    put('d.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n');
    const { secrets, objects } = await readWorldContents([folder], { kinds });
    expect(secrets.map(({ name }) => name)).toEqual(['json', 'yml']);
    expect(objects).toEqual([]);
  });

  it('finds sync resources by what they target, whatever the version of their group', async () => {
    put(
      'a.yaml',
      'apiVersion: secrets.infisical.com/v9\nkind: InfisicalSecret\nmetadata: {name: sync, namespace: floe-jobs}\nspec: {managedKubeSecretReferences: [{secretName: db, secretNamespace: floe-jobs}]}\n',
    );
    const world = await readWorldFolder([folder], { kinds });
    expect(world.targeting('floe-jobs', 'db')).toHaveLength(1);
    expect(world.targetsIn('floe-jobs')).toEqual(['db']);
    expect(world.secret('floe-jobs', 'db')).toEqual({ state: 'absent' });
  });

  it('knows what the leader runs, whatever its installation is called', async () => {
    const lease = (name: string, controllers: string): string =>
      `apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: ${name}, annotations: {${controllers}}}\nspec: {holderIdentity: a}\n`;
    put('a.yaml', lease('some-operator', ''));
    put('b.yaml', lease('team-secrets', 'secrets.floe.dev/controllers: "gates,reload"'));
    const world = await readWorldFolder([folder], { kinds });
    expect(['gates', 'reload', 'index'].map(world.serves)).toEqual([true, true, false]);
  });

  it("takes an object's age from its creation time, else from the file", async () => {
    const account = (more: string): string =>
      `apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a${more}}\n`;
    const old = put('a.yaml', account(''));
    utimesSync(old, 1_700_000_000, 1_700_000_000);
    const [byFile] = (await readWorldContents([old], { kinds })).objects;
    expect(createdAt(byFile?.raw)).toBe(1_700_000_000_000);
    put('a.yaml', account(', creationTimestamp: "2026-01-01T00:00:00Z"'));
    const [byObject] = (await readWorldContents([folder], { kinds })).objects;
    expect(createdAt(byObject?.raw)).toBe(Date.parse('2026-01-01T00:00:00Z'));
  });

  it('names the file that it cannot read', async () => {
    put('a.yaml', secret('a'));
    put('b.yaml', 'a: 1\na: 2\n');
    await expect(readWorldFolder([folder], { kinds })).rejects.toThrow(
      'b.yaml:2: two keys of one mapping are equal',
    );
    await expect(readWorldFolder(['nowhere'], { kinds, cwd: folder })).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

describe('watchWorldFolder', () => {
  const watching = () => {
    const errors: string[] = [];
    const watched = watchWorldFolder(folder, { kinds, onError: ({ message }) => errors.push(message) });
    onTestFinished(watched.stop);
    return { ...watched, errors };
  };
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await sleep(20);
  };

  it('picks up files that come, change and go', async () => {
    put('a.yaml', secret('a'));
    const { world, ready } = watching();
    await ready();
    const state = (name: string): string => world.secret('floe-jobs', name).state;
    expect([state('a'), state('b')]).toEqual(['present', 'absent']);
    put('b.yaml', secret('b'));
    await until(() => state('b') === 'present');
    // As a mounted ConfigMap changes: by a rename, with the same size.
    put('.new', secret('c'));
    renameSync(join(folder, '.new'), join(folder, 'b.yaml'));
    await until(() => state('c') === 'present');
    expect(state('b')).toBe('absent');
    rmSync(join(folder, 'a.yaml'));
    await until(() => state('a') === 'absent');
  });

  it('keeps the last good world, and tells once what is wrong', async () => {
    put('a.yaml', secret('a'));
    const { world, ready, errors } = watching();
    await ready();
    put('b.yaml', 'a: "hunter2\n');
    await until(() => errors.length > 0);
    await sleep(1200);
    expect(errors).toEqual([
      expect.stringMatching(/b\.yaml:\d+: a quote, bracket, comma or colon is missing$/),
    ]);
    expect(world.secret('floe-jobs', 'a').state).toBe('present');
    put('b.yaml', secret('b'));
    await until(() => world.secret('floe-jobs', 'b').state === 'present');
  });

  it('waits for a folder that is not there yet', async () => {
    rmSync(folder, { recursive: true });
    const { world, ready, errors } = watching();
    await until(() => errors.length > 0);
    expect(world.secret('floe-jobs', 'a')).toEqual({ state: 'absent' });
    mkdirSync(folder);
    put('a.yaml', secret('a'));
    await ready();
    expect(world.secret('floe-jobs', 'a').state).toBe('present');
  });

  it.skipIf(process.getuid?.() === 0)('tells of a file that it may not read', async () => {
    const { ready, errors } = watching();
    await ready();
    chmodSync(put('a.yaml', secret('a')), 0o000);
    await until(() => errors.length > 0);
    expect(errors[0]).toContain('EACCES');
  });
});
