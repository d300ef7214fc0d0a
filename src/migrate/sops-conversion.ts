/**
 * What a Secret in a file of SOPS becomes. Without its values, which need the key, everything but one thing is known:
 * which of them Infisical can only keep as base64.
 */
import type { Conversion, Obstacle, TargetSecret } from './conversion.ts';
import { metadataFor } from './eso-metadata.ts';
import type { InfisicalWish } from './infisical-target.ts';
import { copyTo } from './infisical-target.ts';
import type { SecretInFile } from './sops-secrets.ts';
import type { StandingSecret, Surroundings } from './standing-secret.ts';
import { keeperNotes, refusalsOf } from './standing-secret.ts';
import { plainText } from './values.ts';

/** Decrypted values by key; undefined for one that is no base64 where it should be. */
export type Decrypted = ReadonlyMap<string, Uint8Array | undefined>;

export interface SopsRequest extends Surroundings {
  /** As people named it. */
  readonly file: string;
  readonly secret: SecretInFile;
  /** Where the file does not say, the one that is asked for. */
  readonly namespace: string;
  /** Undefined where the cluster has no such Secret yet. */
  readonly standing: StandingSecret | undefined;
  /** Undefined until it is decrypted. */
  readonly values: Decrypted | undefined;
  /** Keys whose values are others in the cluster; known once it is decrypted. */
  readonly changed: readonly string[];
  readonly wish: InfisicalWish;
}

export function convertSopsSecret(request: SopsRequest): Conversion {
  const { file, secret, namespace, standing, wish } = request;
  const base = {
    namespace,
    secret: secret.name,
    kind: secret.kind,
    name: secret.name === '' ? secret.title : secret.name,
    source: file,
    notes: standing === undefined ? [] : keeperNotes(standing),
  };
  const obstacles = [
    ...secret.obstacles,
    ...undecodable(request),
    ...(standing === undefined ? [] : [...refusalsOf(standing, request), ...differences(request, standing)]),
    ...(standing === undefined && request.claimants.length > 0
      ? [{ where: '', why: `${request.claimants.join(', ')} is to write it` }]
      : []),
  ];
  if (obstacles.length > 0) return { ...base, obstacles };
  const { labels, annotations } = secret;
  const made = copyTo(wish, {
    namespace,
    name: secret.name,
    secret: secret.name,
    // Those of a Secret that is there are its own, and stay.
    metadata: standing === undefined ? metadataFor({ metadata: { labels, annotations } }) : {},
    target: targetOf(request),
  });
  return { ...base, ...made, notes: [...base.notes, ...made.notes] };
}

/** The type of a Secret never changes; the one that is there has the last word. */
function targetOf({
  secret,
  standing,
  values,
}: SopsRequest): Pick<TargetSecret, 'keys' | 'encoded' | 'type'> {
  const keys = secret.entries.map(({ key }) => key);
  const isEncoded = (key: string): boolean => {
    const bytes = values?.get(key);
    return bytes !== undefined && plainText(bytes) === undefined;
  };
  return { keys, encoded: keys.filter(isEncoded), type: standing?.target.type ?? secret.type };
}

function undecodable({ values = new Map() }: SopsRequest): readonly Obstacle[] {
  return [...values]
    .filter(([, bytes]) => bytes === undefined)
    .map(([key]) => ({ where: `data.${key}`, why: 'its value is no base64' }));
}

/** What would stop the hand-over, told before anything is done. */
function differences({ secret, changed }: SopsRequest, { target }: StandingSecret): readonly Obstacle[] {
  const keys = secret.entries.map(({ key }) => key);
  const parts = [
    ['it lacks', keys.filter((key) => !target.keys.includes(key))],
    ['it also has', target.keys.filter((key) => !keys.includes(key))],
    ['it has other values of', changed],
  ] as const;
  const words = parts
    .filter(([, names]) => names.length > 0)
    .map(([start, names]) => `${start} ${names.join(', ')}`);
  if (words.length === 0) return [];
  const fix = 'apply the file, or change it to what the cluster has';
  return [{ where: '', why: `the Secret in the cluster is another one: ${words.join('; ')}`, fix }];
}
