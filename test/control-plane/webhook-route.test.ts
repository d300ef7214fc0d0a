import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { makeAuthority } from '../../tools/certificates.ts';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { needs } from '../needs.ts';
import { eventually } from './temporary.ts';

const HOST = 'floe-webhook.floe.svc';

/** A webhook that refuses everything, and tells the HTTP version and the host it was asked by. */
async function refusingWebhook(): Promise<{ port: number; caBundle: string }> {
  const authority = await makeAuthority('webhook');
  const { certPem, keyPem } = await authority.issue({ names: [HOST] });
  const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    const message = `HTTP/${request.httpVersion} ${request.headers.host ?? ''}`;
    text(request).then(
      (review) => response.end(refusalOf(review, message)),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, caBundle: Buffer.from(authority.certPem).toString('base64') };
}

function refusalOf(review: string, message: string): string {
  const { request }: { request: { uid: string } } = JSON.parse(review);
  const response = { uid: request.uid, allowed: false, status: { message } };
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });
}

describe.skipIf(!needs('apiserver'))('a webhook on this machine', () => {
  let cluster: ControlPlane;

  beforeAll(async () => {
    cluster = await startControlPlane({ controllers: false });
  });
  afterAll(() => cluster.stop());

  it('is called by the name of its Service, as in production', async () => {
    const { port, caBundle } = await refusingWebhook();
    const route = await cluster.exposeWebhook(port);
    await cluster.request('POST', '/api/v1/namespaces', { metadata: { name: 'floe' } });
    await cluster.request('POST', '/api/v1/namespaces/floe/services', {
      metadata: { name: 'floe-webhook' },
      spec: { type: 'ExternalName', externalName: route.externalName },
    });
    const service = { namespace: 'floe', name: 'floe-webhook', path: '/validate', port: route.port };
    const configurations = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
    await cluster.request('POST', configurations, {
      metadata: { name: 'refuse' },
      webhooks: [
        {
          name: 'refuse.floe.dev',
          clientConfig: { service, caBundle },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    });
    const pod = { metadata: { generateName: 'p-' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const path = '/api/v1/namespaces/default/pods?dryRun=All';
    let message = '';
    await eventually(async () => {
      const { status, body } = await cluster.send<{ message?: string }>('POST', path, pod);
      message = body.message ?? '';
      return status === 400;
    }, 'the configuration is in force');
    expect(message).toBe(`admission webhook "refuse.floe.dev" denied the request: HTTP/1.1 ${HOST}:${port}`);
  });
});
