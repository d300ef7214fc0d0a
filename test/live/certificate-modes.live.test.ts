/** Certificates from elsewhere for an installation that runs: `helm upgrade` to another mode while pods are created. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { makeAuthority } from '../../tools/certificates.ts';
import { needs } from '../needs.ts';
import { mountSecret } from '../server/mounted-secret.ts';
import { SERVICE_NAME } from '../stories/webhook-process.ts';
import { FOREIGN_KINDS, certificates, configHere, configurations } from './chart.ts';
import { install, policies } from './installation.ts';
import type { Installation } from './installation.ts';

describe.skipIf(!needs('apiserver') || !needs('helm'))('another certificates.mode', () => {
  let installation: Installation;
  let plane: ControlPlane;

  beforeAll(async () => {
    installation = await install({ kinds: FOREIGN_KINDS, controlPlane: () => ({ controllers: false }) });
    plane = installation.plane;
    await installation.start();
    await installation.start();
    await installation.untilClosed();
  }, 300_000);
  afterAll(() => installation?.stop(), 60_000);

  /** What a pod of a mode finds mounted, and the CA (PEM) that it is to be believed by. */
  const mounted = async (issuer: string): Promise<{ readonly certDir: string; readonly ca: string }> => {
    const authority = await makeAuthority(issuer);
    const { certPem, keyPem } = await authority.issue({ names: [SERVICE_NAME] });
    const entries = { 'ca.crt': authority.certPem, 'tls.crt': certPem, 'tls.key': keyPem };
    return { certDir: mountSecret(entries).directory, ca: authority.certPem };
  };
  /** A rollout: the ConfigMap changes under the replicas that run, and each is followed by one of the new mode. */
  const upgrade = async (values: string, certDir?: string): Promise<void> => {
    const formers = installation.replicas.slice();
    await installation.underLoad(async () => {
      await installation.upgrade(['--set', values]);
      const config = await configHere(plane);
      for (const former of formers) former.rewrite(config);
      for (const former of formers) {
        await installation.start(certDir === undefined ? {} : { certDir });
        await installation.end(former);
      }
    });
    await installation.underLoad();
    expect(formers.map(({ log }) => log()).join('\n')).toContain('new replicas are to lead');
    expect(await policies(plane)).toMatchObject({ mutate: 'Fail', validate: 'Fail' });
  };
  const believes = async (ca: string): Promise<void> => {
    const all = (await configurations(plane)).flatMap(({ webhooks }) => webhooks);
    for (const { clientConfig } of all) {
      expect(Buffer.from(clientConfig.caBundle ?? '', 'base64').toString()).toContain(ca);
    }
  };

  test('files, after its own', async () => {
    const { certDir, ca } = await mounted('files');
    await upgrade('certificates.mode=files,certificates.existingSecret=tls', certDir);
    await believes(ca);
  }, 300_000);

  test('cert-manager, after files', async () => {
    const { certDir, ca } = await mounted('cert-manager');
    await upgrade('certificates.mode=cert-manager', certDir);
    await believes(ca);
  }, 300_000);

  test('its own again', async () => {
    await upgrade('certificates.mode=self');
    const { 'ca.crt': ca = '', 'tls.crt': leaf = '' } = await certificates(plane);
    expect(leaf).not.toBe('');
    await believes(ca);
  }, 300_000);
});
