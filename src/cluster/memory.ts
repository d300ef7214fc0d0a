/** What live reads found, believed for a short while. Absence and failures are never remembered. */
import { LRUCache } from 'lru-cache';
import type { KubeObject } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Answer } from './answers.ts';

export interface Memory {
  secret(key: string): SecretRecord | undefined;
  object(key: string): KubeObject | undefined;
  access(key: string): boolean | undefined;
  remember(key: string, answer: Answer): void;
  /** Something has happened to this Secret. */
  forget(key: string): void;
}

export interface MemoryOptions {
  /** How many Secrets; 0 remembers nothing. */
  readonly max: number;
  /** Milliseconds; 0 remembers nothing. */
  readonly ttl: number;
}

/** Owners, SecretProviderClasses and permissions are few; the bound is for floods. */
const MAX_OTHERS = 1_000;
/** Characters of all Secrets' names and annotations, and of all objects: who makes large ones makes room for few. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** The clock is read at each look: remembering its reading for a moment takes a timer, which costs more. */
const ttlResolution = 0;

export function createMemory({ max, ttl }: MemoryOptions): Memory {
  // To lru-cache a ttl of 0 is for ever; here it is not at all.
  if (max === 0 || ttl === 0) return NO_MEMORY;
  const maxSize = MAX_CHARACTERS;
  const secrets = new LRUCache<string, SecretRecord>({
    max,
    ttl,
    ttlResolution,
    maxSize,
    sizeCalculation: sizeOf,
  });
  const objects = new LRUCache<string, KubeObject>({
    max: MAX_OTHERS,
    ttl,
    ttlResolution,
    maxSize,
    sizeCalculation: ({ raw }) => JSON.stringify(raw).length,
  });
  const access = new LRUCache<string, { readonly allowed: boolean }>({
    max: MAX_OTHERS,
    ttl,
    ttlResolution,
  });
  return {
    secret: (key) => secrets.get(key),
    object: (key) => objects.get(key),
    access: (key) => access.get(key)?.allowed,
    remember(key, answer) {
      if (answer.read.state !== 'present') {
        // What was there a moment ago is not any more.
        if (answer.what === 'secret' && answer.read.state === 'absent') secrets.delete(key);
        if (answer.what === 'object' && answer.read.state === 'absent') objects.delete(key);
        return;
      }
      if (answer.what === 'secret') rememberSecret(secrets, key, answer.read.value);
      if (answer.what === 'object') objects.set(key, answer.read.value);
      if (answer.what === 'access') access.set(key, { allowed: answer.read.value });
    },
    forget: (key) => void secrets.delete(key),
  };
}

/** About as many characters as it has; a Secret of nothing is one too. */
function sizeOf({ keys, writes, labels, annotations }: SecretRecord): number {
  const texts = [...keys, ...Object.entries(labels).flat(), ...Object.entries(annotations).flat()];
  return texts.reduce((sum, text) => sum + text.length + OVERHEAD, (1 + writes.length) * OVERHEAD);
}

/** What a text takes besides its characters. */
const OVERHEAD = 32;

/** Metadata does not displace a whole read of the same version: that knows more. */
function rememberSecret(secrets: LRUCache<string, SecretRecord>, key: string, record: SecretRecord): void {
  const known = secrets.get(key);
  const knowsMore = known?.keysComplete === true && known.resourceVersion === record.resourceVersion;
  secrets.set(key, knowsMore ? known : record);
}

const NO_MEMORY: Memory = {
  secret: () => undefined,
  object: () => undefined,
  access: () => undefined,
  remember: () => undefined,
  forget: () => undefined,
};
