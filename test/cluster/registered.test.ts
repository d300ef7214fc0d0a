import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Registered } from '../../src/cluster/registered.ts';
import { followRegistrations } from '../../src/cluster/registered.ts';
import { makeAuthority } from '../../tools/certificates.ts';
import type { FakeApi } from './fake-api.ts';
import { send, startFakeApi, status } from './fake-api.ts';

const CEILING = { timeout: 60_000, interval: 5 };
const GROUP = '/apis/admissionregistration.k8s.io/v1';
const PLURALS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
const PATHS = PLURALS.map((plural) => `${GROUP}/${plural}`);

const authority = await makeAuthority('floe test');
const { certPem } = await authority.issue({ names: ['localhost'] });

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
  const caBundle = Buffer.from(authority.certPem).toString('base64');
  const metadata = { name: 'floe-secrets-webhook' };
  for (const path of PATHS)
    api.serve(path, [{ metadata, webhooks: [{ name: 'a', clientConfig: { caBundle } }] }]);
});
afterEach(async () => api.close());

function follow(): Registered {
  const name = 'floe-secrets-webhook';
  const ignore = (): void => undefined;
  const followed = followRegistrations({ client: api.client(), name, report: ignore, closing: ignore });
  onTestFinished(async () => followed.stop());
  return followed;
}

/** As an API server that has just begun, and has not read yet who may what. */
function refuse(): void {
  api.intercept(({ path }, response) => {
    if (path === GROUP) send(response, 200, { resources: PLURALS.map((name) => ({ name })) });
    else if (PATHS.includes(path)) status(response, 403, 'Forbidden', 'no');
    else return false;
    return true;
  });
}

describe('a replica that the API server accepts', () => {
  it('stays ready where the API server comes back and refuses everybody for a while', async () => {
    const { waiting, registrations } = follow();
    await vi.waitFor(() => expect(waiting(certPem)).toEqual([]), CEILING);
    refuse();
    api.resetConnections();
    await vi.waitFor(() => expect(registrations.trouble()).toContain('(RBAC)'), CEILING);
    expect(waiting(certPem)).toEqual([]);
  });

  it('is not ready where that could never be read, and says why', async () => {
    refuse();
    const { waiting } = follow();
    await vi.waitFor(
      () =>
        expect(waiting(certPem)).toEqual([
          expect.stringMatching(/^the webhook configurations: cannot .*RBAC/),
        ]),
      CEILING,
    );
  });
});
