/** The sync resource of Infisical that takes over a Secret, in the kind that is wished. */
import type { JsonObject } from '../kube/json.ts';
import type { OperatorLogin, TargetWish } from '../plugins/infisical-manifest.ts';
import { infisicalSecretFor, infisicalStaticSecretFor } from '../plugins/infisical-manifest.ts';
import type { Conversion, Destination, Obstacle } from './conversion.ts';
import type { Metadata } from './eso-metadata.ts';
import { templateOf } from './values.ts';

/** How the new resource is to be: from settings and options. */
export interface InfisicalWish {
  readonly kind: 'InfisicalSecret' | 'InfisicalStaticSecret';
  /** Of the instance that values are copied to. */
  readonly hostAPI: string;
  /** How the operator logs in; undefined where nobody has said. */
  readonly login?: OperatorLogin;
  /** The InfisicalAuth of an InfisicalStaticSecret. */
  readonly auth?: { readonly namespace: string; readonly name: string };
  readonly copyValues: boolean;
  /** Where copies go: each Secret has a folder of its own below the path. */
  readonly destination: Destination;
}

/** The Secret, and what will write it. */
export interface About {
  readonly namespace: string;
  /** Of the new resource. */
  readonly name: string;
  readonly secret: string;
  readonly metadata: Metadata;
  readonly target: {
    readonly keys: readonly string[];
    readonly encoded: readonly string[];
    readonly type: string;
  };
}

/** One folder of Infisical. */
export interface Folder extends Destination {
  readonly hostAPI: string;
  readonly recursive?: boolean;
}

type Made = Pick<Conversion, 'to' | 'copy' | 'obstacles' | 'notes'>;

/** The values of the Secret as it is go to a folder of its own, and the new resource reads that. */
export function copyTo(wish: InfisicalWish, about: About): Made {
  const { destination, hostAPI } = wish;
  const obstacles = unplaced(destination);
  if (obstacles.length > 0) return { obstacles, notes: [] };
  const place = { ...destination, path: below(destination.path, about.secret) };
  const { keys, encoded } = about.target;
  const made = resourceFor(wish, about, {
    folders: [{ ...place, hostAPI }],
    template: templateOf(keys, encoded),
  });
  const notes =
    encoded.length === 0
      ? []
      : [`Infisical keeps ${encoded.join(', ')} as base64: as text it would not stay what it is`];
  return { ...made, ...('to' in made ? { copy: { store: 'infisical', place, keys, encoded } } : {}), notes };
}

export function unplaced({ project, environment }: Destination): readonly Obstacle[] {
  const missing: Obstacle[] = [];
  if (project === '') {
    missing.push({
      where: '',
      why: 'no project of Infisical to copy to',
      fix: 'give --project or set upstream.infisical.project',
    });
  }
  if (environment === '') {
    missing.push({
      where: '',
      why: 'no environment of Infisical to copy to',
      fix: 'give --environment, set upstream.infisical.environment, or label the namespace floe.dev/environment',
    });
  }
  return missing;
}

/** A folder of a name below a path. */
export function below(path: string, name: string): string {
  return `${path.endsWith('/') ? path : `${path}/`}${name}`;
}

export interface Reading {
  readonly folders: readonly Folder[];
  readonly template: Readonly<Record<string, string>> | undefined;
  /** How a store that is read now logs in; the wish's own login comes first. */
  readonly login?: OperatorLogin | undefined;
}

/** The manifest, or what it would still need. */
export function resourceFor(
  wish: InfisicalWish,
  about: About,
  { folders, template, login = wish.login }: Reading,
):
  { readonly to: JsonObject; readonly obstacles: readonly [] } | { readonly obstacles: readonly Obstacle[] } {
  const { namespace, name } = about;
  const target = targetWish(about, template);
  const [first, ...more] = folders;
  if (wish.kind === 'InfisicalStaticSecret') {
    if (wish.auth === undefined) return { obstacles: [NO_AUTH] };
    const { auth } = wish;
    return {
      to: infisicalStaticSecretFor({ namespace, name, auth, sources: folders, target }),
      obstacles: [],
    };
  }
  if (first === undefined || more.length > 0) return { obstacles: [SEVERAL_FOLDERS] };
  if (login === undefined) return { obstacles: [NO_LOGIN] };
  return { to: infisicalSecretFor({ namespace, name, login, target, ...first }), obstacles: [] };
}

const NO_AUTH: Obstacle = {
  where: '',
  why: 'an InfisicalStaticSecret logs in by an InfisicalAuth, and none is named',
  fix: 'give --infisical-auth [namespace/]name',
};

export const NO_LOGIN: Obstacle = {
  where: '',
  why: "how Infisical's operator logs in is not known",
  fix: 'set upstream.infisical.credentials to the Secret with its machine identity, or serviceAccount and identityId',
};

const SEVERAL_FOLDERS: Obstacle = {
  where: 'spec',
  why: 'it reads several folders, and an InfisicalSecret reads one',
  fix: 'an InfisicalStaticSecret reads several: --static, or --copy-values puts all into one',
};

/** The Secret is adopted and not made, and the operator never gives an adopted one an owner: Orphan is what is true. */
function targetWish(
  { secret, metadata, target }: About,
  template: Readonly<Record<string, string>> | undefined,
): TargetWish {
  return {
    name: secret,
    creationPolicy: 'Orphan',
    ...(target.type === 'Opaque' ? {} : { type: target.type }),
    ...(template === undefined ? {} : { template }),
    ...metadata,
  };
}
