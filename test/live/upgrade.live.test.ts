/** From the chart before to this one and back, while pods are created; and what GitOps tools find to differ. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { findTool } from '../../tools/control-plane/kubectl.ts';
import { needs } from '../needs.ts';
import { ROOT } from '../sources.ts';
import type { Manifest } from '../stories/manifest.ts';
import { CHART, bundles, certificates, configOf, configurations, helm, outside, until } from './chart.ts';
import { HOME, SERVICE } from './cluster.ts';
import { JOBS, install, policies } from './installation.ts';
import type { Installation } from './installation.ts';
import { podAsking, tryPod } from './served.ts';
import { temporaryFile } from './temporary-file.ts';
import { pathOf } from './world.ts';

/** The chart as it was at that version, by `helm package`: a clone without history has it too. */
const BEFORE = join(import.meta.dirname, 'charts/floe-secrets-webhook-0.1.0.tgz');
const VALUES = [
  'webhook.timeoutSeconds=7',
  'config.enforcement.exempt.namespaces={legacy}',
  'config.secrets.cacheTtl=2s',
  'podLabels.team=platform',
];

describe.skipIf(!needs('apiserver') || !needs('helm'))('an upgrade from the chart before', () => {
  let installation: Installation;
  let plane: ControlPlane;

  beforeAll(async () => {
    const values = ['--set', VALUES.join(',')];
    installation = await install({ chart: BEFORE, values, controlPlane: () => ({ controllers: false }) });
    plane = installation.plane;
    await installation.start();
    await installation.start();
    await installation.untilClosed();
  });
  afterAll(() => installation?.stop());

  /** What the Deployment does: a new replica is ready before an old one goes. */
  const roll = async (): Promise<void> => {
    for (const old of installation.replicas.slice()) {
      await installation.start();
      await installation.end(old);
    }
  };
  const charts = async (): Promise<readonly unknown[]> =>
    Promise.all(
      ['configmaps', 'serviceaccounts'].map(async (plural) => {
        const path = `/api/v1/namespaces/${HOME}/${plural}/${SERVICE}`;
        const { metadata } = await plane.request<Labelled>('GET', path);
        return metadata.labels['helm.sh/chart'];
      }),
    );
  const isGuarded = async (): Promise<boolean> => {
    const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
    return (await plane.send('GET', `${path}/${SERVICE}-bundles`)).status === 200;
  };
  const carried = async (): Promise<void> => {
    const { enforcement, secrets } = await configOf(plane);
    expect(secrets).toEqual({ cacheTtl: '2s' });
    expect(JSON.stringify(enforcement)).toContain('"legacy"');
    const live = JSON.stringify(await configurations(plane));
    expect(live).toContain('"timeoutSeconds":7');
    expect(live).toContain('"legacy"');
  };

  test('begins with what that chart makes', async () => {
    expect(new Set(await charts())).toEqual(new Set([`${SERVICE}-0.1.0`]));
    expect(await isGuarded()).toBe(false);
    await carried();
  });

  test('loses no admission, carries the values, and keeps certificates and failure policies', async () => {
    const before = [await certificates(plane), await policies(plane)];
    await installation.underLoad(async () => {
      await helm(plane.kubeconfig, 'upgrade', SERVICE, CHART, '-n', HOME, '--reset-then-reuse-values');
      await roll();
    });
    expect(new Set(await charts())).not.toContain(`${SERVICE}-0.1.0`);
    expect([await certificates(plane), await policies(plane)]).toEqual(before);
    expect(await isGuarded()).toBe(true);
    await carried();
  });

  test('is taken back without one', async () => {
    const before = await certificates(plane);
    await installation.underLoad(async () => {
      await helm(plane.kubeconfig, 'rollback', SERVICE, '1', '-n', HOME);
      await roll();
      await installation.untilClosed();
    });
    expect(new Set(await charts())).toEqual(new Set([`${SERVICE}-0.1.0`]));
    expect(await certificates(plane)).toEqual(before);
    expect(await isGuarded()).toBe(false);
    await carried();
  });
});

