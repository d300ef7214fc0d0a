/**
 * The way out to External Secrets by a store of Vault: what a Secret of Infisical holds now goes to an entry of the
 * store's mount, and an ExternalSecret reads it there key by key.
 */
import type { Json } from '../kube/json.ts';
import { namespaceOf } from '../kube/object.ts';
import type { Conversion, Copy, Obstacle } from './conversion.ts';
import type { VaultStore } from './eso-stores.ts';
import { isVault, storeIn } from './eso-stores.ts';
import type { WayOut } from './external-secret-target.ts';
import { REFRESH, externalSecretFor } from './external-secret-target.ts';
import type { VaultPlace } from './vault-copy.ts';
import { copyNotes, copyToVault } from './vault-copy.ts';
import { departureOf, farewell } from './way-out.ts';

export interface VaultSeat extends VaultPlace {
  /** Of the Vault that values are copied to; '' where nothing says. */
  readonly address: string;
}

/** The store, where it is one of Vault. */
export function vaultStoreOf({ object, store, found }: WayOut): VaultStore | undefined {
  const place = storeIn(found, `${store.kind} '${store.name}'`, namespaceOf(object.raw));
  return !('why' in place) && isVault(place) ? place : undefined;
}

/** `seat`: of the store's own mount. */
export function convertToVaultStore(request: WayOut, store: VaultStore, seat: VaultSeat): Conversion {
  const { base, obstacles: refusals } = departureOf(request);
  const obstacles = [...refusals, ...elsewhere(store, seat)];
  const { target } = request;
  if (obstacles.length > 0 || target === undefined) return { ...base, obstacles };
  const copy = copyToVault(seat, base, target);
  return {
    ...base,
    to: externalSecretFor(request, target, { data: entriesFor(copy) }),
    copy,
    obstacles: [],
    notes: [...base.notes, ...copyNotes(seat, target), ...farewell(request, REFRESH)],
  };
}

/** Where the store would not read what is copied. */
function elsewhere(store: VaultStore, seat: VaultSeat): readonly Obstacle[] {
  const { title, server, mount, vaultNamespace, version } = store;
  const found: Obstacle[] = [];
  const add = (why: string, fix: string): void => void found.push({ where: '--store', why, fix });
  if (mount === '') {
    add(`${title} does not say which mount it reads`, 'name a store with spec.provider.vault.path');
  }
  if (seat.address !== '' && addressOf(seat.address) !== addressOf(server)) {
    const why = `${title} reads another Vault, ${server}, than the settings name`;
    add(why, 'set upstream.vault.address (or VAULT_ADDR) as the store has it');
  }
  if (seat.vaultNamespace !== vaultNamespace) {
    const why = `${title} reads Vault's namespace '${vaultNamespace}', and values would go to '${seat.vaultNamespace}'`;
    add(why, 'set upstream.vault.namespace as the store has it');
  }
  if (seat.assumed === undefined && seat.type !== version) {
    add(`${title} reads ${version}, and mount '${mount}' is ${seat.type}`, 'mend its version first');
  }
  return found;
}

function addressOf(url: string): string {
  return (URL.parse(url)?.href ?? url).replace(/\/+$/, '');
}

/** External Secrets takes the mount off the beginning of a key, so an entry that begins like it has it twice. */
function entriesFor({ place: { project, path }, keys, encoded }: Copy): Json {
  const key = path.startsWith(`${project}/`) ? `${project}/${path}` : path;
  return keys.map((property) => ({
    secretKey: property,
    remoteRef: { key, property, ...(encoded.includes(property) ? { decodingStrategy: 'Base64' } : {}) },
  }));
}
