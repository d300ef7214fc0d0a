/**
 * Secrets that the pod brings itself: the CSI Secret Store driver creates them when it mounts the pod's own volume
 * (`secretObjects` of its SecretProviderClass), so asking for them before the pod exists would wait for ever.
 */
import { asArray, dig, get, text } from '../kube/json.ts';
import { SECRET_PROVIDER_CLASS } from '../kube/object.ts';
import { volumesOf } from '../kube/pod.ts';
import type { Inquiry } from './inquiry.ts';
import { askObject } from './inquiry.ts';

const DRIVER = 'secrets-store.csi.k8s.io';

/** A pod mounts one or two of them, and each may cost a look. */
const MOST_CLASSES = 20;

/** Whether a Secret is one of them; the classes are read when the first Secret is asked for. */
export function selfProvision(inquiry: Inquiry, pod: unknown): (secret: string) => boolean {
  const classes = providerClassesOf(pod);
  if (classes.length === 0) return nothing;
  let provided: ReadonlySet<string> | undefined;
  return (secret) => (provided ??= providedBy(inquiry, classes)).has(secret);
}

function nothing(): boolean {
  return false;
}

function providerClassesOf(pod: unknown): readonly string[] {
  const names = new Set<string>();
  for (const volume of volumesOf(pod)) {
    if (names.size >= MOST_CLASSES) break;
    const csi = get(volume, 'csi');
    if (text(csi, 'driver') !== DRIVER) continue;
    const name = text(get(csi, 'volumeAttributes'), 'secretProviderClass');
    if (name !== undefined) names.add(name);
  }
  return [...names];
}

function providedBy(inquiry: Inquiry, classes: readonly string[]): ReadonlySet<string> {
  const provided = new Set<string>();
  for (const name of classes) {
    const read = askObject(inquiry, SECRET_PROVIDER_CLASS, name);
    if (read.state !== 'present') continue;
    for (const object of asArray(dig(read.value.raw, 'spec', 'secretObjects'))) {
      provided.add(text(object, 'secretName') ?? '');
    }
  }
  return provided;
}
