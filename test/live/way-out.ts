/** What is handed out of Infisical, whoever takes it: a resource of either kind that has synced the Secret 'db'. */
import { expect, vi } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import { PROJECT } from '../upstream/infisical-server.ts';
import { startStaticOperator } from './infisical-static-operator.ts';
import type { Stage } from './migration-stage.ts';
import { openStage } from './migration-stage.ts';

export const CEILING = { timeout: 60_000, interval: 50 };
export const RECORD = 'configmaps/floe-migration-db';
/** What Infisical's operators leave on a Secret. */
export const MARK = 'secrets.infisical.com/version';

export const VALUES = { USER: 'floe-made-up', PASSWORD: 'hunter2-made-up' };

/** Two of its secrets under other keys. */
export const RENAMED = {
  template: {
    includeAllSecrets: false,
    data: { login: '{{ .USER.Value }}', 'pass.word': '{{ .PASSWORD.Value }}' },
  },
};

export interface Source {
  readonly kind?: 'InfisicalSecret' | 'InfisicalStaticSecret';
  /** More of the Secret that it writes. */
  readonly target?: object;
  readonly values?: Readonly<Record<string, string>>;
  /** One that is there; default a new one. */
  readonly namespace?: string;
}

export interface WayOut extends Stage {
  /** 'infisicalsecrets/db'. */
  readonly source: string;
  /** The folder that it reads, in the environment 'prod'. */
  readonly path: string;
}

export async function openWayOut(
  plane: ControlPlane,
  infisical: InfisicalServer,
  { kind = 'InfisicalSecret', target = {}, values = VALUES, namespace }: Source = {},
): Promise<WayOut> {
  const stage = await openStage(plane, infisical, namespace);
  const path = `/${stage.namespace}/db`;
  infisical.seed('prod', path, values);
  const operator = startStaticOperator(plane, stage.namespace, () => infisical);
  const collection = `${kind.toLowerCase()}s`;
  const place = { namespace: stage.namespace, path, target };
  const made = kind === 'InfisicalSecret' ? olderSource(infisical, place) : staticSource(place);
  await stage.make(collection, { ...made, kind, metadata: { name: 'db', labels: { team: 'data' } } });
  await vi.waitFor(async () => expect(await stage.exists('secrets/db')).toBe(true), CEILING);
  return {
    ...stage,
    source: `${collection}/db`,
    path,
    stop: async () => void (await Promise.all([operator.stop(), stage.stop()])),
  };
}

interface Place {
  readonly namespace: string;
  readonly path: string;
  readonly target: object;
}

function olderSource({ url }: InfisicalServer, { namespace, path, target }: Place): object {
  const credentialsRef = { secretName: 'operator', secretNamespace: 'infisical' };
  const secretsScope = { projectSlug: PROJECT.slug, envSlug: 'prod', secretsPath: path };
  return {
    apiVersion: 'secrets.infisical.com/v1alpha1',
    spec: {
      hostAPI: `${url}/api`,
      syncConfig: { resyncInterval: '1m' },
      authentication: { universalAuth: { credentialsRef, secretsScope } },
      managedKubeSecretReferences: [
        { secretName: 'db', secretNamespace: namespace, creationPolicy: 'Owner', ...target },
      ],
    },
  };
}

function staticSource({ namespace, path, target }: Place): object {
  return {
    apiVersion: 'secrets.infisical.com/v1beta1',
    spec: {
      infisicalAuthRef: { name: 'main', namespace },
      syncOptions: { refreshInterval: '1m' },
      sources: [{ projectSlug: PROJECT.slug, environmentSlug: 'prod', secretPath: path }],
      targets: [{ kind: 'Secret', name: 'db', namespace, creationPolicy: 'Owner', ...target }],
    },
  };
}

/** Of both sides. Whoever was at it may have written a rehearsal once more: its owner is gone, and so it goes. */
export async function expectSwept(scene: WayOut, successor: string): Promise<void> {
  const left = ['infisicalsecrets', 'infisicalstaticsecrets', successor, 'secrets'].map(
    (collection) => `${collection}/db-floe-rehearsal`,
  );
  await vi.waitFor(
    async () => expect((await Promise.all(left.map(scene.exists))).includes(true)).toBe(false),
    CEILING,
  );
}
