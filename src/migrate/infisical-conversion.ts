/**
 * The way out: what a sync resource of Infisical becomes where External Secrets takes its Secret over. The store reads
 * the same project and environment, so nothing is copied, and the values stay where they are.
 */
import type { Json, JsonObject } from '../kube/json.ts';
import { namespaceOf } from '../kube/object.ts';
import type { Conversion, Obstacle, TargetSecret } from './conversion.ts';
import type { InfisicalStore } from './eso-stores.ts';
import { isInfisical, storeIn } from './eso-stores.ts';
import type { WayOut } from './external-secret-target.ts';
import { REFRESH, externalSecretFor } from './external-secret-target.ts';
import type { InfisicalReading } from './infisical-reading.ts';
import type { TrustedLogin } from './record-login.ts';
import { departureOf, farewell } from './way-out.ts';

export function convertToExternalSecret(request: WayOut): Conversion {
  const { object, reading, store, found, target } = request;
  const { base, obstacles: refusals } = departureOf(request);
  const place = storeIn(found, `${store.kind} '${store.name}'`, namespaceOf(object.raw));
  const known = 'why' in place ? { where: '--store', why: place.why } : notOfInfisical(place);
  const obstacles = [...reading.obstacles, ...refusals, ...(known === undefined ? [] : [known])];
  if (obstacles.length > 0 || target === undefined || 'why' in place || !isInfisical(place)) {
    return { ...base, obstacles };
  }
  const different = notTheSame(reading, place, request.trusted);
  if (different.length > 0) return { ...base, obstacles: different };
  return {
    ...base,
    to: externalSecretFor(request, target, entriesFor(reading, { target, place })),
    obstacles: [],
    notes: [...base.notes, ...notesOn(request, place)],
  };
}

function notOfInfisical(store: { readonly provider: string; readonly title: string }): Obstacle | undefined {
  if (store.provider === 'infisical') return undefined;
  return {
    where: '--store',
    why: `${store.title} does not read Infisical, where the values are`,
    fix: 'name a store of the provider infisical or vault',
  };
}

/** Where the store reads something else than the resource does. */
function notTheSame(
  reading: InfisicalReading,
  store: InfisicalStore,
  { hostAPI }: TrustedLogin,
): readonly Obstacle[] {
  const found: Obstacle[] = [];
  const compare = (what: string, here: string, there: string): void => {
    if (here !== there) {
      const why = `${store.title} reads ${what} '${there}', and it reads '${here}'`;
      found.push({ where: '--store', why, fix: 'name a store of the same project and environment' });
    }
  };
  compare('instance', instance(reading.hostAPI ?? hostAPI), instance(store.hostAPI));
  compare('project', reading.project, store.project);
  compare('environment', reading.environment, store.environment);
  const isWhole = reading.keys === undefined && isHome(reading, store);
  if (reading.recursive && !(isWhole && store.recursive)) {
    found.push({
      where: '--store',
      why: `it reads the folders below ${reading.path}, too, and ${store.title} does not`,
      fix: `name a store with secretsPath ${reading.path} and recursive: true`,
    });
  } else if (isWhole && store.recursive && !reading.recursive) {
    const fix = 'name a store that is not recursive';
    found.push({ where: '--store', why: `${store.title} reads the folders below, too`, fix });
  }
  return found;
}

function instance(hostAPI: string): string {
  return hostAPI.replace(/\/+$/, '').replace(/\/api$/, '');
}

function folder(path: string): string {
  return `/${path.split('/').filter(Boolean).join('/')}`;
}

/** Whether it reads the folder that is the store's own. */
function isHome({ path }: InfisicalReading, store: InfisicalStore): boolean {
  return folder(path) === folder(store.path);
}

interface Seen {
  readonly target: TargetSecret;
  readonly place: InfisicalStore;
}

function entriesFor(reading: InfisicalReading, { target, place }: Seen): JsonObject {
  const home = isHome(reading, place);
  if (reading.keys === undefined && home) return { dataFrom: [{ find: { name: { regexp: '.*' } } }] };
  const keys = reading.keys ?? target.keys.map((key) => ({ key, secret: key, decodes: false }));
  const base = folder(reading.path) === '/' ? '' : folder(reading.path);
  const data: Json = keys.map(({ key, secret, decodes }) => ({
    secretKey: key,
    remoteRef: {
      // An absolute one reads another folder than the store's own.
      key: home ? secret : `${base}/${secret}`,
      ...(decodes ? { decodingStrategy: 'Base64' } : {}),
    },
  }));
  return { data };
}

function notesOn(request: WayOut, place: InfisicalStore): readonly string[] {
  const { reading, trusted } = request;
  const notes: string[] = [];
  if (reading.hostAPI === undefined) {
    notes.push(`it does not say where Infisical is: taken for ${trusted.hostAPI}`);
  }
  if (reading.keys === undefined && !isHome(reading, place)) {
    notes.push(`${place.title} is of another folder: a secret that is new in ${reading.path} must be added`);
  }
  return [...notes, ...farewell(request, REFRESH)];
}
