import { expect, it } from 'vitest';
import { correctInfisicalSecret, infisicalShapeMistake } from '../../src/plugins/infisical-shape.ts';

// As floe's ADR-0031 shows it.
const ADR = {
  apiVersion: 'secrets.infisical.com/v1alpha1',
  kind: 'InfisicalSecret',
  metadata: { name: 'snowflake-credentials' },
  spec: {
    authentication: { universalAuth: { credentialsRef: { secretName: 'c', secretNamespace: 'floe-jobs' } } },
    secretsScope: { project_slug: 'data-platform', envSlug: 'production', secretsPath: '/compute' },
    managedSecretReference: { secretName: 'snowflake-credentials', secretNamespace: 'floe-jobs' },
    syncConfig: { resyncInterval: '1m' },
  },
  status: { conditions: [] },
};

it("moves the ADR's scope to where the operator reads it, and keeps everything else", () => {
  expect(infisicalShapeMistake(ADR)).toContain('secretsScope stands under spec');
  const corrected = correctInfisicalSecret(ADR);
  expect(corrected).toEqual({
    apiVersion: ADR.apiVersion,
    kind: ADR.kind,
    metadata: ADR.metadata,
    spec: {
      authentication: {
        universalAuth: {
          credentialsRef: ADR.spec.authentication.universalAuth.credentialsRef,
          secretsScope: { projectSlug: 'data-platform', envSlug: 'production', secretsPath: '/compute' },
        },
      },
      managedSecretReference: ADR.spec.managedSecretReference,
      syncConfig: ADR.spec.syncConfig,
    },
  });
  expect(infisicalShapeMistake(corrected)).toBeUndefined();
  expect(correctInfisicalSecret(corrected ?? {})).toBeUndefined();
});

it('gives a scope without any login method the one that the ADR uses', () => {
  const corrected = correctInfisicalSecret({ spec: { secretsScope: { envSlug: 'dev' } } });
  expect(corrected).toEqual({
    spec: { authentication: { universalAuth: { secretsScope: { envSlug: 'dev' } } } },
  });
});

it.each([undefined, null, 'x', {}, { spec: 'x' }, { spec: { secretsScope: 'x', authentication: [] } }])(
  'finds no mistake of shape in %j',
  (raw) => {
    expect(infisicalShapeMistake(raw)).toBeUndefined();
  },
);
