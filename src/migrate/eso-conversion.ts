/**
 * What an ExternalSecret becomes. Of a store of Infisical the same project, environment and folder are read by its own
 * operator; of every other store the values that the Secret has now are copied to Infisical, where that is asked for.
 */
import type { JsonObject } from '../kube/json.ts';
import { dig, get, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { controllerOf, nameOf, namespaceOf } from '../kube/object.ts';
import type { Read } from '../kube/world.ts';
import type { Conversion, Obstacle, TargetSecret } from './conversion.ts';
import type { Entry, StoreReference } from './eso-entries.ts';
import { entriesOf } from './eso-entries.ts';
import type { Placed } from './eso-stores.ts';
import { isInfisical, keepsValues, storeIn } from './eso-stores.ts';
import { sameFolder } from './eso-folders.ts';
import { metadataFor, keeperOf } from './eso-metadata.ts';
import type { InfisicalWish } from './infisical-target.ts';
import { copyTo } from './infisical-target.ts';
import { manifestOfObject } from './manners.ts';

export interface EsoRequest {
  readonly object: KubeObject;
  readonly findStore: (reference: StoreReference) => Read<KubeObject>;
  /** Undefined where it is not there. */
  readonly target: TargetSecret | undefined;
  readonly wish: InfisicalWish;
}

export function targetNameOf(raw: unknown): string {
  return text(dig(raw, 'spec', 'target'), 'name') ?? nameOf(raw);
}

export function convertExternalSecret(request: EsoRequest): Conversion {
  const { target } = request;
  const { base, obstacles, placed } = basisOf(request);
  if (obstacles.length > 0 || target === undefined) return { ...base, obstacles };
  const made = madeOf(request, target, placed);
  return { ...base, ...made, notes: [...base.notes, ...made.notes] };
}

/** What holds of any conversion of it. */
export interface Basis {
  readonly base: Omit<Conversion, 'to' | 'copy' | 'obstacles'> & { readonly from: JsonObject };
  readonly obstacles: readonly Obstacle[];
  readonly placed: readonly Placed[];
}

export function basisOf(request: EsoRequest): Basis {
  const { object, target } = request;
  const { raw } = object;
  const { entries, obstacles } = entriesOf(get(raw, 'spec'));
  const stores = storesOf(entries, request);
  const readsNothing = entries.length + obstacles.length === 0;
  const keeper = keeperOf(raw);
  return {
    base: {
      namespace: namespaceOf(raw),
      secret: targetNameOf(raw),
      kind: object.kind.kind,
      name: nameOf(raw),
      source: [...new Set(stores.known.map(({ store }) => store.title))].join(', ') || '-',
      from: manifestOfObject(object),
      notes:
        keeper === undefined
          ? []
          : [`${keeper} keeps the ExternalSecret: take it out there, or it comes back`],
    },
    obstacles: [
      ...refusals(raw, target),
      ...obstacles,
      ...stores.obstacles,
      ...(readsNothing ? [NOTHING] : []),
    ],
    placed: stores.known,
  };
}

const NOTHING: Obstacle = { where: 'spec', why: 'it reads nothing' };

type Made = Pick<Conversion, 'to' | 'copy' | 'obstacles' | 'notes'>;

function madeOf({ object, wish }: EsoRequest, target: TargetSecret, placed: readonly Placed[]): Made {
  const about = {
    namespace: namespaceOf(object.raw),
    name: nameOf(object.raw),
    secret: targetNameOf(object.raw),
    metadata: metadataFor(object.raw),
    target,
  };
  const others = placed.find(({ store }) => !isInfisical(store));
  const template = dig(object.raw, 'spec', 'target');
  const same = others === undefined ? sameFolder(wish, { ...about, placed, template }) : undefined;
  if (same?.to !== undefined) return same;
  if (wish.copyValues) {
    const copied = copyTo(wish, about);
    const titles = [...new Set(placed.map(({ store }) => store.title))].join(', ');
    return {
      ...copied,
      notes: [...copied.notes, `what changes in ${titles} from then on no longer arrives`],
    };
  }
  if (others === undefined) return same ?? { obstacles: [], notes: [] };
  const obstacle: Obstacle = {
    where: others.entry.where,
    why: `its values are in ${others.store.title}`,
    fix: '--copy-values copies those that the Secret has now to Infisical',
  };
  return { obstacles: [obstacle], notes: [] };
}

/** What stands against any conversion of it. */
function refusals(raw: JsonObject, target: TargetSecret | undefined): readonly Obstacle[] {
  const wanted = dig(raw, 'spec', 'target');
  const policy = text(wanted, 'creationPolicy') ?? 'Owner';
  const maker = controllerOf(raw);
  const found: Obstacle[] = [];
  if (get(wanted, 'manifest') !== undefined) {
    found.push({ where: 'spec.target.manifest', why: 'it makes another kind of object than a Secret' });
  }
  if (maker !== undefined) {
    found.push({
      where: 'metadata.ownerReferences',
      why: `${maker.kind} '${maker.name}' makes it, and would make it again`,
    });
  }
  if (policy !== 'Owner' && policy !== 'Orphan') {
    const why = policy === 'None' ? 'it writes no Secret' : 'it fills a Secret that others write too';
    found.push({ where: 'spec.target.creationPolicy', why: `by ${policy} ${why}` });
  }
  if (text(get(raw, 'metadata'), 'deletionTimestamp') !== undefined) {
    found.push({ where: '', why: 'it is being deleted' });
  }
  if (target === undefined) {
    found.push({
      where: '',
      why: `its Secret '${targetNameOf(raw)}' is not there, so there is nothing to hand over`,
      fix: 'let it sync first, or delete it and use floe-secrets create',
    });
  } else if (target.immutable) {
    found.push({
      where: 'spec.target.immutable',
      why: 'its Secret is immutable: no operator could update it',
    });
  } else if (target.keys.length === 0) {
    found.push({ where: '', why: 'its Secret has no keys' });
  }
  return found;
}

function storesOf(
  entries: readonly Entry[],
  { object, findStore }: EsoRequest,
): { readonly known: readonly Placed[]; readonly obstacles: readonly Obstacle[] } {
  const known: Placed[] = [];
  const obstacles: Obstacle[] = [];
  for (const entry of entries) {
    const title = `${entry.store.kind} '${entry.store.name}'`;
    const store = storeIn(findStore(entry.store), title, namespaceOf(object.raw));
    if ('why' in store) obstacles.push({ where: entry.where, why: store.why });
    else if (keepsValues(store)) known.push({ entry, store });
    else {
      const why = `what the provider '${store.provider}' of ${title} gives is not known to stay as it is`;
      obstacles.push({ where: entry.where, why });
    }
  }
  return { known, obstacles };
}
