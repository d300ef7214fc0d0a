/**
 * By whose credentials the resource of a record would log in. With credentials of its own namespace it can do no more
 * than whoever wrote the record; with those of another one it could carry them to any address, so they must be the ones
 * that the run itself was given.
 */
import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../kube/json.ts';
import { asObject, get, isObject, text } from '../kube/json.ts';
import { namespaceOf } from '../kube/object.ts';
import type { OperatorLogin } from '../plugins/infisical-manifest.ts';
import { loginOf } from '../plugins/infisical-manifest.ts';
import { credentialNamespacesOf } from '../plugins/infisical-operator.ts';
import { placeOf } from '../plugins/vault-auth.ts';

/** What the settings and options of a run say. */
export interface TrustedLogin {
  readonly hostAPI: string;
  readonly login?: OperatorLogin;
  /** The InfisicalAuth. */
  readonly auth?: Named;
  /** The VaultAuth. */
  readonly vaultAuth?: Named;
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** Why it may not be made; undefined where it may. `isBack`: on the way back. */
export function strangeLogin(to: JsonObject, trusted: TrustedLogin, isBack = false): string | undefined {
  const elsewhere = foreignLogin(to, trusted);
  if (elsewhere === undefined) return undefined;
  return `its record logs in by what is in namespace '${elsewhere}', which the settings of this run do not name: give those with which it was begun${isBack ? '' : ', or --rollback'}`;
}

/** The other namespace by whose credentials it would log in, where the run was not told those. */
export function foreignLogin(manifest: JsonObject, trusted: TrustedLogin): string | undefined {
  const elsewhere = foreignNamespace(manifest);
  return elsewhere === undefined || isTrusted(manifest, trusted) ? undefined : elsewhere;
}

function foreignNamespace(to: JsonObject): string | undefined {
  const auth = authIn(to);
  const namespaces = [...credentialNamespacesOf(to), ...(auth === undefined ? [] : [auth.namespace])];
  return namespaces.find((one) => one !== namespaceOf(to));
}

/** The InfisicalAuth or VaultAuth that it names. */
function authIn(manifest: JsonObject): Named | undefined {
  const spec = get(manifest, 'spec');
  const reference = get(spec, 'infisicalAuthRef');
  if (!isObject(reference)) return placeOf(text(spec, 'vaultAuthRef'), namespaceOf(manifest));
  const namespace = text(reference, 'namespace') ?? namespaceOf(manifest);
  return { namespace, name: text(reference, 'name') ?? '' };
}

function isTrusted(manifest: JsonObject, { hostAPI, login, auth, vaultAuth }: TrustedLogin): boolean {
  const spec = get(manifest, 'spec');
  const reference = get(spec, 'infisicalAuthRef');
  if (isObject(reference)) return auth !== undefined && isDeepStrictEqual({ ...reference }, { ...auth });
  if (text(spec, 'vaultAuthRef') !== undefined) return isDeepStrictEqual(authIn(manifest), vaultAuth);
  if (login === undefined || text(spec, 'hostAPI') !== hostAPI) return false;
  const methods = Object.entries(asObject(get(spec, 'authentication'))).map(([method, settings]) => {
    const { secretsScope: _scope, ...plain } = asObject(settings);
    return [method, plain] as const;
  });
  return isDeepStrictEqual(Object.fromEntries(methods), { ...loginOf(login) });
}