describe.skipIf(!needs('apiserver') || !needs('controllers') || !needs('helm') || !needs('kubectl'))(
  'what GitOps applies',
  () => {
    let installation: Installation;
    let plane: ControlPlane;
    let rendered: string;
    /** As the API server stored it, defaults and all, before anybody worked with it. */
    let stored: readonly Manifest[];

    const objects = (): readonly Manifest[] =>
      parseAllDocuments(rendered)
        .map((document) => document.toJS() as Manifest | null)
        .filter((object) => object !== null)
        // Hooks come and go.
        .filter((object) => !JSON.stringify(object['metadata']).includes('helm.sh/hook'));
    const read = (): Promise<readonly Manifest[]> =>
      Promise.all(objects().map((object) => plane.request<Manifest>('GET', pathOf(object))));

    beforeAll(async () => {
      const values = ['-f', join(ROOT, 'deploy/examples/gitops/values.yaml')];
      installation = await install({ values });
      plane = installation.plane;
      const all = [...values, ...outside(installation.balancer.port)];
      rendered = await helm(plane.kubeconfig, 'template', SERVICE, CHART, '-n', HOME, '--no-hooks', ...all);
      stored = await read();
      await installation.start();
      await installation.start();
      await until('all caBundles are there', async () =>
        (await bundles(plane)).every((count) => count === 1),
      );
      // Here the webhooks refuse from the beginning, and the API server has read them only some time after the write.
      await until('a pod is admitted', async () => (await tryPod(plane, JOBS, podAsking('db'))).allowed);
      await installation.underLoad();
    });
    afterAll(() => installation?.stop());

    test('differs from what is live in nothing, by server-side apply', async () => {
      const kubectl = findTool('kubectl').path ?? '';
      // kubectl reads YAML 1.1, in which off is no word.
      const texts = objects().map((object) => stringify(object, { version: '1.1' }));
      const manifests = temporaryFile(texts.join('---\n'));
      const args = ['diff', '--server-side', '--force-conflicts', '--field-manager=argocd-controller'];
      // It fails where there is a difference, with the difference.
      const { stdout } = await promisify(execFile)(
        kubectl,
        ['--kubeconfig', plane.kubeconfig, ...args, '-f', manifests],
        // Its cache goes where the cluster's files are, and with them.
        { env: { PATH: process.env['PATH'], HOME: dirname(plane.kubeconfig) } },
      );
      expect(stdout).toBe('');
    });

    test('was changed by the leader only in what the example for Argo CD ignores', async () => {
      const application = parse(readFileSync(join(ROOT, 'deploy/examples/gitops/argocd.yaml'), 'utf8'));
      const ignored = ignoredBy(application as Application);
      const changed = (await read()).flatMap((live, index) =>
        differences(stored[index], live)
          .filter((path) => !/^\/(metadata|status)\//.test(path))
          .map((path) => `${String(live['kind'])} ${path}`),
      );
      const unforeseen = changed.filter((path) => !ignored.some((known) => isBelow(path, known)));
      expect(unforeseen).toEqual([]);
      expect(ignored.filter((known) => !changed.some((path) => isBelow(path, known)))).toEqual([]);
    });
  },
);

interface Labelled {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
}

interface Application {
  readonly spec: {
    readonly ignoreDifferences: readonly {
      readonly kind: string;
      readonly jqPathExpressions?: readonly string[];
      readonly jsonPointers?: readonly string[];
    }[];
  };
}

/** The paths that an Application ignores, each with its kind, as `differences` writes them. */
function ignoredBy({ spec }: Application): readonly string[] {
  return spec.ignoreDifferences.flatMap(({ kind, jqPathExpressions = [], jsonPointers = [] }) => [
    ...jqPathExpressions.map((path) => `${kind} ${path.replaceAll('[]?', '/*').replaceAll('.', '/')}`),
    ...jsonPointers.map((pointer) => `${kind} ${pointer}`),
  ]);
}

function isBelow(path: string, known: string): boolean {
  return path === known || path.startsWith(`${known}/`);
}

/** The topmost paths at which two values differ; `*` stands for any element of a list. */
function differences(one: unknown, other: unknown, path = ''): readonly string[] {
  if (Array.isArray(one) && Array.isArray(other) && one.length === other.length)
    return one.flatMap((item, index) => differences(item, other[index], `${path}/*`));
  if (isRecord(one) && isRecord(other)) {
    const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
    return keys.flatMap((key) => differences(one[key], other[key], `${path}/${key}`));
  }
  return JSON.stringify(one) === JSON.stringify(other) ? [] : [path];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
