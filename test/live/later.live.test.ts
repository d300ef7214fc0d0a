/** A webhook of somebody else that runs after ours: what it adds, /validate sees. */
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { dig } from '../../src/kube/json.ts';
import { makeAuthority } from '../../tools/certificates.ts';
import { makeApiClient } from '../../tools/control-plane/api-client.ts';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { needs } from '../needs.ts';
import { SERVICE_NAME } from '../stories/webhook-process.ts';
import { registerLater } from './registration.ts';
import { makeSecret, podAsking, startServed, tryPod } from './served.ts';
import type { Served } from './served.ts';

const cluster = inject('cluster');
const CEILING = { timeout: 60_000, interval: 50 };

/** What the other webhook adds to a pod, by the pod's label. */
const ADDITIONS: Readonly<Record<string, readonly object[]>> = {
  container: [{ op: 'add', path: '/spec/containers/-', value: { name: 'late', image: 'late' } }],
  reference: [
    {
      op: 'add',
      path: '/spec/containers/-',
      value: { name: 'late', image: 'late', envFrom: [{ secretRef: { name: 'added-later' } }] },
    },
  ],
  removal: [{ op: 'remove', path: '/spec/containers/0/envFrom' }],
};

describe.skipIf(!needs('apiserver')).each(['IfNeeded', 'Never'] as const)(
  'before another webhook, reinvoked %s',
  (reinvocationPolicy) => {
    let api: ApiClient;
    let served: Served;
    let other: Server;
    let namespace: string;
    const labelled = (addition: string): object => {
      const pod = podAsking('db');
      const metadata = { ...Object(dig(pod, 'metadata')), labels: { addition } };
      return { ...pod, metadata };
    };

    beforeAll(async () => {
      if (cluster === undefined) throw new Error('no cluster');
      api = makeApiClient(cluster);
      const name = `later-${reinvocationPolicy.toLowerCase()}`;
      served = await startServed(api, { name, kubeconfig: cluster.webhookKubeconfig, reinvocationPolicy });
      namespace = await served.namespace();
      await makeSecret(api, namespace, 'db');
      other = await otherWebhook(api, name);
      await vi.waitFor(async () => {
        const { pod } = await tryPod(api, namespace, labelled('container'));
        expect(dig(pod, 'spec', 'containers')).toHaveLength(2);
      }, CEILING);
    });
    afterAll(async () => {
      other?.closeAllConnections();
      other?.close();
      await served?.stop();
      await api?.close();
    });

    test('a container that came later', async () => {
      const answer = await tryPod(api, namespace, labelled('container'));
      const [dbt, late] = [{ secretRef: { name: 'db' } }, { secretRef: { name: 'db' } }];
      if (reinvocationPolicy === 'IfNeeded') {
        expect(answer).toMatchObject({
          allowed: true,
          warnings: [],
          pod: { spec: { containers: [{ envFrom: [dbt] }, { name: 'late', envFrom: [late] }] } },
        });
      } else {
        expect(answer).toMatchObject({ allowed: true, warnings: [expect.stringMatching(/FLOE-E807.*late/)] });
      }
    });

    test('a reference that came later', async () => {
      const answer = await tryPod(api, namespace, labelled('reference'));
      expect(answer).toMatchObject({ allowed: false, code: 403, refusedBy: 'validate' });
      expect(answer.message).toContain("FLOE-E801: Secret 'added-later'");
    });

    test('an injection that somebody took away', async () => {
      const answer = await tryPod(api, namespace, labelled('removal'));
      if (reinvocationPolicy === 'IfNeeded') {
        expect(answer).toMatchObject({ allowed: true, injected: ['db'] });
      } else {
        expect(answer).toMatchObject({ allowed: false, code: 403, refusedBy: 'validate' });
        expect(answer.message).toContain('FLOE-E807');
      }
    });
  },
);

/** Patches by the pod's label, once: the second time the addition is there. */
async function otherWebhook(api: ApiClient, name: string): Promise<Server> {
  const authority = await makeAuthority(`other ${name}`);
  const { certPem, keyPem } = await authority.issue({ names: [SERVICE_NAME] });
  const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    json(request).then(
      (review) => response.end(JSON.stringify(patched(review))),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await registerLater(api, { name, port, ca: authority.certPem });
  return server;
}

function patched(review: unknown): object {
  const addition = dig(review, 'request', 'object', 'metadata', 'labels', 'addition');
  const patch = ADDITIONS[typeof addition === 'string' ? addition : ''] ?? [];
  const response = {
    uid: dig(review, 'request', 'uid'),
    allowed: true,
    ...(patch.length === 0
      ? {}
      : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }),
  };
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
}
