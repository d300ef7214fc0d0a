// What somebody may try who can write sync resources in a namespace that allows only some projects.
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { HERE, cluster, codes, infisicalSecret, namespace, pod, secret, validate } from './setup.ts';

const OK = [{ type: 'secrets.infisical.com/ReadyToSyncSecrets', status: 'True', message: 'yes' }];

/** An InfisicalSecret for 'db' that reads this project. */
function reading(name: string, projectSlug: string, metadata: JsonObject = {}): KubeObject {
  const spec = {
    authentication: { universalAuth: { secretsScope: { projectSlug, envSlug: 'prod', secretsPath: '/' } } },
    managedKubeSecretReferences: [{ secretName: 'db', secretNamespace: HERE }],
  };
  return infisicalSecret(name, OK, { spec, metadata });
}

function findings(...objects: readonly KubeObject[]): readonly string[] {
  const world = cluster({
    namespace: namespace({ 'secrets.floe.dev/allowed-projects': 'ours' }),
    secrets: [secret('db')],
    objects,
  });
  const containers = [{ name: 'dbt', envFrom: [{ secretRef: { name: 'db' } }] }];
  return codes(validate(pod({}, { containers }), world));
}

describe('a Secret for some ServiceAccounts', () => {
  const lists = { 'secrets.floe.dev/allowed-service-accounts': 'default' };
  const world = cluster({ secrets: [secret('db', { annotations: lists })] });
  const containers = [{ name: 'dbt', envFrom: [{ secretRef: { name: 'db' } }] }];
  const as = (more: JsonObject): readonly string[] =>
    codes(validate(pod({}, { containers, ...more }), world));

  it('knows the account by its older field too, which manifests may still have', () => {
    expect(as({})).toEqual([]);
    expect(as({ serviceAccount: 'runner' })).toEqual(['E810']);
    expect(as({ serviceAccount: 'runner', serviceAccountName: 'default' })).toEqual([]);
    expect(as({ serviceAccount: '', serviceAccountName: '' })).toEqual([]);
  });
});

describe('a project that is not allowed', () => {
  it('is no less refused where another resource says that the first one made it', () => {
    const theirs = reading('theirs', 'theirs');
    const owner = { apiVersion: 'secrets.infisical.com/v1alpha1', kind: 'InfisicalSecret', name: 'theirs' };
    const forged = { ownerReferences: [{ ...owner, uid: 'uid-of-theirs', controller: true }] };
    expect(findings(reading('ours', 'ours'))).toEqual([]);
    expect(findings(theirs, reading('ours', 'ours'))).toContain('E810');
    expect(findings(theirs, reading('ours', 'ours', forged))).toContain('E810');
  });
});
