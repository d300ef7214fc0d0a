import { expect, it } from 'vitest';
import type { Readiness } from '../../src/server/health.ts';
import { createOpsApp } from '../../src/server/health.ts';
import { createMetrics } from '../../src/server/metrics.ts';

function opsApp() {
  const state: { readiness: Readiness; draining: boolean } = {
    readiness: { ready: false, waiting: [] },
    draining: false,
  };
  const app = createOpsApp({
    ready: () => state.readiness,
    draining: () => state.draining,
    metrics: createMetrics({ certificateExpiry: () => 0 }),
  });
  const get = async (url: string) => {
    const { statusCode, body, headers } = await app.inject({ url });
    return { status: statusCode, body, type: headers['content-type'] };
  };
  return { state, get };
}

it('says what readiness waits for, and why it is gone', async () => {
  const { state, get } = opsApp();
  expect(await get('/readyz')).toMatchObject({ status: 503, body: 'not ready\n- starting\n' });
  state.readiness = { ready: false, waiting: ['namespaces', 'infisicalsecrets'] };
  expect((await get('/readyz')).body).toBe(
    'not ready\n- waiting for namespaces\n- waiting for infisicalsecrets\n',
  );
  state.readiness = { ready: true, waiting: [] };
  expect(await get('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
  state.draining = true;
  expect(await get('/readyz')).toMatchObject({
    status: 503,
    body: expect.stringContaining('draining') as string,
  });
});

it('is healthy as long as the process is, ready or not', async () => {
  const { get } = opsApp();
  expect(await get('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
});

it('gives metrics as Prometheus reads them', async () => {
  const { get } = opsApp();
  const { status, body, type } = await get('/metrics');
  expect(status).toBe(200);
  expect(type).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(body).toContain('# TYPE floe_secrets_admission_requests_total counter');
});
