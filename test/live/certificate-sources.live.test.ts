/** Certificates that others issue, in mounted files: replaced on one replica after the other while pods are created. */
import { request } from 'node:https';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { makeAuthority } from '../../tools/certificates.ts';
import type { Authority, KeyPair } from '../../tools/certificates.ts';
import { needs } from '../needs.ts';
import { mountSecret } from '../server/mounted-secret.ts';
import type { MountedSecret } from '../server/mounted-secret.ts';
import { SERVICE_NAME } from '../stories/webhook-process.ts';
import type { WebhookProcess } from '../stories/webhook-process.ts';
import { makeCallers } from './callers.ts';
import type { Callers } from './callers.ts';
import { CONFIGURATIONS, FOREIGN_KINDS, bundles, configurations, until } from './chart.ts';
import { HOME, SERVICE } from './cluster.ts';
import { install } from './installation.ts';
import type { Installation } from './installation.ts';
import { untilLeading } from './served.ts';

/** Longer than all that a replacement takes; in an installation it is an hour. */
const OVERLAP = ['--set', 'config.certificates.overlap=25s'];

/** What a Secret of type kubernetes.io/tls holds. */
type Entries = Readonly<Record<'ca.crt' | 'tls.crt' | 'tls.key', string>>;

async function entriesOf(authority: Authority, names: readonly string[]): Promise<Entries> {
  const { certPem, keyPem } = await authority.issue({ names });
  return { 'ca.crt': authority.certPem, 'tls.crt': certPem, 'tls.key': keyPem };
}

describe.skipIf(!needs('apiserver') || !needs('helm'))('a certificate in files', () => {
  let installation: Installation;
  let plane: ControlPlane;
  let callers: Callers;
  const mounts: MountedSecret[] = [];
  const [first, second] = [makeAuthority('first'), makeAuthority('second')];

  beforeAll(async () => {
    callers = await makeCallers();
    const mode =
      'certificates.mode=files,certificates.existingSecret=tls,certificates.clientCAConfigMap=callers';
    installation = await install({
      values: ['--set', mode, ...OVERLAP],
      controlPlane: (port) => ({ controllers: false, apiServerFlags: callers.flags(port) }),
    });
    plane = installation.plane;
    const entries = await entriesOf(await first, [SERVICE_NAME]);
    for (let replica = 0; replica < 2; replica += 1) {
      const mount = mountSecret(entries);
      mounts.push(mount);
      const started = await installation.start({ certDir: mount.directory, clientCA: callers.ca });
      // The first leads, and is the one that gets the next certificate last.
      if (replica === 0) await untilLeading(started);
    }
    await installation.untilClosed();
  });
  afterAll(() => installation?.stop());

  test('serves an API server that shows the certificate which it was told to show', async () => {
    await installation.underLoad();
  });

  test('serves nobody who shows none, or another’s', async () => {
    const stranger = await (await makeAuthority('strangers')).issue({ names: ['me'], usage: 'client' });
    for (const { port } of installation.replicas) {
      expect(await statusOf(port, callers.client)).toBe(400);
      for (const shown of [undefined, stranger]) await expect(statusOf(port, shown)).rejects.toThrow();
    }
  });

  test('is replaced with its CA under load, although one replica gets it long before the leader', async () => {
    const next = await entriesOf(await second, [SERVICE_NAME]);
    const [leader, other] = mounts;
    await installation.underLoad(async () => {
      other?.swap(next);
      await until('the other replica waits', async () =>
        installation.replicas[1]!.log().includes('new certificate waits'),
      );
      expect(await bundles(plane)).toEqual(expect.not.arrayContaining([2]));
      leader?.swap(next);
      await served(installation.replicas, callers.client, 'second');
    });
    await installation.underLoad(() =>
      until('the former CA is forgotten', async () => (await bundles(plane)).every((count) => count === 1)),
    );
    const live = JSON.stringify(await configurations(plane));
    expect(live).toContain(Buffer.from(next['ca.crt']).toString('base64'));
  });
});

