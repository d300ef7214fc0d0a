/** The Secret that holds this installation's authority and serving certificate: watched by all, written by the leader. */
import type { JsonObject } from '../kube/json.ts';
import { dig, get, text } from '../kube/json.ts';
import { SECRET } from '../kube/object.ts';
import type { CertificateData } from './certificate-plan.ts';
import type { Client } from './client.ts';
import { MERGE_PATCH } from './media-types.ts';
import { collectionPath } from './paths.ts';
import type { WatchOptions } from './watch.ts';
import { startReflector, troubleOf } from './watch.ts';

/** What stands in the Secret, and which version of it. */
export interface HeldCertificates {
  readonly data: CertificateData;
  readonly resourceVersion: string;
}

export interface CertificateSecret {
  readonly namespace: string;
  readonly name: string;
  /** Undefined where there is no such Secret, or none is known yet. */
  held(): HeldCertificates | undefined;
  settled(): boolean;
  /** Why it cannot be read, in the words of RBAC; '' where it can. */
  trouble(): string;
  /** Refused where the Secret is another than `held` says. */
  write(held: HeldCertificates, data: Partial<CertificateData>): Promise<void>;
  stop(): Promise<void>;
}

export interface CertificateSecretOptions extends WatchOptions {
  readonly namespace: string;
  readonly name: string;
  readonly changed?: () => void;
}

const ENTRIES = {
  authorities: 'ca.crt',
  authorityKey: 'ca.key',
  leaf: 'tls.crt',
  leafKey: 'tls.key',
} as const satisfies Record<keyof CertificateData, string>;

export function watchCertificateSecret(client: Client, options: CertificateSecretOptions): CertificateSecret {
  const { namespace, name, changed, ...watchOptions } = options;
  const watch = startReflector(
    client,
    {
      kind: SECRET,
      only: { namespace, name },
      reduce: (_kind, raw) => heldIn(raw),
      changed: () => changed?.(),
    },
    watchOptions,
  );
  return {
    namespace,
    name,
    held: () => watch.objects.get(namespace, name),
    settled: () => watch.settled(),
    trouble: () => troubleOf(watch),
    write: async ({ resourceVersion }, data) => {
      const written = Object.entries(data).map(
        ([entry, value]) => [ENTRIES[entry as keyof CertificateData], base64(value)] as const,
      );
      const patch = { metadata: { resourceVersion }, data: Object.fromEntries(written) };
      await client.send('PATCH', `${collectionPath(SECRET, namespace)}/${encodeURIComponent(name)}`, patch, {
        contentType: MERGE_PATCH,
      });
    },
    stop: async () => watch.stop(),
  };
}

/** What a Secret of this kind holds. */
export function heldIn(raw: JsonObject): HeldCertificates {
  const entry = (key: keyof CertificateData): string =>
    Buffer.from(text(get(raw, 'data'), ENTRIES[key]) ?? '', 'base64').toString();
  return {
    data: {
      authorities: entry('authorities'),
      authorityKey: entry('authorityKey'),
      leaf: entry('leaf'),
      leafKey: entry('leafKey'),
    },
    resourceVersion: text(dig(raw, 'metadata'), 'resourceVersion') ?? '',
  };
}

function base64(value: string): string {
  return Buffer.from(value).toString('base64');
}
