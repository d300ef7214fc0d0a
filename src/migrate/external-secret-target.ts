/** The ExternalSecret that takes over a Secret of Infisical, whatever its store reads. */
import type { JsonObject } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { apiVersionOf, nameOf, namespaceOf } from '../kube/object.ts';
import type { Read } from '../kube/world.ts';
import { externalSecret } from '../plugins/external-secrets.ts';
import type { TargetSecret } from './conversion.ts';
import type { StoreReference } from './eso-entries.ts';
import { ownMetadata } from './eso-metadata.ts';
import type { Leaving } from './way-out.ts';

export interface WayOut extends Leaving {
  /** Of External Secrets, by which the Secret is to be read. */
  readonly store: StoreReference;
  readonly found: Read<KubeObject>;
}

/** floe's own promise: a change is there within a minute. */
export const REFRESH = '1m';

/** `entries`: its `data` or `dataFrom`. */
export function externalSecretFor(
  { object, reading, store, found }: WayOut,
  target: TargetSecret,
  entries: JsonObject,
): JsonObject {
  const { raw } = object;
  const metadata = ownMetadata(raw);
  // The version in which the store is served is the one of its ExternalSecrets.
  const version = found.state === 'present' ? found.value.kind.version : externalSecret.resource.version;
  const template =
    target.type === 'Opaque' ? {} : { template: { type: target.type, metadata: { ...metadata } } };
  return {
    apiVersion: apiVersionOf({ ...externalSecret.resource, version }),
    kind: externalSecret.resource.kind,
    metadata: { name: nameOf(raw), namespace: namespaceOf(raw), ...metadata },
    spec: {
      refreshInterval: REFRESH,
      secretStoreRef: { kind: store.kind, name: store.name },
      target: {
        name: reading.secret,
        creationPolicy: reading.owns ? 'Owner' : 'Orphan',
        deletionPolicy: 'Retain',
        ...template,
      },
      ...entries,
    },
  };
}
