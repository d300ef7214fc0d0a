/**
 * A secret store as the commands and migrations use it. A place holds keys with values; a store makes places where
 * it has to, never overwrites unless it is told to, and says what it did. Never used at admission.
 */
import { UpstreamError } from './upstream-error.ts';

/** Where values stand. What a store does not have is ''. */
export interface Place {
  /** Infisical: slug or id of the project. Vault: the mount. Kubernetes: ''. */
  readonly project: string;
  /** Infisical: the environment's slug. Else ''. */
  readonly environment: string;
  /** Infisical: the folder, '/compute'. Vault: the entry below the mount. Kubernetes: 'namespace/name'. */
  readonly path: string;
}

export type Values = Readonly<Record<string, string>>;

/** What is to be written: text, or bytes that only Kubernetes can keep. */
export type NewValues = Readonly<Record<string, string | Uint8Array>>;

export interface PutOptions {
  /** Keys that are there already are replaced; without it they are `exists`, and nothing is written. */
  readonly overwrite?: boolean;
  /** Asks everything that a write asks, and writes nothing. */
  readonly dryRun?: boolean;
}

/** What a `put` did, or with `dryRun` would do: names alone. */
export interface Put {
  readonly created: readonly string[];
  readonly replaced: readonly string[];
  /** There already with the very same value. */
  readonly unchanged: readonly string[];
  /** Whether the folder, entry or Secret itself was made. */
  readonly madePlace: boolean;
}

export interface RemoveOptions {
  /** An entry of Vault goes, too, where no key is left in it; folders of Infisical and Secrets stay. */
  readonly emptied?: 'goes';
}

export interface Store {
  /** A plugin's id: `infisical`, `vault`, `k8s`. */
  readonly id: string;
  /** For messages: 'Infisical'. */
  readonly name: string;
  /** The keys at a place, sorted, without their values. Throws `pathNotFound` where there is no such place. */
  list(place: Place): Promise<readonly string[]>;
  /** Every key at a place with its value. */
  read(place: Place): Promise<Values>;
  /** What can be asked for below a place, sorted: folders and keys, entries, or the Secrets of a namespace. */
  names(place: Place): Promise<readonly string[]>;
  /** One value. Throws `secretNotFound` where there is no such key. */
  get(place: Place, key: string): Promise<string>;
  /** Writes the keys; all of them, or after a failure as few as can be: what it made is taken back. */
  put(place: Place, values: NewValues, options?: PutOptions): Promise<Put>;
  /** Deletes these keys; those that are not there are no failure. The place stays, unless it may go. */
  remove(place: Place, keys: readonly string[], options?: RemoveOptions): Promise<void>;
  /** The place as a person finds it: 'floe-platform/prod/compute'. */
  describe(place: Place): string;
  /** Vault alone: the version of a KV mount, as the mount itself says. */
  kvVersion?(mount: string): Promise<1 | 2>;
  close(): Promise<void>;
}

/** The values where all are text: what no Kubernetes keeps cannot keep bytes. */
export function textValues(values: NewValues): Values {
  const key = Object.keys(values).find((name) => typeof values[name] !== 'string');
  if (key === undefined) return values as Values;
  throw new UpstreamError(
    'unsupported',
    `the value of '${key}' is not text, and only a native Secret can hold bytes`,
  );
}

/** The keys that exist already, in a sentence. */
export function alreadyThere(where: string, keys: readonly string[]): UpstreamError {
  const names = keys.map((key) => `'${key}'`).join(', ');
  const [exist, hold] = keys.length === 1 ? ['exists', 'another value'] : ['exist', 'other values'];
  return new UpstreamError('exists', `${where}: ${names} ${exist} already with ${hold}; nothing was written`);
}
