/** What `migrate infisical --to vault` has to know first: where in Vault, and by whom it is read there. */
import type { Client } from '../cluster/client.ts';
import { ApiError } from '../cluster/api-error.ts';
import { isDiscovered } from '../cluster/discovery.ts';
import { failureOf } from '../cluster/failure.ts';
import { collectionPath, objectPath } from '../cluster/paths.ts';
import { readObject } from '../cluster/read-object.ts';
import { isDnsSubdomain } from '../kube/names.ts';
import type { KubeObject } from '../kube/object.ts';
import { isSameKind, nameOf, namespaceOf } from '../kube/object.ts';
import type { Read } from '../kube/world.ts';
import { ABSENT, UNREAD, present } from '../kube/world.ts';
import { convertToVault } from '../migrate/vault-conversion.ts';
import { VAULT_AUTH } from '../plugins/vault-auth.ts';
import { vault, vaultStaticSecret } from '../plugins/vault.ts';
import type { Settings } from '../review/settings.ts';
import type { Looking } from './migrate-source.ts';
import type { Successor } from './migrate-successor.ts';
import { refuseOptions } from './migrate-successor.ts';
import { kvOf, vaultHome } from './migrate-vault-place.ts';
import { textOption } from './options.ts';
import { CommandError, EXIT } from './terminal.ts';

export async function toVault(looking: Looking): Promise<Successor> {
  const { client, options, settings } = looking;
  refuseOptions(options, { store: '--store' }, 'external-secrets');
  refuseNoName(textOption(options, 'vaultAuth'));
  if (!(await isDiscovered(client, vaultStaticSecret.resource))) {
    const why = 'the API server serves no VaultStaticSecrets: is the Vault Secrets Operator installed?';
    throw new CommandError(why, EXIT.general);
  }
  const home = vaultHome(looking);
  const wish = { ...home, ...(await kvOf(home.mount, looking)) };
  return {
    plugin: vault.id,
    convert: async (leaving, { companions }) => {
      const { vaultAuth } = leaving.trusted;
      const auths = companions.filter(({ kind }) => isSameKind(kind, VAULT_AUTH));
      const login =
        vaultAuth === undefined
          ? await defaultAuth(client, auths, { home: namespaceOf(leaving.object.raw), settings })
          : await namedAuth(client, auths, vaultAuth);
      const auth = vaultAuth === undefined ? {} : { auth: vaultAuth };
      return convertToVault({ ...leaving, wish: { ...wish, ...auth }, login });
    },
  };
}

function refuseNoName(written: string | undefined): void {
  const parts = written?.split('/') ?? [];
  if (parts.length < 3 && parts.every(isDnsSubdomain)) return;
  throw new CommandError(`--vault-auth ${written ?? ''} is no name: give [namespace/]name`, EXIT.usage);
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** One that the list does not show may be of a namespace that may not be listed. */
async function namedAuth(
  client: Client,
  auths: readonly KubeObject[],
  { namespace, name }: Named,
): Promise<Read<KubeObject>> {
  const found = auths.find(({ raw }) => nameOf(raw) === name && namespaceOf(raw) === namespace);
  if (found !== undefined) return present(found);
  try {
    const raw = await readObject(client, objectPath(VAULT_AUTH, namespace, name) ?? '');
    return raw === undefined ? ABSENT : present({ kind: VAULT_AUTH, raw });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { state: 'failed', failure: failureOf(error, { verb: 'get', kind: VAULT_AUTH, namespace }) };
  }
}

/** What the operator calls its default, in its own namespace. */
const DEFAULT = 'default';

interface Around {
  readonly home: string;
  readonly settings: Settings;
}

/** Which namespace is the operator's does not show: one of those that are trusted, or else another than this. */
async function defaultAuth(
  client: Client,
  auths: readonly KubeObject[],
  { home, settings }: Around,
): Promise<Read<KubeObject>> {
  const elsewhere = auths.filter(({ raw }) => nameOf(raw) === DEFAULT && namespaceOf(raw) !== home);
  const trusted = elsewhere.find(({ raw }) => settings.trustedNamespaces.has(namespaceOf(raw)));
  const found = trusted ?? elsewhere[0];
  if (found !== undefined) return present(found);
  return (await mayListAll(client)) ? ABSENT : UNREAD;
}

async function mayListAll(client: Client): Promise<boolean> {
  try {
    await client.get(`${collectionPath(VAULT_AUTH, undefined)}?limit=1`);
    return true;
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
}
