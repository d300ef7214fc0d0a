/** Where an installation is, seen from outside: its webhook configuration names the Service that is called. */
import { WEBHOOKS } from '../contract/webhooks.ts';
import type { Json } from '../kube/json.ts';
import { asArray, dig, get, text } from '../kube/json.ts';
import type { Read } from '../kube/world.ts';
import { ABSENT, present } from '../kube/world.ts';
import type { Client } from './client.ts';
import { failureOf } from './failure.ts';
import { collectionPath, objectPath } from './paths.ts';
import { readObject } from './read-object.ts';
import { MUTATING } from './registrations.ts';

/** The namespace that an installation is in, and its name, which its Service, Deployment and Lease have. */
export interface Place {
  readonly namespace: string;
  readonly name: string;
}

/** The installation of this name; where there is none, the first of another. Absent: no webhook is registered. */
export async function findInstallation(
  client: Pick<Client, 'get' | 'list'>,
  name: string,
): Promise<Read<Place>> {
  let verb = 'get';
  try {
    const path = objectPath(MUTATING, '', name);
    const place = path === undefined ? undefined : placeIn(await readObject(client, path));
    if (place !== undefined) return present(place);
    verb = 'list';
    for await (const { items } of client.list(collectionPath(MUTATING))) {
      const other = items.map(placeIn).find((one) => one !== undefined);
      if (other !== undefined) return present(other);
    }
    return ABSENT;
  } catch (fault) {
    return { state: 'failed', failure: failureOf(fault, { verb, kind: MUTATING }) };
  }
}

/** What to type where an installation is not where it was looked for. */
export async function whereInstead(
  client: Pick<Client, 'get' | 'list'>,
  { namespace, name }: Place,
): Promise<string> {
  const found = await findInstallation(client, name);
  const other = found.state === 'present' ? found.value : undefined;
  if (other !== undefined && (other.namespace !== namespace || other.name !== name)) {
    return `the webhooks of this cluster lead elsewhere: floe-secrets doctor -n ${other.namespace} --name ${other.name}`;
  }
  return `helm install ${name} deploy/chart -n ${namespace} --create-namespace; another installation: --name and -n`;
}

/** Undefined where a configuration is not this project's, or leads to an address instead of a Service. */
function placeIn(configuration: Json | undefined): Place | undefined {
  const ours = asArray(get(configuration, 'webhooks')).find((one) => text(one, 'name') === WEBHOOKS.mutate);
  const service = dig(ours, 'clientConfig', 'service');
  const [namespace, name] = [text(service, 'namespace'), text(service, 'name')];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}
