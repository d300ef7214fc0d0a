/** Pods that would slip past a webhook which fails to read them: judged under either failurePolicy. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { makeApiClient } from '../../tools/control-plane/api-client.ts';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { needs } from '../needs.ts';
import { makeSecret, podAsking, startServed, tryPod } from './served.ts';
import type { Served } from './served.ts';

const cluster = inject('cluster');
const MIB = 1024 * 1024;

describe.skipIf(!needs('apiserver')).each(['Fail', 'Ignore'] as const)(
  'with failurePolicy %s',
  (failurePolicy) => {
    let api: ApiClient;
    let served: Served;
    let namespace: string;

    beforeAll(async () => {
      if (cluster === undefined) throw new Error('no cluster');
      api = makeApiClient(cluster);
      const name = `hostile-${failurePolicy.toLowerCase()}`;
      served = await startServed(api, {
        name,
        kubeconfig: cluster.webhookKubeconfig,
        failurePolicy,
        // The largest pods take a slow machine seconds.
        timeoutSeconds: 30,
      });
      namespace = await served.namespace();
      await makeSecret(api, namespace, 'db');
    });
    afterAll(async () => {
      await served?.stop();
      await api?.close();
    });

    /** JSON.stringify keeps an own `__proto__`, which an object literal would not make. */
    const poisoned = (secret: string): object =>
      podAsking(secret, {
        volumes: [
          {
            name: 'v',
            csi: {
              driver: 'example.com',
              volumeAttributes: JSON.parse('{"__proto__": "x", "constructor": "y"}') as unknown,
            },
          },
        ],
      });
    const large = (secret: string): object =>
      podAsking(secret, { containers: [{ name: 'dbt', image: 'dbt', args: ['x'.repeat(2.9 * MIB)] }] });
    const manyReferences = (
      names: (index: number) => string,
      keys = (_index: number) => 'PASSWORD',
    ): object =>
      podAsking('', {
        containers: [
          {
            name: 'dbt',
            image: 'dbt',
            env: Array.from({ length: 30_000 }, (_, index) => ({
              name: `V${index}`,
              valueFrom: { secretKeyRef: { name: names(index), key: keys(index) } },
            })),
          },
        ],
      });

    test.each([
      ['__proto__ and constructor as keys', poisoned],
      ['nearly 3 MiB', large],
    ])('a pod with %s is injected', async (_what, pod) => {
      expect(await tryPod(api, namespace, pod('db'))).toMatchObject({
        allowed: true,
        injected: ['db'],
        pod: { spec: { containers: [{ envFrom: [{ secretRef: { name: 'db' } }] }] } },
      });
    });

    test.each([
      ['__proto__ and constructor as keys', poisoned],
      ['nearly 3 MiB', large],
    ])('a pod with %s is refused', async (_what, pod) => {
      const answer = await tryPod(api, namespace, pod('not-there'));
      expect(answer).toMatchObject({ allowed: false, code: 403, refusedBy: 'mutate' });
      expect(answer.message).toContain('FLOE-E801');
    });

    test('30,000 references to a Secret that is there are admitted', async () => {
      const answer = await tryPod(
        api,
        namespace,
        manyReferences(() => 'db'),
      );
      expect(answer).toMatchObject({ allowed: true, warnings: [] });
    });

    test('30,000 references to a Secret that is not there are refused', async () => {
      const answer = await tryPod(
        api,
        namespace,
        manyReferences(() => 'not-there'),
      );
      expect(answer).toMatchObject({ allowed: false, code: 403, refusedBy: 'validate' });
      expect(answer.message).toContain("FLOE-E801: Secret 'not-there'");
      expect(answer.message?.length).toBeLessThanOrEqual(1024);
    });

    test('30,000 references to 30,000 Secrets are refused without a look-up', async () => {
      const answer = await tryPod(
        api,
        namespace,
        manyReferences((index) => `s${index}`),
      );
      expect(answer).toMatchObject({ allowed: false, code: 422 });
      expect(answer.message).toContain('FLOE-E805');
    });

    test('30,000 keys that are not there are refused, with the first of them', async () => {
      const pod = manyReferences(
        () => 'db',
        (index) => `K${index}`,
      );
      const answer = await tryPod(api, namespace, pod);
      expect(answer).toMatchObject({ allowed: false, code: 403, refusedBy: 'validate' });
      expect(answer.message).toContain("FLOE-E802: Secret 'db' in namespace");
    });

    test('a large Secret in 30,000 envFrom entries is admitted', async () => {
      const keys = Array.from({ length: 15_000 }, (_, index) => [`K${index}`, ''] as const);
      await makeSecret(api, namespace, 'large', Object.fromEntries(keys));
      const envFrom = Array.from({ length: 30_000 }, () => ({ secretRef: { name: 'large' } }));
      const pod = podAsking('', { containers: [{ name: 'dbt', image: 'dbt', envFrom }] });
      expect(await tryPod(api, namespace, pod)).toMatchObject({ allowed: true });
    });

    test('3,000 names for 15,000 containers are one mistake', async () => {
      const names = Array.from({ length: 3_000 }, (_, index) => `s${index.toString(36)}`);
      const containers = Array.from({ length: 15_000 }, (_, index) => ({ name: `c${index}`, image: 'x' }));
      const answer = await tryPod(api, namespace, podAsking(names.join(), { containers }));
      expect(answer).toMatchObject({ allowed: false, code: 422, refusedBy: 'mutate' });
      expect(answer.message).toContain('3000 entries in each of 15000 containers');
    });

    test('a name that the API server makes is judged in both calls', async () => {
      const pod = podAsking('db');
      expect(await tryPod(api, namespace, pod, '')).toMatchObject({
        allowed: true,
        injected: ['db'],
        pod: { metadata: { name: expect.stringMatching(/^dbt-\w{5}$/) } },
      });
      expect(await tryPod(api, namespace, podAsking('not-there'), '')).toMatchObject({
        allowed: false,
        code: 403,
      });
    });
  },
);
