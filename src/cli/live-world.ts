/** A World of live reads with the rights of whoever asks: what a judgement wants is read, then it judges again. */
import { keyOfWant, objectKey, secretKey } from '../cluster/answers.ts';
import type { Client } from '../cluster/client.ts';
import type { Lookup } from '../cluster/lookup.ts';
import { createLookup } from '../cluster/lookup.ts';
import { resourceName } from '../cluster/paths.ts';
import { readLeader } from '../cluster/read-leader.ts';
import { readSecret } from '../cluster/secret-table.ts';
import { readSyncResources } from '../cluster/snapshot.ts';
import type { Survey } from '../cluster/survey.ts';
import { worldOfContents } from '../cluster/world-files.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import { NAMESPACE, SECRET } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Read, ReadFailure, Want, World } from '../kube/world.ts';
import { UNREAD } from '../kube/world.ts';
import type { Settings } from '../review/settings.ts';

export interface LiveWorld {
  readonly world: World;
  /** `-n`, else the namespace of the context, or the only one of a world in files. */
  readonly home: string;
  /** Reads what nobody has read yet; false where all of it was. */
  read(wants: readonly Want[]): Promise<boolean>;
  /** What could not be read when it was wanted. */
  failures(): readonly ReadFailure[];
}

/** Patience of a person at a terminal, not that of an API server. */
const TIMEOUT = 10_000;

/** Lists the sync resources and leaves everything else to be read when it is wanted. */
export async function openLiveWorld(
  client: Client,
  { kinds, config }: Settings,
  home: string,
): Promise<LiveWorld> {
  const listed = await readSyncResources(client, { kinds, namespace: home });
  const nothing = { objects: [], secrets: [] };
  return readingOn(client, {
    known: worldOfContents({ ...listed, ...nothing }, kinds),
    whole: new Set(),
    failures: listed.failures,
    home,
    installation: config.webhook.name,
  });
}

/** What a survey saw is known, and what it saw none of is not there; only the rest is read when it is wanted. */
export function openSurveyedWorld(
  client: Client,
  { kinds, config }: Settings,
  { survey, home }: { readonly survey: Survey; readonly home: string },
): LiveWorld {
  const { contents, whole } = survey;
  const known = worldOfContents(contents, kinds);
  return readingOn(client, { known, whole, failures: [], home, installation: config.webhook.name });
}

interface Beginning {
  readonly known: World;
  /** By resource name: what is not in `known` is not there. */
  readonly whole: ReadonlySet<string>;
  readonly failures: readonly ReadFailure[];
  readonly home: string;
  /** The name of the one whose leader is asked for. */
  readonly installation: string;
}

function readingOn(client: Client, { known, whole, failures, home, installation }: Beginning): LiveWorld {
  // Only who asks for a gate wants to know of it, and few may read Leases.
  let leader: Read<readonly string[]> | 'wanted' | undefined;
  const lookup = createLookup(client, { max: 0, ttl: 0, timeoutMs: TIMEOUT });
  const objects = new Map<string, Read<KubeObject>>();
  const secrets = new Map<string, Read<SecretRecord>>();
  const answer = async (want: Want): Promise<void> => {
    const key = keyOfWant(want);
    if (want.what === 'secret') secrets.set(key, await readSecret(client, want.namespace, want.name));
    else if (want.what !== 'access') objects.set(key, await readObject(lookup, want));
  };
  // A later read knows more than the listing: all the keys of a Secret.
  const newest = <T>(listed: Read<T>, kind: ResourceKind, later: Read<T> | undefined): Read<T> =>
    later ?? (listed.state !== 'absent' || whole.has(resourceName(kind)) ? listed : UNREAD);
  return {
    home,
    world: seenByPerson({
      ...known,
      namespace: (name) =>
        newest(known.namespace(name), NAMESPACE, objects.get(objectKey(NAMESPACE, '', name))),
      object: (kind, place, name) =>
        newest(known.object(kind, place, name), kind, objects.get(objectKey(kind, place, name))),
      secret: (place, name) => newest(known.secret(place, name), SECRET, secrets.get(secretKey(place, name))),
      serves(controller) {
        leader ??= 'wanted';
        return leader !== 'wanted' && leader.state === 'present' && leader.value.includes(controller);
      },
    }),
    async read(wants) {
      const isLeaderWanted = leader === 'wanted';
      if (isLeaderWanted) leader = await readLeader(client, installation);
      const fresh = new Map(wants.map((want) => [keyOfWant(want), want]));
      for (const key of [...objects.keys(), ...secrets.keys()]) fresh.delete(key);
      await Promise.all([...fresh.values()].map(answer));
      return fresh.size > 0 || isLeaderWanted;
    },
    failures: () => {
      const asked = leader === undefined || leader === 'wanted' ? [] : [leader];
      const reads = [...objects.values(), ...secrets.values(), ...asked];
      return [...failures, ...reads.flatMap((read) => (read.state === 'failed' ? [read.failure] : []))];
    },
  };
}

/** What cannot be read here is no matter of the webhook's rights. */
function seenByPerson(world: World): World {
  const read = <T>(look: Read<T>): Read<T> => (look.state === 'failed' ? byPerson(look) : look);
  return {
    ...world,
    namespace: (name) => read(world.namespace(name)),
    object: (kind, namespace, name) => read(world.object(kind, namespace, name)),
    secret: (namespace, name) => read(world.secret(namespace, name)),
    watched: (kind, namespace, name) => read(world.watched(kind, namespace, name)),
    kind(kind) {
      const known = world.kind(kind);
      return known.state === 'failed' ? byPerson(known) : known;
    },
  };
}

function byPerson<T extends { readonly failure: ReadFailure }>(failed: T): T {
  return { ...failed, failure: { ...failed.failure, asker: 'person' } };
}

/** A Namespace is an object here. */
async function readObject(lookup: Lookup, want: Want): Promise<Read<KubeObject>> {
  const { what, read } = await lookup.read(want);
  return what === 'object' ? read : UNREAD;
}
