import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { list, open } from '../../src/cli/gates.ts';
import { asArray, dig } from '../../src/kube/json.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { needs } from '../needs.ts';
import { captured } from './captured.ts';

const nobody = { token: 'nobody-token', user: 'nobody', groups: [] };
const OURS = { name: 'secrets.floe.dev/pending' };
const OTHER = { name: 'example.com/quota' };

describe.skipIf(!needs('apiserver'))('gates', () => {
  let cluster: ControlPlane;
  const admin = (more: object = {}) => ({ kubeconfig: cluster.kubeconfig, ...more });
  const gatesOf = async (name: string) =>
    asArray(
      dig(await cluster.request('GET', `/api/v1/namespaces/default/pods/${name}`), 'spec', 'schedulingGates'),
    );

  beforeAll(async () => {
    cluster = await startControlPlane({ controllers: false, tokens: [nobody] });
    const pod = (name: string, schedulingGates: readonly object[]) =>
      cluster.request('POST', '/api/v1/namespaces/default/pods', {
        metadata: { name },
        spec: { schedulingGates, containers: [{ name: 'c', image: 'i' }] },
      });
    await pod('one', [OTHER, OURS]);
    await pod('two', [OURS]);
    await pod('others', [OTHER]);
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  it('are listed, those of others are not', async () => {
    const { code, out } = await captured(list, admin({ output: 'json' }));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      kind: 'GatesList',
      items: [{ pod: 'one' }, { pod: 'two' }],
      summary: { waiting: 2 },
    });
    expect((await captured(list, admin({ allNamespaces: true }))).out).toMatch(
      /^NAMESPACE +POD +WAITS SINCE\n/,
    );
  });

  it('a pod that is not there is said to be that', async () => {
    const { code, err } = await captured(open, admin({ pod: 'nope' }));
    expect([code, err]).toEqual([1, "Error: there is no pod 'nope' in namespace default\n"]);
  });

  it('are only tried to open in a dry run', async () => {
    const { code, out } = await captured(open, admin({ all: true, dryRun: true }));
    expect([code, out]).toEqual([0, expect.stringContaining('would open')]);
    expect(await gatesOf('two')).toEqual([OURS]);
  });

  it('are opened one by one, and all at once', async () => {
    expect((await captured(open, admin({ pod: 'one' }))).code).toBe(0);
    expect(await gatesOf('one')).toEqual([OTHER]);
    expect((await captured(open, admin({ all: true, output: 'json' }))).out).toContain('"opened": 1');
    expect(await gatesOf('two')).toEqual([]);
    expect(await gatesOf('others')).toEqual([OTHER]);
    const again = await captured(open, admin({ all: true }));
    expect([again.code, again.err]).toEqual([0, 'No pod waits behind a gate.\n']);
  });

  it.each([
    ['neither a pod nor --all', {}, 2],
    ['both', { pod: 'one', all: true }, 2],
    ['no name of a pod', { pod: '../x' }, 2],
  ])('ask for more where there is %s', async (_what, options, code) => {
    expect((await captured(open, admin(options))).code).toBe(code);
  });

  it('are nobody’s to open without permission', async () => {
    const asNobody = { kubeconfig: cluster.kubeconfigFor(nobody.token), all: true };
    expect((await captured(open, asNobody)).code).toBe(4);
  });
});
