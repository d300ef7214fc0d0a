// What the commands print that ask or change a cluster, in every format. Whatever can is a dry run, so that each format
// is of the same cluster.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as create } from '../../src/cli/create.ts';
import { run as doctor } from '../../src/cli/doctor.ts';
import { list as gatesList, open as gatesOpen } from '../../src/cli/gates.ts';
import type { Options } from '../../src/cli/options.ts';
import { run as restore } from '../../src/cli/restore.ts';
import { run as sync } from '../../src/cli/sync.ts';
import { run as uninstall } from '../../src/cli/uninstall.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { INFISICAL_KINDS, installCrds } from '../../tools/control-plane/crds.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { startInfisicalOperator } from '../live/operators.ts';
import type { Operator } from '../live/operators.ts';
import { needs } from '../needs.ts';
import { captured, folderOf, infisicalSecret } from './captured.ts';
import { expectGolden } from './golden.ts';

const NAME = 'floe-secrets-webhook';
const GATE = { name: 'secrets.floe.dev/pending' };
const WIRING = `apiVersion: v1
kind: Namespace
metadata: {name: floe-jobs, labels: {secrets.floe.dev/injection: enabled, secrets.floe.dev/enforcement: warn}}
---
${infisicalSecret('orders')}`;

/** name of the golden files, command, options, exit code */
const COMMANDS: readonly [string, typeof create, Options, number][] = [
  ['create', create, { secret: 'new', plugin: 'k8s', fromLiteral: ['A=x', 'B=y'], dryRun: true }, 0],
  ['sync', sync, { secret: 'db' }, 0],
  [
    'doctor',
    (options, terminal) => doctor(options, terminal, '9.9.9'),
    { namespace: 'nowhere', name: NAME },
    5,
  ],
  ['gates', gatesList, {}, 0],
  ['gates-open', gatesOpen, { all: true, dryRun: true }, 0],
  ['restore', restore, { files: ['wiring.yaml'], dryRun: true }, 0],
  ['uninstall', uninstall, { name: NAME, dryRun: true }, 0],
];

describe.skipIf(!needs('apiserver'))('on a cluster', () => {
  let cluster: ControlPlane;
  let operator: Operator;
  const cwd = folderOf({ 'wiring.yaml': WIRING });

  beforeAll(async () => {
    cluster = await startControlPlane({ controllers: false });
    await installCrds(cluster, INFISICAL_KINDS);
    const labels = { 'secrets.floe.dev/injection': 'enabled' };
    await cluster.request('POST', '/api/v1/namespaces', { metadata: { name: 'floe-jobs', labels } });
    await cluster.request('POST', '/api/v1/namespaces', { metadata: { name: 'nowhere' } });
    await cluster.request('POST', '/api/v1/namespaces/floe-jobs/pods', {
      metadata: { name: 'dbt-run' },
      spec: { schedulingGates: [GATE], containers: [{ name: 'dbt', image: 'dbt' }] },
    });
    await cluster.request('POST', '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', {
      metadata: { name: NAME },
    });
    operator = startInfisicalOperator(cluster, 'floe-jobs');
    await cluster.request(
      'POST',
      '/apis/secrets.infisical.com/v1alpha1/namespaces/floe-jobs/infisicalsecrets',
      {
        apiVersion: 'secrets.infisical.com/v1alpha1',
        kind: 'InfisicalSecret',
        metadata: { name: 'db' },
        spec: {
          resyncInterval: 60,
          managedKubeSecretReferences: [{ secretName: 'db', secretNamespace: 'floe-jobs' }],
        },
      },
    );
    await operator.synced('db');
  });
  afterAll(async () => {
    await operator?.stop();
    await cluster?.stop();
  });

  describe.each(COMMANDS)('%s', (name, run, options, exitCode) => {
    it.each(['text', 'json', 'yaml'])('writes %s', async (output) => {
      const given = { kubeconfig: cluster.kubeconfig, namespace: 'floe-jobs', ...options, output };
      const { out, err, code } = await captured(run, given, { cwd });
      expect([code, err]).toEqual([exitCode, name === 'sync' ? expect.stringMatching(/^Note: /) : '']);
      await expectGolden(`${name}.${output}`, out.replaceAll(/\bv\d+\.\d+\.\d+\S*?(?=["\n])/g, '<VERSION>'));
    });
  });
});
