/** The webhook configurations by which the API server calls this project: watched, read, and mended in place. */
import { PROGRAM } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import { asArray, asObject, dig, get, text } from '../kube/json.ts';
import type { ResourceKind } from '../kube/object.ts';
import { nameOf } from '../kube/object.ts';
import { isTrusted } from './certificate-chain.ts';
import type { Client } from './client.ts';
import { JSON_PATCH } from './media-types.ts';
import { objectPath } from './paths.ts';
import type { WatchOptions } from './watch.ts';
import { startReflector, troubleOf } from './watch.ts';

/** One webhook of a configuration. */
interface Entry {
  readonly name: string;
  /** PEM, '' where there is none. */
  readonly caBundle: string;
  readonly failurePolicy: string;
}

export interface Registration {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly resourceVersion: string;
  /** cert-manager's CA injector was asked to write its caBundles, so that nobody else may. */
  readonly injected: boolean;
  readonly entries: readonly Entry[];
}

export interface Registrations {
  /** Those that are there. */
  all(): readonly Registration[];
  /** Whether it is known which are there. */
  settled(): boolean;
  /** Why that cannot be known, in the words of RBAC; '' where it is. */
  trouble(): string;
  stop(): Promise<void>;
}

const INJECTOR = 'cert-manager.io/inject-';

export const MUTATING: ResourceKind = configuration('MutatingWebhookConfiguration');
export const VALIDATING: ResourceKind = configuration('ValidatingWebhookConfiguration');

/** Watches the two configurations of this name. */
export function watchRegistrations(
  client: Client,
  name: string,
  { changed, ...options }: WatchOptions & { readonly changed?: () => void },
): Registrations {
  const watches = [MUTATING, VALIDATING].map((kind) =>
    startReflector(
      client,
      {
        kind,
        only: { namespace: '', name },
        reduce: (_kind, raw) => registrationOf(kind, raw),
        changed: () => changed?.(),
      },
      options,
    ),
  );
  return {
    all: () => watches.flatMap(({ objects }) => [...objects.values()]),
    settled: () => watches.every((watch) => watch.settled()),
    trouble: () => watches.map((watch) => troubleOf(watch)).find((trouble) => trouble !== '') ?? '',
    stop: async () => {
      await Promise.all(watches.map(async (watch) => watch.stop()));
    },
  };
}

export function registrationOf(kind: ResourceKind, raw: JsonObject): Registration {
  return {
    kind,
    name: nameOf(raw),
    resourceVersion: text(get(raw, 'metadata'), 'resourceVersion') ?? '',
    injected: Object.keys(asObject(dig(raw, 'metadata', 'annotations'))).some((key) =>
      key.startsWith(INJECTOR),
    ),
    entries: asArray(get(raw, 'webhooks')).map((webhook) => ({
      name: text(webhook, 'name') ?? '',
      caBundle: Buffer.from(text(dig(webhook, 'clientConfig'), 'caBundle') ?? '', 'base64').toString(),
      failurePolicy: text(webhook, 'failurePolicy') ?? 'Fail',
    })),
  };
}

/** Every caBundle that stands in these configurations. */
export function liveBundles(registrations: Pick<Registrations, 'all'>): readonly string[] {
  return registrations.all().flatMap(({ entries }) => entries.map(({ caBundle }) => caBundle));
}

/** The webhooks whose caBundle does not accept this certificate now, as people name them. */
export function distrusting(
  registrations: readonly Registration[],
  chain: string,
  now: number,
): readonly string[] {
  return registrations.flatMap(({ kind, name, entries }) =>
    entries
      .filter(({ caBundle }) => !isTrusted(chain, caBundle, now))
      .map((entry) => `${entry.name} of ${kind.kind.toLowerCase()} ${name}`),
  );
}

/** Gives every webhook of a configuration this caBundle. Refused where the configuration has changed meanwhile. */
export async function publishBundle(
  client: Client,
  registration: Registration,
  bundle: string,
): Promise<void> {
  const value = Buffer.from(bundle).toString('base64');
  await patchEntries(client, registration, ({ caBundle }) =>
    caBundle === bundle ? undefined : { op: 'add', field: 'clientConfig/caBundle', value },
  );
}

/** Makes these webhooks of a configuration refuse what nobody could judge. */
export async function failClosed(
  client: Client,
  registration: Registration,
  names: readonly string[],
): Promise<void> {
  await patchEntries(client, registration, ({ name, failurePolicy }) =>
    names.includes(name) && failurePolicy !== 'Fail'
      ? { op: 'replace', field: 'failurePolicy', value: 'Fail' }
      : undefined,
  );
}

interface Change {
  readonly op: 'add' | 'replace';
  readonly field: string;
  readonly value: string;
}

async function patchEntries(
  client: Client,
  { kind, name, resourceVersion, entries }: Registration,
  change: (entry: Entry) => Change | undefined,
): Promise<void> {
  const path = objectPath(kind, '', name);
  const changes = entries.flatMap((entry, index) => {
    const wanted = change(entry);
    return wanted === undefined
      ? []
      : [{ op: wanted.op, path: `/webhooks/${index}/${wanted.field}`, value: wanted.value }];
  });
  if (path === undefined || changes.length === 0) return;
  const written = await patch(client, path, resourceVersion, changes);
  await disown(client, path, written);
}

async function patch(
  client: Client,
  path: string,
  resourceVersion: string,
  changes: readonly JsonObject[],
): Promise<JsonObject> {
  const unchanged = { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion };
  return client.send('PATCH', path, [unchanged, ...changes], { contentType: JSON_PATCH });
}

/**
 * Gives up the ownership that the API server noted for what was written: the next `helm upgrade` or `rollback`
 * applies the chart's own failurePolicy, and would meet a conflict that stops it.
 */
async function disown(client: Client, path: string, written: JsonObject): Promise<void> {
  const metadata = get(written, 'metadata');
  const owners = asArray(get(metadata, 'managedFields'));
  const index = owners.findIndex((owner) => text(owner, 'manager') === PROGRAM);
  if (index === -1) return;
  const change = { op: 'remove', path: `/metadata/managedFields/${index}` };
  await patch(client, path, text(metadata, 'resourceVersion') ?? '', [change]);
}

function configuration(kind: string): ResourceKind {
  const plural = `${kind.toLowerCase()}s`;
  return { group: 'admissionregistration.k8s.io', version: 'v1', kind, plural, namespaced: false };
}
