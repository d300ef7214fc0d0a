/**
 * InfisicalSecrets as documents show them, but as the operator's CRD does not take them. floe's ADR-0031 puts
 * `secretsScope` under `spec`; the CRD (v1alpha1) wants it under the login method. The ADR's manifest writes
 * `project_slug`, the CRD `projectSlug`.
 */
import type { Json, JsonObject } from '../kube/json.ts';
import { asObject, dig, get, isObject } from '../kube/json.ts';

/** Spellings of floe's own settings, and what the CRD calls them. */
const SCOPE_KEYS: Readonly<Record<string, string>> = {
  project_slug: 'projectSlug',
  project_id: 'projectId',
  env_slug: 'envSlug',
  secrets_path: 'secretsPath',
};

/** Where the ADR's form has no login method at all, it means the one that the ADR uses. */
const DEFAULT_METHOD = 'universalAuth';

/** Why the operator will not read this InfisicalSecret, or undefined where its shape is the CRD's. */
export function infisicalShapeMistake(raw: unknown): string | undefined {
  if (isObject(dig(raw, 'spec', 'secretsScope'))) {
    return 'its secretsScope stands under spec, where the operator does not read it; it belongs under spec.authentication.<method>';
  }
  const misspelt = scopesOf(raw)
    .flatMap((scope) => Object.keys(scope))
    .find(isMisspelt);
  if (misspelt === undefined) return undefined;
  return `its secretsScope has ${misspelt}, which the operator does not know; it is written ${SCOPE_KEYS[misspelt]}`;
}

/** The InfisicalSecret as the CRD wants it, without its status; undefined where there is nothing to correct. */
export function correctInfisicalSecret(raw: JsonObject): JsonObject | undefined {
  if (infisicalShapeMistake(raw) === undefined) return undefined;
  const { status: _status, ...object } = raw;
  const { secretsScope, ...spec } = asObject(get(raw, 'spec'));
  const written = asObject(get(spec, 'authentication'));
  const methods = Object.keys(written).length === 0 ? { [DEFAULT_METHOD]: {} } : written;
  const authentication = Object.fromEntries(
    Object.entries(methods).map(([name, method], index) => [
      name,
      // Two methods are a mistake of their own, which nobody but the author can resolve.
      corrected(method, index === 0 ? secretsScope : undefined),
    ]),
  );
  return { ...object, spec: { ...spec, authentication } };
}

function corrected(method: Json | undefined, misplaced: Json | undefined): Json {
  const scope = { ...asObject(misplaced), ...asObject(get(method, 'secretsScope')) };
  const renamed: readonly (readonly [string, Json | undefined])[] = Object.entries(scope).map(
    ([key, value]) => [isMisspelt(key) ? (SCOPE_KEYS[key] ?? key) : key, value],
  );
  const secretsScope: JsonObject = Object.fromEntries(renamed);
  return { ...asObject(method), secretsScope };
}

function scopesOf(raw: unknown): readonly JsonObject[] {
  const methods = Object.values(asObject(dig(raw, 'spec', 'authentication')));
  return methods.map((method) => asObject(get(method, 'secretsScope')));
}

function isMisspelt(key: string): boolean {
  return Object.hasOwn(SCOPE_KEYS, key);
}
