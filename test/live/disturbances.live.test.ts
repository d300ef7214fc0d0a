/** What befalls an installation while pods are created all the time: hands, restarts, deaths, wrong clocks. */
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { needs } from '../needs.ts';
import { CONFIGURATIONS, bundles, certificates, forgetEntry, until } from './chart.ts';
import { HOME } from './cluster.ts';
import { install } from './installation.ts';
import type { Installation } from './installation.ts';
import { DAY, skewedBy } from './skew.ts';

interface Whole {
  readonly webhooks: readonly { readonly clientConfig: Readonly<Record<string, unknown>> }[];
}

const OVERLAP = ['--set', 'config.certificates.overlap=8s'];

describe.skipIf(!needs('apiserver') || !needs('helm'))('an installation under load', () => {
  let installation: Installation;
  let plane: ControlPlane;

  beforeAll(async () => {
    installation = await install({ values: OVERLAP, controlPlane: () => ({ controllers: false }) });
    plane = installation.plane;
    await installation.start();
    await installation.start();
    await installation.untilClosed();
  });
  afterAll(() => installation?.stop());

  /** What `kubectl replace` does with the chart's manifest: a configuration as a whole, without its caBundles. */
  const replace = async (path: string): Promise<{ readonly status: number; readonly message: string }> => {
    const live = await plane.request<Whole>('GET', path);
    const webhooks = live.webhooks.map(
      ({ clientConfig: { caBundle: _caBundle, ...clientConfig }, ...rest }) => ({
        ...rest,
        clientConfig,
      }),
    );
    const { status, body } = await plane.send<{ readonly message?: string }>('PUT', path, {
      ...live,
      webhooks,
    });
    return { status, message: body.message ?? '' };
  };
  const isWhole = async (): Promise<boolean> => (await bundles(plane)).every((count) => count === 1);

  test('keeps its caBundles whoever replaces the configurations', async () => {
    await installation.underLoad(async () => {
      for (const path of [...CONFIGURATIONS, ...CONFIGURATIONS]) {
        const { status, message } = await replace(path);
        expect(status).toBe(403);
        expect(message).toContain('the caBundle of a webhook of floe-secrets-webhook may not be emptied');
      }
      expect(await isWhole()).toBe(true);
    });
  });

  test('gets its caBundles back where nothing keeps them from being emptied', async () => {
    await installation.upgrade(['--set', 'guard.enabled=false']);
    await until('nothing guards them', async () => (await replace(CONFIGURATIONS[0]!)).status === 200);
    await until('it is mended', isWhole);
    const { failed, unjudged } = await installation.load(async () => {
      for (const path of CONFIGURATIONS) expect((await replace(path)).status).toBe(200);
      await until('it is mended', isWhole);
    });
    // Until then nobody can be judged: strict namespaces refuse for that reason alone, and only lenient ones let pass.
    for (const words of failed)
      expect(words).toMatch(/failed calling webhook.*x509: certificate signed by unknown/);
    for (const words of unjudged) expect(words).toContain('"namespace":"floe-trials"');
    await installation.underLoad();
    await installation.upgrade();
    await until('they are guarded again', async () => (await replace(CONFIGURATIONS[0]!)).status === 403);
  });

  test('tells of new certificates in Events where kubectl describe shows them', async () => {
    const events = `/api/v1/namespaces/${HOME}/events?fieldSelector=reason%3DCertificateIssued`;
    interface Event {
      readonly message: string;
      readonly count: number;
      readonly involvedObject: Readonly<Record<string, string>>;
    }
    /** The first certificate was told of in the same words. */
    const times = async (): Promise<number> => {
      const { items } = await plane.request<{ readonly items: readonly Event[] }>('GET', events);
      return items
        .filter(
          ({ message, involvedObject: { kind, name } }) =>
            kind === 'Deployment' &&
            name === 'floe-secrets-webhook' &&
            message === 'A new serving certificate: there is no certificate that can be used',
        )
        .reduce((sum, { count }) => sum + count, 0);
    };
    await until('the first is told of', async () => (await times()) > 0);
    const before = await times();
    await forgetEntry(plane, 'tls.crt');
    await until('another Event', async () => (await times()) > before);
  });

  test('judges every pod that a restarted API server takes', async () => {
    const { unanswered } = await installation.underLoad(() => plane.restartApiServer());
    expect(unanswered).toBeGreaterThan(0);
  });

  test('loses nothing with a replica that is deleted', async () => {
    await installation.underLoad(async () => {
      await installation.start();
      await installation.end(installation.replicas[0]!);
    });
  });

  test('loses with a replica that is killed the calls to it, and lets no pod of a strict namespace pass', async () => {
    const { failed, unjudged } = await installation.load(async () => {
      await installation.end(installation.replicas[0]!, 'SIGKILL');
    });
    for (const words of failed) expect(words).toMatch(/failed calling webhook/);
    for (const words of unjudged) expect(words).toContain('"namespace":"floe-trials"');
    await installation.start();
    await installation.underLoad();
  });

  test.each([
    ['ahead', 200 * DAY],
    ['behind', -200 * DAY],
  ])('does not mind a leader whose clock is far %s', async (_where, skew) => {
    for (const replica of installation.replicas.slice()) {
      await installation.start({ env: skewedBy(skew) });
      await installation.end(replica);
    }
    const before = await certificates(plane);
    await installation.underLoad(async () => {
      await forgetEntry(plane, 'ca.key');
      await until('CA and certificate are others', async () => {
        const { 'ca.crt': ca = '', 'tls.crt': leaf } = await certificates(plane);
        return !ca.includes(before['ca.crt'] ?? '') && leaf !== before['tls.crt'] && (await isWhole());
      });
    });
    const { 'tls.crt': leaf = '' } = await certificates(plane);
    const { validFromDate, validToDate } = new X509Certificate(leaf);
    expect(validFromDate.getTime()).toBeLessThan(Date.now());
    expect(validToDate.getTime()).toBeGreaterThan(Date.now() + 80 * DAY);
    expect(validToDate.getTime()).toBeLessThan(Date.now() + 100 * DAY);
    // One with the right time thinks the same of it.
    await installation.start();
    await installation.underLoad();
  });
});
