// README's example of a plugin is a whole one: it is judged like those of src/plugins.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { SETTINGS_SCHEMA, frozenConfig } from '../../src/config/config.ts';
import type { Json } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { SecretRecord } from '../../src/kube/secret.ts';
import { worldOf } from '../../src/kube/static-world.ts';
import { k8s } from '../../src/plugins/k8s.ts';
import { resolveSecret } from '../../src/review/resolve.ts';
import { settingsOver } from '../../src/review/settings.ts';
import { acme } from '../readme/acme.ts';
import { HERE, NOW, ago, secret } from '../review/setup.ts';
import { ROOT } from '../sources.ts';
import { ALONE } from './view.ts';

const [acmeSecret] = acme.kinds;
const settings = settingsOver(frozenConfig(SETTINGS_SCHEMA.parse({})), [acme, k8s]);

test('the example stands in the README, in fewer than 40 lines', () => {
  const example = readFileSync(join(ROOT, 'test/readme/acme.ts'), 'utf8')
    .replaceAll('../../src/plugins/', './')
    .replaceAll('../../src/', '../');
  expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(`\`\`\`ts\n${example}\`\`\`\n`);
  expect(example.split('\n').length).toBeLessThan(40);
});

describe('a Secret of the example', () => {
  const resource = (condition: Json | undefined, created = 3600): KubeObject => ({
    kind: acmeSecret!.resource,
    raw: {
      metadata: { name: 'sync', namespace: HERE, generation: 2, creationTimestamp: ago(created) },
      spec: { secretName: 'db', vault: 'payments' },
      ...(condition === undefined ? {} : { status: { conditions: [condition] } }),
    },
  });
  const ready = (status: string, observedGeneration = 2): Json => ({
    type: 'Ready',
    status,
    message: 'vault is locked',
    observedGeneration,
  });
  const stateOf = (object: KubeObject, secrets: readonly SecretRecord[] = []) => {
    const targets = (one: KubeObject) => acmeSecret!.targets(one);
    const world = worldOf({ objects: [object], secrets, targets });
    return resolveSecret({ settings, world, now: NOW, namespace: HERE, wanted: [] }, 'db');
  };

  it.each([
    ['Synced', ready('True'), [secret('db')]],
    ['Stale', ready('False'), [secret('db', { ownerReferences: [owner()] })]],
    ['Failed', ready('False'), []],
    ['Pending', ready('True', 1), []],
    ['Gone', ready('True'), []],
  ] as const)('can be %s', (state, condition, secrets) => {
    expect(stateOf(resource(condition), secrets).state).toBe(state);
  });

  it("waits while its resource is young, and is refused in the operator's words", () => {
    expect(stateOf(resource(undefined, 10)).state).toBe('Pending');
    expect(stateOf(resource(ready('False'))).why).toBe(
      "AcmeSecret 'sync' reports Ready=False (vault is locked)",
    );
  });

  it('has the vault for its project', () => {
    expect(acmeSecret!.scope(resource(ready('True')), ALONE).projects).toEqual(['payments']);
  });
});

function owner() {
  return { apiVersion: 'acme.example.com/v1', kind: 'AcmeSecret', name: 'sync', uid: '', controller: true };
}
