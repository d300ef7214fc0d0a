import { describe, expect, it } from 'vitest';
import { effectiveEnv } from '../../tools/control-plane/effective-env.ts';
import { mountedIn, volumeFiles } from '../../tools/control-plane/mounted-files.ts';
import type { Container, Pod, ReadSource, Volume } from '../../tools/control-plane/pod-shape.ts';

const SOURCES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'Secret/db': { USER: 'floe', PASSWORD: 's3cret' },
  'Secret/other': { USER: 'second' },
  'ConfigMap/settings': { LEVEL: 'info' },
};

const read: ReadSource = async (kind, name) => {
  const data = SOURCES[`${kind}/${name}`];
  return data === undefined ? undefined : new Map(Object.entries(data));
};

function podWith(container: Partial<Container>, volumes: readonly Volume[] = []): Pod {
  const metadata = { name: 'p', namespace: 'ns', uid: 'u', labels: { app: 'web' } };
  return { metadata, spec: { containers: [{ name: 'c', image: 'i', ...container }], volumes } };
}

async function envOf(container: Partial<Container>): Promise<Record<string, string>> {
  const pod = podWith(container);
  const [first] = pod.spec.containers;
  if (first === undefined) throw new Error('no container');
  return effectiveEnv(pod, first, read);
}

async function filesOf(volume: Volume, subPath?: string): Promise<Record<string, unknown>> {
  const mount = { name: volume.name, mountPath: '/m', ...(subPath === undefined ? {} : { subPath }) };
  const pod = podWith({ volumeMounts: [mount] }, [volume]);
  const [first] = pod.spec.containers;
  if (first === undefined) throw new Error('no container');
  return mountedIn(first, await volumeFiles(pod, read));
}

describe('effectiveEnv', () => {
  it('lets the later envFrom win, and env over all of them', async () => {
    const envFrom = [{ secretRef: { name: 'db' } }, { secretRef: { name: 'other' } }];
    const env = [{ name: 'PASSWORD', value: 'own' }];
    expect(await envOf({ envFrom, env })).toEqual({ USER: 'second', PASSWORD: 'own' });
  });

  it('puts the prefix before each name', async () => {
    const envFrom = [{ prefix: 'X_', configMapRef: { name: 'settings' } }];
    expect(await envOf({ envFrom })).toEqual({ X_LEVEL: 'info' });
  });

  it.each([
    ['$(USER)@h', 'floe@h'],
    ['$$(USER)', '$(USER)'],
    ['$(NOBODY)', '$(NOBODY)'],
    ['$(USER', '$(USER'],
    ['$x', '$x'],
  ])('expands %s', async (value, expanded) => {
    const envFrom = [{ secretRef: { name: 'db' } }];
    expect(await envOf({ envFrom, env: [{ name: 'V', value }] })).toMatchObject({ V: expanded });
  });

  it('leaves out what is optional and missing', async () => {
    const envFrom = [{ secretRef: { name: 'none', optional: true } }];
    const env = [
      { name: 'A', valueFrom: { secretKeyRef: { name: 'none', key: 'K', optional: true } } },
      { name: 'B', valueFrom: { secretKeyRef: { name: 'db', key: 'NONE', optional: true } } },
    ];
    expect(await envOf({ envFrom, env })).toEqual({});
  });

  it('reads fields of the pod', async () => {
    const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
    const env = [field('NS', 'metadata.namespace'), field('APP', "metadata.labels['app']")];
    expect(await envOf({ env })).toEqual({ NS: 'ns', APP: 'web' });
  });

  it.each<[Partial<Container>, string]>([
    [{ envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
    [{ envFrom: [{ configMapRef: { name: 'none' } }] }, 'configmap "none" not found'],
    [
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'none', key: 'K' } } }] },
      'secret "none" not found',
    ],
    [
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'db', key: 'K' } } }] },
      "couldn't find key K in Secret ns/db",
    ],
    [
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'K' } } }] },
      "couldn't find key K in ConfigMap ns/settings",
    ],
  ])("refuses in the kubelet's words", async (container, message) => {
    await expect(envOf(container)).rejects.toThrow(message);
  });
});

describe('mounted files', () => {
  it('are the keys, or the items with their paths and modes', async () => {
    expect(await filesOf({ name: 'v', secret: { secretName: 'other', defaultMode: 0o440 } })).toEqual({
      '/m/USER': { content: 'second', mode: 0o440 },
    });
    const items = [{ key: 'USER', path: 'a/user', mode: 0o400 }];
    expect(await filesOf({ name: 'v', secret: { secretName: 'db', items } })).toEqual({
      '/m/a/user': { content: 'floe', mode: 0o400 },
    });
  });

  it('share the mode of a projected volume', async () => {
    const sources = [{ secret: { name: 'other' } }, { configMap: { name: 'settings' } }];
    expect(await filesOf({ name: 'v', projected: { defaultMode: 0o444, sources } })).toEqual({
      '/m/USER': { content: 'second', mode: 0o444 },
      '/m/LEVEL': { content: 'info', mode: 0o444 },
    });
  });

  it('can be one of them, by its path', async () => {
    expect(await filesOf({ name: 'v', secret: { secretName: 'db' } }, 'USER')).toEqual({
      '/m': { content: 'floe', mode: 0o644 },
    });
  });

  it('are none where an optional Secret is missing', async () => {
    expect(await filesOf({ name: 'v', secret: { secretName: 'none', optional: true } })).toEqual({});
  });

  it('name what is missing otherwise', async () => {
    await expect(filesOf({ name: 'v', secret: { secretName: 'none' } })).rejects.toThrow(
      'MountVolume.SetUp failed for volume "v" : secret "none" not found',
    );
    const items = [{ key: 'K', path: 'k' }];
    await expect(filesOf({ name: 'v', secret: { secretName: 'db', items } })).rejects.toThrow(
      'references non-existent secret key: K',
    );
  });
});
