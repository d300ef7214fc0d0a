/**
 * floe's `SecretsPlugin` in TypeScript (its ADR-0031), answered by whichever store stands behind. The last two
 * questions are of Kubernetes alone and have floe's exact answers; what a store cannot do is an UpstreamError.
 */
import { isVariableName } from '../kube/names.ts';
import type { NewValues, Place, Put, PutOptions, Store, Values } from './store.ts';
import { UpstreamError, isUnreachable, isUpstream } from './upstream-error.ts';

/** What goes into a container, exactly as floe's own plugins write it. */
export interface PodEnv {
  readonly envFrom: readonly { readonly secretRef: { readonly name: string } }[];
}

export interface SecretsPlugin {
  /** As in the contract's table: `infisical`, `vault`, `k8s`. */
  readonly id: string;
  /** The keys of what has this name, with their values. */
  getSecret(name: string): Promise<Values>;
  /** Writes the keys of a new secret; what is there already with another value is refused. */
  createSecret(name: string, values: NewValues, options?: PutOptions): Promise<Put>;
  /** Names that `getSecret` knows. */
  listSecrets(): Promise<readonly string[]>;
  /** `secretRefs`: a logical name to the name of its Secret. */
  injectEnvVars(secretRefs: Readonly<Record<string, string>>): PodEnv;
  generateSecretMounts(secretName: string): PodEnv;
}

/** The place that a plugin works below; a secret's name is one part more. */
export type Home = Place;

export interface SecretsPluginOptions {
  readonly store: Store;
  readonly home: Home;
  /** Variables that may stand in for a store that cannot be reached; undefined for none. */
  readonly fallback?: Readonly<Record<string, string | undefined>> | undefined;
}

export function createSecretsPlugin({ store, home, fallback }: SecretsPluginOptions): SecretsPlugin {
  return {
    id: store.id,
    getSecret: async (name) => {
      try {
        return await namedSecret(store, home, name);
      } catch (error) {
        const value =
          isUnreachable(error) && fallback !== undefined ? fromEnvironment(fallback, name) : undefined;
        if (value === undefined) throw error;
        return { [name]: value };
      }
    },
    createSecret: async (name, values, options) => store.put(placeOf(home, name), values, options),
    listSecrets: async () => store.names(home),
    ...POD_ANSWERS,
  };
}

/** A plugin whose operator works alone: this program has no client of its store. */
export function operatorOnlyPlugin(id: string): SecretsPlugin {
  const refuse = async (what: string): Promise<never> => {
    throw new UpstreamError(
      'unsupported',
      `plugin '${id}' cannot ${what}: its store is asked by its operator alone; plugin 'k8s' reads the Secret that was synced`,
    );
  };
  return {
    id,
    getSecret: async (name) => refuse(`read '${name}'`),
    createSecret: async (name) => refuse(`create '${name}'`),
    listSecrets: async () => refuse('list secrets'),
    ...POD_ANSWERS,
  };
}

const POD_ANSWERS: Pick<SecretsPlugin, 'injectEnvVars' | 'generateSecretMounts'> = {
  injectEnvVars: (secretRefs) => ({
    envFrom: Object.values(secretRefs).map((name) => ({ secretRef: { name } })),
  }),
  generateSecretMounts: (name) => ({ envFrom: [{ secretRef: { name } }] }),
};

/** '/compute' and 'dbt' are '/compute/dbt'. */
export function placeOf(home: Home, name: string): Place {
  return { ...home, path: `${home.path.replace(/\/+$/, '')}/${name}` };
}

/** A folder or entry of this name; in Infisical also a single key, which is how floe's own plugin reads there. */
async function namedSecret(store: Store, home: Home, name: string): Promise<Values> {
  try {
    return await store.read(placeOf(home, name));
  } catch (error) {
    if (store.id !== 'infisical' || !isUpstream(error, 'pathNotFound')) throw error;
    return { [name]: await store.get(home, name) };
  }
}

/** The variable of this name, or floe's own name for it. */
function fromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): string | undefined {
  const floe = `FLOE_SECRET_${name.toUpperCase().replaceAll(/[-.]/g, '_')}`;
  return [name, floe]
    .filter(isVariableName)
    .map((variable) => env[variable])
    .find((value) => value !== undefined);
}