describe.skipIf(!needs('apiserver') || !needs('helm'))('a certificate of cert-manager', () => {
  let installation: Installation;
  let plane: ControlPlane;
  const mounts: MountedSecret[] = [];
  const secrets = `/api/v1/namespaces/${HOME}/secrets`;

  /** cert-manager's controller: a new CA and a new leaf of it, at the same moment, in the Secret of the Certificate. */
  const issue = async (issuer: string): Promise<void> => {
    const authority = await makeAuthority(issuer);
    const { items } = await plane.request<{ readonly items: readonly Certificate[] }>(
      'GET',
      `/apis/cert-manager.io/v1/namespaces/${HOME}/certificates`,
    );
    for (const { spec } of items.filter(({ spec: { isCA = false } }) => !isCA)) {
      const stringData = await entriesOf(authority, spec.dnsNames ?? []);
      const secret = { metadata: { name: spec.secretName }, type: 'kubernetes.io/tls', stringData };
      const { status } = await plane.send('PUT', `${secrets}/${spec.secretName}`, secret);
      if (status === 404) await plane.request('POST', secrets, secret);
    }
    await inject();
  };
  /** Its CA injector: every configuration that is annotated has the new CA, and it alone. */
  const inject = async (): Promise<number> => {
    let written = 0;
    for (const path of CONFIGURATIONS) {
      const live = await plane.request<Configured>('GET', path);
      const from = live.metadata.annotations?.['cert-manager.io/inject-ca-from'];
      if (from === undefined) continue;
      const { data } = await plane.request<SecretObject>('GET', `${secrets}/${from.split('/')[1] ?? ''}`);
      const webhooks = live.webhooks.map((webhook) => ({
        ...webhook,
        clientConfig: { ...webhook.clientConfig, caBundle: data['ca.crt'] },
      }));
      await plane.request('PUT', path, { ...live, webhooks });
      written += 1;
    }
    return written;
  };
  /** What the kubelet brings into the pods of the chart's Deployment. */
  const mounted = async (): Promise<Readonly<Record<string, string>>> => {
    const { spec } = await plane.request<DeploymentObject>(
      'GET',
      `/apis/apps/v1/namespaces/${HOME}/deployments/${SERVICE}`,
    );
    const volume = spec.template.spec.volumes.find(({ name }) => name === 'certificates');
    const { data } = await plane.request<SecretObject>(
      'GET',
      `${secrets}/${volume?.secret?.secretName ?? ''}`,
    );
    return Object.fromEntries(
      Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64').toString()]),
    );
  };

  beforeAll(async () => {
    installation = await install({
      values: ['--set', 'certificates.mode=cert-manager'],
      kinds: FOREIGN_KINDS,
      controlPlane: () => ({ controllers: false }),
    });
    plane = installation.plane;
    await issue('first');
    for (let replica = 0; replica < 2; replica += 1) {
      const mount = mountSecret(await mounted());
      mounts.push(mount);
      const started = await installation.start({ certDir: mount.directory });
      // The first leads, and has the next certificate before the other.
      if (replica === 0) await untilLeading(started);
    }
    await installation.untilClosed();
  });
  afterAll(() => installation?.stop());

  test('is replaced with its CA under load, although the kubelet is late', async () => {
    await installation.underLoad(async () => {
      await issue('second');
      const [leader, other] = mounts;
      leader?.swap(await mounted());
      await served(installation.replicas.slice(0, 1), undefined, 'second');
      other?.swap(await mounted());
      await served(installation.replicas, undefined, 'second');
    });
  });

  test('leaves the caBundle to an injector that was asked for all the same', async () => {
    const annotation = 'webhook.annotations.cert-manager\\.io/inject-ca-from';
    await installation.upgrade(['--set', `${annotation}=${HOME}/${SERVICE}-tls`]);
    expect(await inject()).toBe(2);
    const version = async (): Promise<readonly unknown[]> =>
      Promise.all(
        CONFIGURATIONS.map(async (path) => (await plane.request<Configured>('GET', path)).metadata),
      );
    const before = await version();
    await installation.underLoad(async () => {
      // The leader reads the files every few seconds.
      await new Promise((resolve) => setTimeout(resolve, 7_000));
    });
    expect(await version()).toEqual(before);
  });
});

interface Certificate {
  readonly spec: {
    readonly secretName: string;
    readonly dnsNames?: readonly string[];
    readonly isCA?: boolean;
  };
}

interface SecretObject {
  readonly data: Readonly<Record<string, string>>;
}

interface Configured {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly webhooks: readonly { readonly clientConfig: object }[];
}

interface DeploymentObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly volumes: readonly {
          readonly name: string;
          readonly secret?: { readonly secretName: string };
        }[];
      };
    };
  };
}

/** Waits until each of these replicas shows a certificate of this issuer. */
async function served(
  replicas: readonly WebhookProcess[],
  client: KeyPair | undefined,
  issuer: string,
): Promise<void> {
  await until(`certificates of '${issuer}' are served`, async () => {
    const shown = await Promise.all(replicas.map(({ port }) => issuerAt(port, client)));
    return shown.every((one) => one === issuer);
  });
}

/** Who issued the certificate that a new connection is shown. */
function issuerAt(port: number, client: KeyPair | undefined): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...shownBy(client) }, () => {
    resolve(socket.getPeerCertificate().issuer.CN);
    socket.destroy();
  });
  socket.on('error', reject);
  return promise;
}

/** The status of a call that is no AdmissionReview; rejects where TLS does not come about. */
function statusOf(port: number, client: KeyPair | undefined): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const options = { port, host: '127.0.0.1', path: '/mutate', method: 'POST', rejectUnauthorized: false };
  const call = request({ ...options, agent: false, ...shownBy(client) }, (response) => {
    response.resume();
    resolve(response.statusCode);
  });
  call.on('error', reject);
  call.setHeader('content-type', 'application/json');
  call.end('{}');
  return promise;
}

function shownBy(client: KeyPair | undefined): { readonly cert?: string; readonly key?: string } {
  return client === undefined ? {} : { cert: client.certPem, key: client.keyPem };
}
