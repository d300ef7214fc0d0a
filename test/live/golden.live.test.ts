/** The golden tables against a real API server, whose CRDs have the operators' groups, plurals and scopes. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeApiClient } from '../../tools/control-plane/api-client.ts';
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { run as list } from '../../src/cli/list.ts';
import { run as status } from '../../src/cli/status.ts';
import { captured } from '../cli/captured.ts';
import { cellsOf, listCells, loadGolden, statusCells } from '../golden/golden.ts';
import { needs } from '../needs.ts';
import { createWorld } from './world.ts';

const cluster = inject('cluster');
/** Far from the numbers of the stories, which share the cluster. */
const FIRST = 9000;
const golden = loadGolden().map((one, index) => ({ ...one, number: FIRST + index }));
let api: ApiClient;

beforeAll(() => {
  if (cluster !== undefined) api = makeApiClient(cluster);
});
afterAll(async () => {
  await api?.close();
});

describe.skipIf(!needs('apiserver')).each(golden.map((one) => [one.plugin, one] as const))(
  '%s',
  (_plugin, one) => {
    const options = { namespace: `floe-jobs-${one.number}`, kubeconfig: cluster?.kubeconfig };

    beforeAll(async () => {
      const { number } = one;
      await createWorld(api, one.objects, { now: new Date(), number });
    });

    it('list shows each row', async () => {
      const { out, err } = await captured(list, options);
      expect(err).toBe('');
      expect(cellsOf(out)).toEqual(listCells(one));
    });

    it('status shows each row', async () => {
      const { out } = await captured(status, options);
      expect(cellsOf(out)).toEqual(statusCells(one));
    });
  },
);
