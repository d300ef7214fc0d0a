import { describe, expect, it } from 'vitest';
import { examineReload } from '../../src/cluster/diagnose-reload.ts';
import type { Patient, Reading } from '../../src/cluster/patient.ts';
import { defaultConfig } from '../../src/config/config.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { formatPolling, parsePolling } from '../../src/reload/polling.ts';

function leaseOf(polling: string | undefined, holderIdentity = 'pod-a_1'): Reading<JsonObject> {
  const annotations = polling === undefined ? {} : { 'secrets.floe.dev/reload-polling': polling };
  return { state: 'read', value: { metadata: { annotations }, spec: { holderIdentity } } };
}

async function found(lease: Reading<JsonObject>, enabled = true) {
  const config = defaultConfig();
  const patient = {
    name: 'floe-secrets-webhook',
    config: { ...config, reload: { ...config.reload, enabled } },
    read: async () => lease,
  };
  return examineReload(patient as unknown as Patient);
}

describe('doctor on the polling of Secrets', () => {
  it('is content with as many as the rate allows', async () => {
    expect(await found(leaseOf(formatPolling({ secrets: 400, interval: 20_000 })))).toEqual([
      { check: 'reload', outcome: 'ok', message: '400 Secrets polled for restarts, each every 20s' },
    ]);
  });

  it('warns where the turns take longer than they are meant to, and says what would do', async () => {
    expect(await found(leaseOf(formatPolling({ secrets: 1000, interval: 50_000 })))).toEqual([
      {
        check: 'reload',
        outcome: 'warning',
        message:
          '1000 Secrets polled for restarts, each every 50s: reload.qps 20 is too little for reload.pollInterval 20s',
        fix: 'set reload.qps to 50, or secrets.access to watch (it needs the right to list all Secrets)',
      },
    ]);
  });

  it('is content with any number that a watch tells of', async () => {
    expect(await found(leaseOf(formatPolling({ secrets: 1, interval: undefined })))).toEqual([
      { check: 'reload', outcome: 'ok', message: '1 Secret followed for restarts, by a watch' },
    ]);
  });

  it('does not guess where the leader has said nothing, or somebody else something', async () => {
    for (const written of [undefined, '', 'secrets=-1', 'secrets=1,interval=9s', 'secrets=1\n'])
      expect(await found(leaseOf(written))).toMatchObject([{ check: 'reload', outcome: 'unknown' }]);
  });

  it('says nothing where nobody leads, the Lease cannot be read, or reloads are off', async () => {
    const told = formatPolling({ secrets: 1000, interval: 50_000 });
    expect(await found(leaseOf(told, ''))).toEqual([]);
    expect(await found({ state: 'absent' })).toEqual([]);
    expect(await found({ state: 'failed', why: 'no' })).toEqual([]);
    expect(await found(leaseOf(told), false)).toEqual([]);
  });
});

it('reads what it writes', () => {
  for (const polling of [
    { secrets: 0, interval: 20_000 },
    { secrets: 401, interval: 20_050 },
    { secrets: 7, interval: undefined },
  ])
    expect(parsePolling(formatPolling(polling))).toEqual(polling);
});
