/** What `migrate eso` looks at: ExternalSecrets with their stores and Secrets, PushSecrets, and who else is there. */
import { createLimiter } from '../cluster/limiter.ts';
import type { Snapshot } from '../cluster/snapshot.ts';
import { readNamespaces, readSyncResources } from '../cluster/snapshot.ts';
import { readTargetSecret } from '../cluster/target-secret.ts';
import type { KubeObject } from '../kube/object.ts';
import { isSameKind, namespaceOf } from '../kube/object.ts';
import type { Read } from '../kube/world.ts';
import type { Conversion } from '../migrate/conversion.ts';
import type { EsoRequest } from '../migrate/eso-conversion.ts';
import { basisOf, convertExternalSecret, targetNameOf } from '../migrate/eso-conversion.ts';
import type { StoreReference } from '../migrate/eso-entries.ts';
import { isInfisical } from '../migrate/eso-stores.ts';
import type { InfisicalWish } from '../migrate/infisical-target.ts';
import { PUSH_SECRET } from '../migrate/push-manners.ts';
import { convertPushSecret } from '../migrate/push-secret.ts';
import { storeWishFor, switchStore } from '../migrate/store-only.ts';
import { externalSecret } from '../plugins/external-secrets.ts';
import type { Policy } from '../review/policy.ts';
import { SYNC_KINDS, chainOf, rivalsOf, storeSeen, takenBy, tenancyOf } from './migrate-eso-rivals.ts';
import type { Gathered, Looking } from './migrate-source.ts';
import { byName, homeAt, isLookedAt } from './migrate-source.ts';
import type { SyncKindName } from './migrate-wish.ts';
import { wishFor, wishedKind } from './migrate-wish.ts';
import { flagOption } from './options.ts';

/** Secrets that are read at the same time. */
const AT_ONCE = 8;

/** Every ExternalSecret of the namespace, in the order of their names. */
export async function readExternalSecrets(looking: Looking): Promise<Gathered> {
  const { client, namespace, options, settings } = looking;
  const kind = flagOption(options, 'storeOnly') ? 'InfisicalSecret' : await wishedKind(client, options);
  const view = {
    kinds: [...SYNC_KINDS, { resource: PUSH_SECRET }],
    ...(namespace === undefined ? {} : { namespace }),
  };
  const [seen, namespaces] = await Promise.all([
    readSyncResources(client, view),
    readNamespaces(client, view),
  ]);
  const here = seen.syncResources.filter(({ raw }) => isLookedAt(raw, namespace));
  const limit = createLimiter(AT_ONCE);
  const convert = async (object: KubeObject): Promise<readonly Conversion[]> => {
    const place = namespaceOf(object.raw);
    const { found, policy } = homeAt(place, namespaces, settings);
    const around = { looking, seen, policy, wish: wishIn(policy, kind, looking) };
    if (isSameKind(object.kind, PUSH_SECRET)) return pushed(object, around);
    return isSameKind(object.kind, externalSecret.resource)
      ? converted(await requestFor(object, around), { ...around, found })
      : [];
  };
  const conversions = await Promise.all(here.map((object) => limit(async () => convert(object))));
  return { conversions: conversions.flat().toSorted(byName), failures: seen.failures };
}

function wishIn(policy: Policy, kind: SyncKindName, { options, settings, terminal }: Looking): InfisicalWish {
  const { upstream } = settings.config;
  return wishFor({ kind, options, settings: upstream, env: terminal.env, policy });
}

/** What it pushes goes on, whatever becomes of the stores that are read. */
function pushed(object: KubeObject, { looking, seen, wish }: Around): readonly Conversion[] {
  if (flagOption(looking.options, 'storeOnly')) return [];
  const conversion = convertPushSecret(object, wish);
  return [{ ...conversion, obstacles: [...conversion.obstacles, ...takenBy(conversion, seen)] }];
}

interface Around {
  readonly looking: Looking;
  readonly seen: Snapshotted;
  readonly policy: Policy;
  readonly wish: InfisicalWish;
}

type Snapshotted = Omit<Snapshot, 'objects' | 'secrets' | 'whole'>;

async function requestFor(object: KubeObject, { looking, seen, policy, wish }: Around): Promise<EsoRequest> {
  const { namespace } = policy;
  const target = await readTargetSecret(looking.client, { namespace, name: targetNameOf(object.raw) });
  const findStore = (reference: StoreReference): Read<KubeObject> => storeSeen(seen, reference, namespace);
  return { object, findStore, target, wish };
}

/** With `--store-only` none of one that reads Infisical already. */
function converted(
  request: EsoRequest,
  { looking, seen, policy, found }: Around & { readonly found: KubeObject },
): readonly Conversion[] {
  if (flagOption(looking.options, 'storeOnly')) {
    const { placed, obstacles } = basisOf(request);
    const isThere = placed.every(({ store }) => isInfisical(store));
    if (isThere && obstacles.length === 0) return [];
    return [switchStore(request, storeWishFor(policy.namespace, request.wish, request.findStore))];
  }
  const conversion = convertExternalSecret(request);
  const more = [
    ...rivalsOf(conversion, seen, request.object),
    ...chainOf(policy, found),
    ...tenancyOf(conversion, { settings: looking.settings, policy, found, seen }),
  ];
  return [{ ...conversion, obstacles: [...conversion.obstacles, ...more] }];
}
