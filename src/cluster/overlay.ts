/**
 * The World of one review: what the review has read live lies over what watches know, that over what earlier reads
 * found. What it has answered once stays the same, and it remembers what it was asked for.
 */
import type { KubeObject } from '../kube/object.ts';
import { NAMESPACE } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Read, Want, World } from '../kube/world.ts';
import { UNREAD, present } from '../kube/world.ts';
import type { Answer } from './answers.ts';
import { accessKey, keyOfWant, objectKey, secretKey } from './answers.ts';
import type { Claimants } from './claimants.ts';
import type { Memory } from './memory.ts';

export interface OverlayParts {
  readonly base: World;
  readonly memory: Memory;
  readonly claimants: Claimants;
  /** Called once for each Secret that is believed without a look. */
  onHit(): void;
}

export interface Overlay {
  readonly world: World;
  /** Lays a live answer over what is known. */
  answer(want: Want, answer: Answer): void;
  /** Whether this review has read it live, with success. */
  isAnswered(want: Want): boolean;
  /** The Namespaces and objects that were asked for. */
  lookedAt(): readonly Want[];
  /** What is known of a Secret; unread where nobody has asked for it. */
  secretNow(namespace: string, name: string): Read<SecretRecord>;
}

/** What is believed without a look: watches, and under them what earlier reads found. One World for all reviews. */
export function believedWorld(base: World, memory: Memory): World {
  return {
    namespace(name) {
      const watched = base.namespace(name);
      if (watched.state !== 'unread') return watched;
      return either(watched, memory.object(objectKey(NAMESPACE, '', name)));
    },
    object(kind, namespace, name) {
      const watched = base.object(kind, namespace, name);
      if (watched.state !== 'unread') return watched;
      return either(watched, memory.object(objectKey(kind, namespace, name)));
    },
    secret(namespace, name) {
      const watched = base.secret(namespace, name);
      if (watched.state !== 'unread') return watched;
      return either(watched, memory.secret(secretKey(namespace, name)));
    },
    access(...question) {
      const watched = base.access(...question);
      return watched.state === 'unread' ? either(watched, memory.access(accessKey(...question))) : watched;
    },
    targeting: base.targeting,
    targetsIn: base.targetsIn,
    opaqueIn: base.opaqueIn,
    watched: base.watched,
    kind: base.kind,
    serves: base.serves,
  };
}

export function createOverlay(parts: OverlayParts): Overlay {
  const secrets = createLayer<SecretRecord>();
  const objects = createLayer<KubeObject>();
  const access = createLayer<boolean>();
  const asked = new Map<string, Want>();
  const answered = new Set<string>();
  const layers = { secrets, objects, access, asked };
  return {
    world: worldOver(parts, layers),
    answer(want, answer) {
      const key = keyOfWant(want);
      if (answer.read.state !== 'failed') answered.add(key);
      if (answer.what === 'secret') secrets.set(key, answer.read);
      if (answer.what === 'object') objects.set(key, answer.read);
      if (answer.what === 'access') access.set(key, answer.read);
    },
    isAnswered: (want) => answered.has(keyOfWant(want)),
    lookedAt: () => [...asked.values()],
    secretNow: (namespace, name) => secrets.read(secretKey(namespace, name), () => UNREAD),
  };
}

interface Layers {
  readonly secrets: Layer<SecretRecord>;
  readonly objects: Layer<KubeObject>;
  readonly access: Layer<boolean>;
  readonly asked: Map<string, Want>;
}

function worldOver({ base, memory, claimants, onHit }: OverlayParts, layers: Layers): World {
  const object = (want: Want, watched: () => Read<KubeObject>): Read<KubeObject> => {
    const key = keyOfWant(want);
    layers.asked.set(key, want);
    return layers.objects.read(key, () => either(watched(), memory.object(key)));
  };
  return {
    namespace: (name) => object({ what: 'namespace', name }, () => base.namespace(name)),
    object: (kind, namespace, name) =>
      object({ what: 'object', kind, namespace, name }, () => base.object(kind, namespace, name)),
    secret(namespace, name) {
      const key = secretKey(namespace, name);
      return layers.secrets.read(key, () => {
        const read = either(base.secret(namespace, name), memory.secret(key));
        if (read.state === 'present') onHit();
        return read;
      });
    },
    access(...question) {
      const key = accessKey(...question);
      return layers.access.read(key, () => either(base.access(...question), memory.access(key)));
    },
    targeting: claimants.targeting,
    targetsIn: base.targetsIn,
    opaqueIn: base.opaqueIn,
    watched: claimants.watched,
    kind: claimants.kind,
    serves: base.serves,
  };
}

/** Reads by key: the first one that is no `unread` stays until a better one is set. */
interface Layer<T> {
  read(key: string, below: () => Read<T>): Read<T>;
  set(key: string, read: Read<T>): void;
}

function createLayer<T>(): Layer<T> {
  const reads = new Map<string, Read<T>>();
  return {
    read(key, below) {
      const known = reads.get(key);
      if (known !== undefined) return known;
      const read = below();
      if (read.state !== 'unread') reads.set(key, read);
      return read;
    },
    set: (key, read) => void reads.set(key, read),
  };
}

function either<T>(watched: Read<T>, remembered: T | undefined): Read<T> {
  return watched.state === 'unread' && remembered !== undefined ? present(remembered) : watched;
}
