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

export function selfProvidedSecrets(inquiry: Inquiry, pod: unknown): ReadonlySet<string> {
  const names = volumesOf(pod)
    .map((volume) => get(volume, 'csi'))
    .filter((csi) => text(csi, 'driver') === DRIVER)
    .map((csi) => text(get(csi, 'volumeAttributes'), 'secretProviderClass'));
  const provided = new Set<string>();
  for (const name of new Set(names)) {
    const read = name === undefined ? undefined : askObject(inquiry, SECRET_PROVIDER_CLASS, name);
    if (read?.state !== 'present') continue;
    for (const object of asArray(dig(read.value.raw, 'spec', 'secretObjects'))) {
      provided.add(text(object, 'secretName') ?? '');
    }
  }
  return provided;
}
