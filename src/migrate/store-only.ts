/**
 * The smallest migration: the ExternalSecret stays, and only where it reads becomes Infisical. Its values are copied,
 * and it is pointed at them key by key. A store is shared by many, so a second one is made beside it: each
 * ExternalSecret changes over by itself, in one write.
 */
import type { Json, JsonObject } from '../kube/json.ts';
import { asObject, dig, get, isObject } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { apiVersionOf } from '../kube/object.ts';
import type { Read } from '../kube/world.ts';
import { CLUSTER_SECRET_STORE, SECRET_STORE } from '../plugins/secret-stores.ts';
import type { Conversion, Copy, Obstacle } from './conversion.ts';
import type { EsoRequest } from './eso-conversion.ts';
import { basisOf } from './eso-conversion.ts';
import type { StoreReference } from './eso-entries.ts';
import type { InfisicalWish } from './infisical-target.ts';
import { below, unplaced } from './infisical-target.ts';

/** The same ExternalSecret, reading copies in Infisical. */
export function switchStore(request: EsoRequest, store: StoreWish): Conversion {
  const { base, obstacles, placed } = basisOf(request);
  const { wish, target } = request;
  const more = [...unplaced(wish.destination), ...store.obstacles];
  if (target === undefined || obstacles.length + more.length > 0) {
    return { ...base, obstacles: [...obstacles, ...more] };
  }
  const place = { ...wish.destination, path: below(wish.destination.path, base.secret) };
  const copy: Copy = { store: 'infisical', place, keys: target.keys, encoded: target.encoded };
  const titles = [...new Set(placed.map(({ store: { title } }) => title))].join(', ');
  return {
    ...base,
    to: pointedAt(base.from, copy, store),
    copy,
    ...(store.manifest === undefined ? {} : { needs: store.manifest }),
    obstacles: [],
    notes: [
      ...base.notes,
      `what changes in ${titles} from then on no longer arrives`,
      ...(rendersText(base.from) ? ['its template is gone: what it made is copied as it is now'] : []),
    ],
  };
}

/** The store of Infisical that ExternalSecrets are pointed at. */
export interface StoreWish {
  readonly kind: 'SecretStore' | 'ClusterSecretStore';
  readonly name: string;
  /** Undefined where it is there already. */
  readonly manifest?: JsonObject;
  /** Why there can be none. */
  readonly obstacles: readonly Obstacle[];
}

/** With a key of each value, which begins with '/': the store's own folder does not matter. */
function pointedAt(from: JsonObject, { place, keys, encoded }: Copy, { kind, name }: StoreWish): JsonObject {
  const spec = asObject(get(from, 'spec'));
  const { dataFrom: _dataFrom, ...kept } = spec;
  const data: Json = keys.map((key) => ({
    secretKey: key,
    remoteRef: {
      key: `${place.path}/${key}`,
      ...(encoded.includes(key) ? { decodingStrategy: 'Base64' } : {}),
    },
  }));
  const target = asObject(get(spec, 'target'));
  const template = withoutText(get(target, 'template'));
  const { template: _template, ...plain } = target;
  return {
    ...from,
    spec: {
      ...kept,
      secretStoreRef: { kind, name },
      target: template === undefined ? plain : { ...plain, template },
      data,
    },
  };
}

/** Type, labels and annotations stay. */
function withoutText(template: Json | undefined): JsonObject | undefined {
  if (!isObject(template)) return undefined;
  const { data: _data, templateFrom: _from, mergePolicy: _merge, ...kept } = template;
  return kept;
}

function rendersText(from: JsonObject): boolean {
  const template = dig(from, 'spec', 'target', 'template');
  return ['data', 'templateFrom'].some((field) => get(template, field) !== undefined);
}

/** What the new stores are called. */
const STORE = 'infisical';

/**
 * One store for all ExternalSecrets of a namespace, or of the cluster: a SecretStore reads credentials of its own
 * namespace alone. `found` is what has its name already.
 */
export function storeWishFor(
  namespace: string,
  { login, hostAPI, destination }: InfisicalWish,
  found: (reference: StoreReference) => Read<KubeObject>,
): StoreWish {
  const credentials = login !== undefined && 'credentials' in login ? login.credentials : undefined;
  if (credentials === undefined) return { kind: 'SecretStore', name: STORE, obstacles: [NO_CREDENTIALS] };
  const kind = credentials.namespace === namespace ? 'SecretStore' : 'ClusterSecretStore';
  const { project, environment } = destination;
  const place = kind === 'SecretStore' ? namespace : '';
  const manifest = infisicalStoreFor({
    kind,
    name: STORE,
    namespace: place,
    hostAPI,
    project,
    environment,
    credentials,
  });
  const there = found({ kind, name: STORE });
  if (there.state === 'absent') return { kind, name: STORE, manifest, obstacles: [] };
  const same = there.state === 'present' && readsThere(there.value.raw, manifest);
  const why = `${kind} '${STORE}' is there already, and reads elsewhere`;
  return { kind, name: STORE, obstacles: same ? [] : [{ where: '', why }] };
}

const NO_CREDENTIALS: Obstacle = {
  where: '',
  why: 'by which Secret the new store logs in is not known',
  fix: 'set upstream.infisical.credentials to the Secret with clientId and clientSecret',
};

function readsThere(raw: unknown, manifest: JsonObject): boolean {
  const scope = (one: unknown): string => {
    const infisical = dig(one, 'spec', 'provider', 'infisical');
    const { projectSlug, environmentSlug } = asObject(get(infisical, 'secretsScope'));
    return JSON.stringify([get(infisical, 'hostAPI'), projectSlug, environmentSlug]);
  };
  return scope(raw) === scope(manifest);
}

interface StoreParts extends Pick<StoreWish, 'kind' | 'name'> {
  /** '' of one for the whole cluster. */
  readonly namespace: string;
  readonly hostAPI: string;
  readonly project: string;
  readonly environment: string;
  /** The Secret with `clientId` and `clientSecret`. */
  readonly credentials: { readonly namespace: string; readonly name: string };
}

function infisicalStoreFor(parts: StoreParts): JsonObject {
  const { kind, name, namespace, hostAPI, project, environment, credentials } = parts;
  const resource = kind === 'SecretStore' ? SECRET_STORE : CLUSTER_SECRET_STORE;
  const reference = (key: string): JsonObject => ({
    name: credentials.name,
    // A store of one namespace reads the Secrets of that one alone.
    ...(kind === 'SecretStore' ? {} : { namespace: credentials.namespace }),
    key,
  });
  return {
    apiVersion: apiVersionOf(resource),
    kind,
    metadata: { name, ...(namespace === '' ? {} : { namespace }) },
    spec: {
      provider: {
        infisical: {
          hostAPI,
          auth: {
            universalAuthCredentials: {
              clientId: reference('clientId'),
              clientSecret: reference('clientSecret'),
            },
          },
          secretsScope: { projectSlug: project, environmentSlug: environment, secretsPath: '/' },
        },
      },
    },
  };
}
