/** What `migrate infisical --to external-secrets` has to know first: the store, which is not guessed. */
import { namespaceOf } from '../kube/object.ts';
import type { Conversion } from '../migrate/conversion.ts';
import type { StoreReference } from '../migrate/eso-entries.ts';
import type { WayOut } from '../migrate/external-secret-target.ts';
import { convertToExternalSecret } from '../migrate/infisical-conversion.ts';
import type { VaultPlace } from '../migrate/vault-copy.ts';
import { convertToVaultStore, vaultStoreOf } from '../migrate/vault-store-conversion.ts';
import { externalSecrets } from '../plugins/external-secrets.ts';
import { vaultAddress } from '../upstream/vault-home.ts';
import { storeSeen } from './migrate-eso-rivals.ts';
import type { Looking } from './migrate-source.ts';
import type { Successor } from './migrate-successor.ts';
import { refuseOptions } from './migrate-successor.ts';
import { kvOf, vaultHome } from './migrate-vault-place.ts';
import type { Options } from './options.ts';
import { textOption } from './options.ts';
import { CommandError, EXIT } from './terminal.ts';

type Kv = Pick<VaultPlace, 'type' | 'assumed'>;

/** A store of Vault gets copies at its own mount; by one of Infisical what is there is read. */
export function toExternalSecrets(looking: Looking): Successor {
  const { options, settings, terminal } = looking;
  refuseOptions(options, { vaultAuth: '--vault-auth', mount: '--mount' }, 'vault');
  const store = wishedStore(options);
  const kinds = new Map<string, Promise<Kv>>();
  const kvOnce = async (mount: string): Promise<Kv> => {
    const kind = kinds.get(mount) ?? kvOf(mount, looking);
    kinds.set(mount, kind);
    return kind;
  };
  const home = {
    ...vaultHome(looking),
    address: vaultAddress(settings.config.upstream.vault, terminal.env),
  };
  return {
    plugin: externalSecrets.id,
    convert: async (leaving, seen) => {
      const found = storeSeen(seen, store, namespaceOf(leaving.object.raw));
      const request: WayOut = { ...leaving, store, found };
      const place = vaultStoreOf(request);
      if (place === undefined) return withoutPath(convertToExternalSecret(request), options);
      const { mount, version: type } = place;
      const kv: Kv = mount === '' ? { type } : await kvOnce(mount);
      const seat = { ...home, mount, ...kv, ...(kv.assumed === undefined ? {} : { type }) };
      return convertToVaultStore(request, place, seat);
    },
  };
}

/** What reads Infisical gets no copies anywhere. */
function withoutPath(conversion: Conversion, options: Options): Conversion {
  if (textOption(options, 'path') === undefined) return conversion;
  const obstacle = {
    where: '--path',
    why: 'nothing is copied for a store of Infisical',
    fix: 'leave it out',
  };
  return { ...conversion, obstacles: [...conversion.obstacles, obstacle] };
}

function wishedStore(options: Options): StoreReference {
  const written = textOption(options, 'store') ?? '';
  const [, place, name] = /^(?:(SecretStore|ClusterSecretStore)\/)?([^/]+)$/.exec(written) ?? [];
  if (name === undefined) {
    const given = written === '' ? 'no store is named' : `--store ${written} is no store`;
    throw new CommandError(`${given}: give --store [ClusterSecretStore/]NAME`, EXIT.usage);
  }
  return { kind: place === 'ClusterSecretStore' ? place : 'SecretStore', name };
}
