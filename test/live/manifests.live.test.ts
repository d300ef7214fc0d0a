/** What the chart renders is what a real API server takes, in every combination of values that makes other objects. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, inject, test } from 'vitest';
import { makeApiClient } from '../../tools/control-plane/api-client.ts';
import { installCrds } from '../../tools/control-plane/crds.ts';
import { findTool } from '../../tools/control-plane/kubectl.ts';
import { needs } from '../needs.ts';
import { ROOT } from '../sources.ts';
import { CHART, FOREIGN_KINDS, helm } from './chart.ts';
import { HOME, SERVICE } from './cluster.ts';
import { temporaryFile } from './temporary-file.ts';

const cluster = inject('cluster');
const run = promisify(execFile);

const EXAMPLES = join(ROOT, 'deploy/examples');

const MATRIX: readonly (readonly [string, readonly string[]])[] = [
  ['its own values', []],
  ['controllers of their own', ['--set', 'controllers.separate=true']],
  ['strict everywhere', ['--set', 'config.enforcement.minimum=strict,config.webhook.workloads=strict']],
  ['cert-manager', ['--set', 'certificates.mode=cert-manager']],
  [
    'files',
    ['--set', 'certificates.mode=files,certificates.existingSecret=tls,certificates.clientCAConfigMap=ca'],
  ],
  ['all Secrets watched', ['--set', 'config.secrets.access=watch']],
  ['Secrets of two namespaces', ['--set', 'rbac.secretNamespaces={default,kube-public}']],
  [
    'metrics',
    [
      '--set',
      'metrics.serviceMonitor.enabled=true,metrics.prometheusRule.enabled=true,metrics.dashboard.enabled=true',
    ],
  ],
  ...['floe-infisical', 'eso-infisical', 'eso-vault', 'air-gapped'].map(
    (name) => [name, ['-f', join(EXAMPLES, `values/${name}.yaml`)]] as const,
  ),
  ['GitOps', ['-f', join(EXAMPLES, 'gitops/values.yaml')]],
];

describe.skipIf(!needs('apiserver') || !needs('helm') || !needs('kubectl'))('the chart with', () => {
  const scratch = temporaryFile('');
  let kubeconfig = '';
  beforeAll(async () => {
    if (cluster === undefined) throw new Error('no cluster');
    kubeconfig = cluster.kubeconfig;
    const api = makeApiClient(cluster);
    await installCrds(api, FOREIGN_KINDS);
    await api.close();
  });

  test.each(MATRIX)('%s', async (_what, values) => {
    const rendered = await helm(kubeconfig, 'template', SERVICE, CHART, '-n', HOME, ...values);
    await tried(rendered);
  });

  test('no Helm at all: the plain manifests', async () => {
    await tried(join(ROOT, 'deploy/manifests/install.yaml'));
  });

  /** The API server's own validation, unknown fields included; nothing is written. */
  async function tried(manifests: string): Promise<void> {
    const kubectl = findTool('kubectl');
    if (kubectl.path === undefined) throw new Error('no kubectl');
    const file = manifests.startsWith('/') ? manifests : scratch;
    if (file === scratch) writeFileSync(file, manifests);
    const args = [
      'apply',
      '--dry-run=server',
      '--validate=strict',
      '--server-side',
      '--force-conflicts',
      '-f',
      file,
    ];
    await run(kubectl.path, ['--kubeconfig', kubeconfig, ...args]);
  }
});
