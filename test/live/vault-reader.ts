/** How the stand-in of HashiCorp's operator logs in to Vault by a VaultAuth, and reads both versions of KV. */
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import type { VaultServer } from '../upstream/vault-server.ts';
import { ROLE } from '../upstream/vault-server.ts';

export const OPERATOR_NAMESPACE = 'vault-secrets-operator-system';

interface VaultAuth {
  readonly spec: {
    readonly namespace?: string;
    readonly allowedNamespaces?: readonly string[];
    readonly kubernetes?: { readonly role: string };
  };
}

export interface Login {
  readonly token: string;
  readonly namespace: string;
}

export interface Entry {
  /** The fields of the entry. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The whole answer, which becomes `_raw`. */
  readonly raw: unknown;
}

interface Place {
  readonly namespace?: string;
  readonly mount: string;
  readonly path: string;
  readonly type: string;
}

export class VaultReader {
  readonly #api: ApiClient;
  readonly #vault: () => VaultServer;
  readonly #tokens = new Map<string, string>();

  constructor(api: ApiClient, vault: () => VaultServer) {
    this.#api = api;
    this.#vault = vault;
  }

  /** By `name`, `namespace/name`, or the operator's default. */
  async logIn(reference: string | undefined, from: string): Promise<Login> {
    const whole = reference ?? `${OPERATOR_NAMESPACE}/default`;
    const [namespace = '', name = ''] = whole.includes('/') ? whole.split('/') : [from, whole];
    const path = `/apis/secrets.hashicorp.com/v1beta1/namespaces/${namespace}/vaultauths/${name}`;
    const found = await this.#api.send<VaultAuth>('GET', path);
    if (found.status !== 200) throw new Error(`vaultauths.secrets.hashicorp.com "${name}" not found`);
    const { spec } = found.body;
    const allowed = spec.allowedNamespaces ?? [];
    if (from !== namespace && allowed[0] !== '*' && !allowed.includes(from)) {
      throw new Error(
        `target namespace "${from}" is not allowed by kind=VaultAuth obj=${namespace}/${name}, allowedNamespaces=[${allowed.join(' ')}]`,
      );
    }
    const inVault = spec.namespace ?? '';
    const known = this.#tokens.get(whole);
    if (known !== undefined) return { token: known, namespace: inVault };
    const answer = await this.#ask('auth/kubernetes/login', inVault, {
      method: 'POST',
      body: JSON.stringify({ role: spec.kubernetes?.role, jwt: ROLE.jwt }),
    });
    const { auth } = (await answer.json()) as { readonly auth?: { readonly client_token: string } };
    if (auth === undefined) throw new Error(`Failed to get Vault auth login: Code: ${answer.status}`);
    this.#tokens.set(whole, auth.client_token);
    return { token: auth.client_token, namespace: inVault };
  }

  async read({ namespace, mount, path, type }: Place, login: Login): Promise<Entry> {
    const whole = type === 'kv-v2' ? `${mount}/data/${path}` : `${mount}/${path}`;
    const answer = await this.#ask(whole, namespace ?? login.namespace, {
      headers: { 'x-vault-token': login.token },
    });
    if (answer.status === 403) this.#tokens.clear();
    if (answer.status === 404) throw new Error(`empty response from Vault, path="${whole}"`);
    if (!answer.ok) throw new Error(`Error making API request. URL: GET ${whole} Code: ${answer.status}`);
    const { data } = (await answer.json()) as { readonly data: Entry['data'] };
    return { data: type === 'kv-v2' ? ((data['data'] ?? {}) as Entry['data']) : data, raw: data };
  }

  async #ask(path: string, namespace: string, init: RequestInit): Promise<Response> {
    const place: Record<string, string> = namespace === '' ? {} : { 'x-vault-namespace': namespace };
    return fetch(`${this.#vault().url}/v1/${path}`, {
      ...init,
      headers: { ...place, ...(init.headers as Record<string, string> | undefined) },
    });
  }
}
