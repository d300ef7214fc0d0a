// Conditions as Doppler's operator writes them.
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../src/kube/json.ts';
import { doppler, dopplerSecret } from '../../src/plugins/doppler.ts';
import type { Health } from '../../src/plugins/plugin.ts';
import { HERE, secret } from '../review/setup.ts';
import { objectOf } from './objects.ts';
import { ALONE } from './view.ts';

const FLIPPED = '2026-11-22T03:47:40Z';
const SPEC = {
  project: 'data',
  config: 'prd',
  managedSecret: { name: 'db' },
  tokenSecret: { name: 'token' },
};

function ready(status: 'True' | 'False', message: string): Json {
  const reason = status === 'True' ? 'OK' : 'Error';
  const type = 'secrets.doppler.com/SecretSyncReady';
  return { type, status, reason, message, lastTransitionTime: FLIPPED };
}

function health(conditions: readonly Json[] | undefined, spec: JsonObject = SPEC): Health {
  const status = conditions === undefined ? {} : { status: { conditions } };
  return dopplerSecret.health(objectOf(dopplerSecret, { spec, ...status }), ALONE);
}

describe('a DopplerSecret', () => {
  it.each([
    ['its own namespace where it names none', { name: 'db' }, [{ namespace: HERE, name: 'db' }]],
    ['the namespace that it names', { name: 'db', namespace: 'sales' }, [{ namespace: 'sales', name: 'db' }]],
    ['nothing without a name', { namespace: 'sales' }, []],
    ['nothing where its shape is none', 'db', []],
  ])('targets %s', (_case, managedSecret, targets) => {
    expect(dopplerSecret.targets(objectOf(dopplerSecret, { spec: { managedSecret } }))).toEqual(targets);
  });

  it('is well while its controller syncs', () => {
    expect(health([ready('True', 'Controller is continuously syncing secrets')])).toEqual({
      verdict: 'ok',
      generation: 'unreported',
      words: 'secrets.doppler.com/SecretSyncReady=True (Controller is continuously syncing secrets)',
      healthySince: Date.parse(FLIPPED),
      interval: 60_000,
      neverOld: false,
      everSynced: true,
    });
  });

  it('fails with the words of its own condition, not of the reloader that stopped with it', () => {
    const reload = {
      type: 'secrets.doppler.com/DeploymentReloadReady',
      status: 'False',
      reason: 'Stopped',
      message: 'Deployment reload has been stopped due to secrets sync failure',
    };
    const failed = health([reload, ready('False', 'Secret update failed: Invalid Service token')]);
    expect(failed).toMatchObject({
      verdict: 'failing',
      failingSince: Date.parse(FLIPPED),
      everSynced: false,
      words: 'secrets.doppler.com/SecretSyncReady=False (Secret update failed: Invalid Service token)',
    });
  });

  it('is silent for ever where it reaches into another namespace, and says what helps', () => {
    expect(health(undefined).remedy).toBeUndefined();
    const reaching = { ...SPEC, managedSecret: { name: 'db', namespace: 'sales' } };
    expect(health(undefined, reaching)).toMatchObject({ verdict: 'none', words: 'no status yet' });
    expect(health(undefined, reaching).remedy).toContain('managedSecret.namespace');
  });

  it('resyncs as often as it says', () => {
    expect(health(undefined, { ...SPEC, resyncSeconds: 300 }).interval).toBe(300_000);
  });

  it('reads the project and config that it names, and none that only its token knows', () => {
    const scopeOf = (spec: JsonObject) => dopplerSecret.scope(objectOf(dopplerSecret, { spec }), ALONE);
    expect(scopeOf({ ...SPEC, secrets: ['USER', 'PASSWORD'] })).toEqual({
      projects: ['data'],
      environments: ['prd'],
      paths: ['USER', 'PASSWORD'],
    });
    expect(scopeOf({ managedSecret: { name: 'db' } })).toEqual({ projects: [], environments: [], paths: [] });
  });

  it('uses the token of the namespace that it names', () => {
    const spec = { ...SPEC, tokenSecret: { name: 'token', namespace: 'vaults' } };
    expect(dopplerSecret.credentialNamespaces(objectOf(dopplerSecret, { spec }))).toEqual(['vaults']);
    expect(dopplerSecret.credentialNamespaces(objectOf(dopplerSecret, { spec: SPEC }))).toEqual([]);
  });
});

describe("Doppler's mark", () => {
  it.each([
    ['its annotation', { annotations: { 'secrets.doppler.com/managed-by': `${HERE}/sync` } }, true],
    ['its label', { labels: { 'secrets.doppler.com/subtype': 'dopplerSecret' } }, true],
    ['the label of a token', { labels: { 'secrets.doppler.com/subtype': 'dopplerToken' } }, false],
    ['nothing of it', {}, false],
  ])('%s', (_case, marks, marked) => {
    expect(doppler.marks({ ...secret('db'), ...marks })).toBe(marked);
  });
});
