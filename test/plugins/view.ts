// What a plugin sees beside an object: a namespace, and other objects by name.
import type { KubeObject, ResourceKind } from '../../src/kube/object.ts';
import { nameOf, namespaceOf } from '../../src/kube/object.ts';
import { identityOf } from '../../src/kube/target-index.ts';
import type { KindState } from '../../src/kube/world.ts';
import { KNOWN, watchedRead } from '../../src/kube/world.ts';
import type { View } from '../../src/plugins/plugin.ts';
import { HERE } from '../review/setup.ts';

/** A view of these objects; of kinds that cannot be read where `state` says so. */
export function viewOf(
  objects: readonly KubeObject[],
  state: (kind: ResourceKind) => KindState = () => KNOWN,
  namespace = HERE,
): View {
  const known = new Map(
    objects.map((one) => [identityOf(one.kind, namespaceOf(one.raw), nameOf(one.raw)), one]),
  );
  return {
    namespace,
    find: (kind, place, name) => watchedRead(known.get(identityOf(kind, place, name)), state(kind)),
  };
}

/** Nothing but the object itself. */
export const ALONE = viewOf([]);
