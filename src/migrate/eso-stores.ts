/** What stands behind an ExternalSecret: the provider of its store, and of Infisical where it reads and how it logs in. */
import type { Json } from '../kube/json.ts';
import { asObject, dig, get, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { namespaceOf } from '../kube/object.ts';
import type { Read } from '../kube/world.ts';
import type { OperatorLogin } from '../plugins/infisical-manifest.ts';
import type { Entry } from './eso-entries.ts';

export interface InfisicalStore {
  readonly provider: 'infisical';
  /** For people: 'infisical/team'. */
  readonly title: string;
  readonly hostAPI: string;
  /** '' where the store does not tell. */
  readonly project: string;
  readonly environment: string;
  readonly path: string;
  readonly recursive: boolean;
  /** Undefined where Infisical's operator cannot log in by what the store has. */
  readonly login?: OperatorLogin;
}

export interface VaultStore {
  readonly provider: 'vault';
  readonly title: string;
  readonly server: string;
  /** '' where each key names it. */
  readonly mount: string;
  readonly version: 'kv-v1' | 'kv-v2';
  /** Vault's own; '' for none. */
  readonly vaultNamespace: string;
}

export interface OtherStore {
  /** 'aws'. */
  readonly provider: string;
  readonly title: string;
}

export type EsoStore = InfisicalStore | VaultStore | OtherStore;

/** An entry of an ExternalSecret with its store. */
export interface Placed {
  readonly entry: Entry;
  readonly store: EsoStore;
}

/** External Secrets' own default. */
const HOST_API = 'https://app.infisical.com/api';

/** Providers whose values stay until somebody changes them: a copy of one is as good. */
const KEEPERS: readonly string[] = [
  'vault',
  'aws',
  'gcpsm',
  'azurekv',
  'doppler',
  'onepassword',
  'onepasswordSDK',
  'kubernetes',
  'ibm',
  'oracle',
  'akeyless',
  'gitlab',
  'github',
  'bitwardensecretsmanager',
  'conjur',
  'delinea',
  'secretserver',
  'keepersecurity',
  'passbolt',
  'pulumi',
  'scaleway',
  'yandexlockbox',
];

export function isInfisical(store: EsoStore): store is InfisicalStore {
  return store.provider === 'infisical';
}

export function isVault(store: EsoStore): store is VaultStore {
  return store.provider === 'vault';
}

export function keepsValues({ provider }: EsoStore): boolean {
  return provider === 'infisical' || KEEPERS.includes(provider);
}

/** The store, or why it tells nothing: `words` are its own. `namespace` is that of the ExternalSecret. */
export function storeIn(
  read: Read<KubeObject>,
  words: string,
  namespace: string,
): EsoStore | { readonly why: string } {
  if (read.state === 'absent') return { why: `${words} does not exist` };
  if (read.state === 'failed') return { why: `${words} cannot be read: ${read.failure.message}` };
  if (read.state === 'unread') return { why: `${words} was not read` };
  const { raw } = read.value;
  const [provider, settings] = Object.entries(asObject(dig(raw, 'spec', 'provider')))[0] ?? [];
  const name = text(get(raw, 'metadata'), 'name') ?? '';
  if (provider === undefined) return { why: `${words} names no provider` };
  const title = `${provider}/${name}`;
  if (provider === 'vault') return { provider, title, ...vaultIn(settings) };
  if (provider !== 'infisical') return { provider, title };
  const scope = get(settings, 'secretsScope');
  const login = loginIn(get(settings, 'auth'), namespaceOf(raw) === '' ? undefined : namespace);
  return {
    provider,
    title,
    hostAPI: text(settings, 'hostAPI') ?? HOST_API,
    project: text(scope, 'projectSlug') ?? '',
    environment: text(scope, 'environmentSlug') ?? '',
    path: text(scope, 'secretsPath') ?? '/',
    recursive: get(scope, 'recursive') === true,
    ...(login === undefined ? {} : { login }),
  };
}

/** With External Secrets' own defaults. */
function vaultIn(settings: Json | undefined): Omit<VaultStore, 'provider' | 'title'> {
  return {
    server: text(settings, 'server') ?? '',
    mount: text(settings, 'path') ?? '',
    version: text(settings, 'version') === 'v1' ? 'kv-v1' : 'kv-v2',
    vaultNamespace: text(settings, 'namespace') ?? '',
  };
}

/** Infisical's operator wants both in one Secret, under these names. */
function loginIn(auth: Json | undefined, home: string | undefined): OperatorLogin | undefined {
  const [id, secret] = ['clientId', 'clientSecret'].map((part) =>
    dig(auth, 'universalAuthCredentials', part),
  );
  const [one, other] = [id, secret].map((reference) => ({
    namespace: text(reference, 'namespace') ?? home,
    name: text(reference, 'name'),
  }));
  const usual = text(id, 'key') === 'clientId' && text(secret, 'key') === 'clientSecret';
  if (!usual || one?.name === undefined || one.namespace === undefined) return undefined;
  if (one.name !== other?.name || one.namespace !== other.namespace) return undefined;
  return { credentials: { namespace: one.namespace, name: one.name } };
}

/** Where a key of External Secrets stands: '/folder/KEY' is absolute, 'KEY' is in the folder of the store. */
export function addressOf(
  key: string,
  { path }: InfisicalStore,
): { readonly path: string; readonly key: string } {
  const slash = key.lastIndexOf('/');
  if (slash === -1) return { path, key };
  return { path: slash === 0 ? '/' : key.slice(0, slash), key: key.slice(slash + 1) };
}
