import { describe, expect, it } from 'vitest';
import { run } from '../../src/cli/explain.ts';
import type { Options } from '../../src/cli/options.ts';
import { captured } from './captured.ts';
import { expectGolden } from './golden.ts';
import { runningCluster } from './running.ts';

const MANIFEST = `apiVersion: v1
kind: Pod
metadata: {name: fresh, namespace: floe-jobs, annotations: {secrets.floe.dev/env: "PW=db/PASSWORD, X=db/NOPE"}}
spec: {containers: [{name: dbt, image: dbt}]}
`;
const cwd = runningCluster({
  'pod.yaml': MANIFEST,
  'secret.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n',
});

async function explain(more: Options) {
  return captured(run, { world: ['world'], namespace: 'floe-jobs', ...more }, { cwd });
}

describe('explain', () => {
  it.each([
    ['pod', 'store-0', 0],
    ['missed', 'pod/web-1-a', 5],
    ['workload', 'deployment/web', 0],
    ['cronjob', 'cj/nightly', 0],
  ])('tells of a %s', async (name, pod, code) => {
    const told = await explain({ pod });
    expect([told.code, told.err]).toEqual([code, '']);
    await expectGolden(`explain-${name}.text`, told.out);
  });

  it.each(['json', 'yaml'])('writes %s', async (output) => {
    const { out } = await explain({ pod: 'deployment/web', output });
    await expectGolden(`explain.${output}`, out);
  });

  it('tells of a manifest, with the states that the judgement gives', async () => {
    const told = await explain({ filename: ['pod.yaml'] });
    expect(told.out).toMatch(/^db +KeysMissing +no sync resource/m);
    expect(told.out).toContain("container 'dbt', env PW: db/PASSWORD, by secrets.floe.dev/env on the Pod");
    expect(told.out).toContain('FLOE-E802');
  });

  it('takes the owner of a pod that never came to be', async () => {
    const told = await explain({ pod: 'web-1-zzz' });
    expect(told.err).toBe(
      "There is no pod 'web-1-zzz': explaining Deployment 'web', which makes such pods.\n",
    );
    expect(told.out).toContain("The controller's last refusal:\n  admission webhook");
  });

  it.each([
    [{ pod: 'nope' }, 1, /there is no pod 'nope' in namespace floe-jobs.*deployment\/NAME/],
    [
      { pod: 'deployment/nope' },
      1,
      /there is no deployment 'nope' in namespace floe-jobs; see kubectl get deployment -n floe-jobs/,
    ],
    [
      { pod: 'deployment/wbe' },
      1,
      /there is no deployment 'wbe' in namespace floe-jobs; did you mean 'web'\?\n/,
    ],
    [{ pod: 'stoer' }, 1, /did you mean 'store'\?/],
    [{ pod: 'service/web' }, 2, /'service' is no kind with pods/],
    [{}, 2, /name a pod/],
    [{ pod: 'web', filename: ['pod.yaml'] }, 2, /name a pod/],
    [{ filename: ['secret.yaml'] }, 1, /no pod and no workload/],
  ])('%j is exit code %i', async (options, code, message) => {
    const told = await explain(options);
    expect([told.code, told.out]).toEqual([code, '']);
    expect(told.err).toMatch(message);
  });

  it('says that a pod waits behind its gate', async () => {
    const waiting = `apiVersion: v1
kind: Pod
metadata: {name: waits, namespace: floe-jobs, annotations: {secrets.floe.dev/inject: lost}}
spec: {schedulingGates: [{name: secrets.floe.dev/pending}], containers: [{name: dbt, envFrom: [{secretRef: {name: lost}}]}]}
`;
    const folder = runningCluster({ 'world/waiting.yaml': waiting });
    const options = { world: ['world'], namespace: 'floe-jobs', pod: 'waits' };
    const { out } = await captured(run, options, { cwd: folder });
    expect(out).toContain('  waits behind its gate until its Secrets are there\n');
    expect((await explain({ pod: 'store-0' })).out).not.toContain('gate');
  });

  it('says that a namespace is not opted in', async () => {
    const { code, out } = await explain({ pod: 'deployment/other', namespace: 'later' });
    expect(code).toBe(0);
    expect(out).toContain('not judged: its namespace is not opted in, or is exempt');
  });
});
