/** Where upstream a sync resource reads, as exactly as its spec says it: for whoever asks the store itself. */
import type { Json } from '../kube/json.ts';
import { asArray, asObject, dig, flag, get, isObject, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';

export interface UpstreamPlace {
  /** The plugin whose store it is. */
  readonly plugin: 'infisical' | 'vault';
  readonly project: string;
  readonly environment: string;
  readonly path: string;
  /** Infisical: its hostAPI. Vault: its namespace. '' where the spec leaves it to the operator. */
  readonly instance: string;
  /** Folders below count too, or a template makes other keys of these: the Secret's keys are not the place's. */
  readonly isReshaped: boolean;
}

type Reader = (raw: unknown) => readonly UpstreamPlace[];

const READERS: Readonly<Record<string, Reader>> = {
  InfisicalSecret: infisicalPlaces,
  InfisicalStaticSecret: staticPlaces,
  VaultStaticSecret: vaultPlaces,
};

/** The places of a resource; none where only its operator can know them. */
export function upstreamPlaces({ kind, raw }: KubeObject): readonly UpstreamPlace[] {
  const reader = Object.hasOwn(READERS, kind.kind) ? READERS[kind.kind] : undefined;
  return reader?.(raw) ?? [];
}

function infisicalPlaces(raw: unknown): readonly UpstreamPlace[] {
  const methods = Object.values(asObject(dig(raw, 'spec', 'authentication')));
  const scopes = methods.map((method) => get(method, 'secretsScope')).filter(isObject);
  const targets = asArray(dig(raw, 'spec', 'managedKubeSecretReferences'));
  const templated = targets.some((target) => isObject(get(target, 'template')));
  const instance = text(get(raw, 'spec'), 'hostAPI') ?? '';
  return scopes.flatMap((scope) => {
    const where = { environment: text(scope, 'envSlug'), path: text(scope, 'secretsPath'), instance };
    return place(scope, where, templated);
  });
}

function staticPlaces(raw: unknown): readonly UpstreamPlace[] {
  const targets = asArray(dig(raw, 'spec', 'targets'));
  const templated = targets.some((target) => isObject(get(target, 'template')));
  return asArray(dig(raw, 'spec', 'sources')).flatMap((source) => {
    const tagged = asArray(get(source, 'tagSlugs')).length > 0;
    const [environment, path] = [text(source, 'environmentSlug'), text(source, 'secretPath')];
    // Which Infisical it is stands two resources away.
    const where = { environment, path, instance: '' };
    return place(source, where, templated || tagged);
  });
}

interface Where {
  readonly environment: string | undefined;
  readonly path: string | undefined;
  readonly instance: string;
}

function place(scope: Json, where: Where, reshaped: boolean): readonly UpstreamPlace[] {
  const { environment, path = '/', instance } = where;
  const project = text(scope, 'projectSlug') ?? text(scope, 'projectId');
  if (project === undefined || environment === undefined) return [];
  const isReshaped = reshaped || flag(scope, 'recursive');
  return [{ plugin: 'infisical', project, environment, path, instance, isReshaped }];
}

function vaultPlaces(raw: unknown): readonly UpstreamPlace[] {
  const spec = get(raw, 'spec');
  const [mount, path] = [text(spec, 'mount'), text(spec, 'path')];
  if (mount === undefined || path === undefined) return [];
  const isReshaped = isObject(dig(spec, 'destination', 'transformation'));
  const instance = text(spec, 'namespace') ?? '';
  return [{ plugin: 'vault', project: mount, environment: '', path, instance, isReshaped }];
}
