/**
 * A stand-in for Infisical's operator that really reads the stand-in of Infisical: it adopts a Secret that is there
 * without ever giving it an owner, and replaces its data whole. At its worst it is slow, fails, or writes other data.
 */
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';

const GROUP = '/apis/secrets.infisical.com/v1alpha1';
const VERSION = 'secrets.infisical.com/version';
const MERGE_PATCH = { contentType: 'application/merge-patch+json' };

export interface SyncTemplate {
  readonly includeAllSecrets?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}

interface Reference {
  readonly secretName: string;
  readonly secretType?: string;
  readonly creationPolicy?: string;
  readonly template?: SyncTemplate;
}

export interface InfisicalSecret {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly generation: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly authentication: {
      readonly universalAuth: {
        readonly secretsScope: { readonly envSlug: string; readonly secretsPath: string };
      };
    };
    readonly managedKubeSecretReferences: readonly Reference[];
  };
}

interface InfisicalPushSecret {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly destination: { readonly environmentSlug: string; readonly secretsPath: string };
    readonly push: {
      readonly secret: {
        readonly secretName: string;
        readonly template: { readonly data: Readonly<Record<string, string>> };
      };
    };
  };
}

export interface Mood {
  /** Before each pass, milliseconds. */
  slow?: number;
  /** Its passes fail with this message; for those that write a Secret of this name, or all. */
  failure?: string | undefined;
  failsFor?: string | undefined;
  /** Into this Secret it writes other data than it should. */
  spoils?: string | undefined;
}

export interface SyncingOperator {
  readonly mood: Mood;
  /** Resolves after a pass that has begun later than this call. */
  passed(): Promise<void>;
  stop(): Promise<void>;
}

export function startSyncingOperator(
  api: ApiClient,
  namespace: string,
  infisical: () => InfisicalServer,
): SyncingOperator {
  const mood: Mood = {};
  const state = { stopped: false, passes: 0 };
  const collection = `${GROUP}/namespaces/${namespace}/infisicalsecrets`;
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;

  const reconcile = async (resource: InfisicalSecret): Promise<void> => {
    const [reference] = resource.spec.managedKubeSecretReferences;
    if (reference === undefined || resource.metadata.deletionTimestamp !== undefined) return;
    const until = Date.now() + (mood.slow ?? 0);
    while (Date.now() < until && !state.stopped && mood.slow !== 0) await sleep(50);
    const fails = mood.failsFor === undefined || mood.failsFor === reference.secretName;
    if (mood.failure !== undefined && fails) return report(resource, mood.failure);
    const { envSlug, secretsPath } = resource.spec.authentication.universalAuth.secretsScope;
    const values = infisical().valuesAt(envSlug, secretsPath);
    if (values === undefined) return report(resource, `Folder with path '${secretsPath}' was not found`);
    const data = rendered(reference.template, values);
    const spoiled = mood.spoils === reference.secretName ? { ...data, EXTRA: 'b2Y=' } : data;
    await writeSecret(resource, reference, spoiled);
    await report(resource, undefined);
  };

  const writeSecret = async (
    resource: InfisicalSecret,
    reference: Reference,
    data: Readonly<Record<string, string>>,
  ): Promise<void> => {
    const { labels, annotations, name, uid } = resource.metadata;
    const metadata = {
      labels,
      annotations: { ...annotations, [VERSION]: `W/"secrets-0-${uid.slice(0, 8)}"` },
    };
    const found = await api.send<{ readonly data?: Readonly<Record<string, string>> }>(
      'GET',
      `${secrets}/${reference.secretName}`,
    );
    if (found.status === 200) {
      // A merge patch takes a key away by null.
      const gone = Object.keys(found.body.data ?? {}).filter((key) => data[key] === undefined);
      const whole = { ...Object.fromEntries(gone.map((key) => [key, null])), ...data };
      await api.send('PATCH', `${secrets}/${reference.secretName}`, { metadata, data: whole }, MERGE_PATCH);
      return;
    }
    const owner = {
      apiVersion: 'secrets.infisical.com/v1alpha1',
      kind: 'InfisicalSecret',
      name,
      uid,
      controller: true,
    };
    await api.send('POST', secrets, {
      metadata: {
        ...metadata,
        name: reference.secretName,
        ownerReferences: reference.creationPolicy === 'Owner' ? [owner] : [],
      },
      type: reference.secretType ?? 'Opaque',
      data,
    });
  };

  const report = async ({ metadata }: InfisicalSecret, failure: string | undefined): Promise<void> => {
    const ok = failure === undefined;
    const condition = {
      type: 'secrets.infisical.com/ReadyToSyncSecrets',
      status: ok ? 'True' : 'False',
      reason: ok ? 'OK' : 'Error',
      message: failure ?? 'Infisical controller has started syncing your secrets',
      lastTransitionTime: new Date().toISOString(),
    };
    await api.send(
      'PATCH',
      `${collection}/${metadata.name}/status`,
      { status: { conditions: [condition] } },
      MERGE_PATCH,
    );
  };

  /** Brings keys of a Secret upstream; its condition is the other way round. */
  const push = async ({ metadata, spec }: InfisicalPushSecret): Promise<void> => {
    const { secretName, template } = spec.push.secret;
    const found = await api.send<{ readonly data?: Readonly<Record<string, string>> }>(
      'GET',
      `${secrets}/${secretName}`,
    );
    const values = Object.fromEntries(
      Object.entries(found.body.data ?? {}).map(([key, value]) => [
        key,
        Buffer.from(value, 'base64').toString(),
      ]),
    );
    const made = Object.entries(template.data).map(([key, text]) => [key, render(text, values).toString()]);
    const failure = found.status === 200 ? mood.failure : 'no such Secret';
    if (failure === undefined) {
      infisical().seed(
        spec.destination.environmentSlug,
        spec.destination.secretsPath,
        Object.fromEntries(made),
      );
    }
    const condition = {
      type: 'secrets.infisical.com/Reconcile',
      status: failure === undefined ? 'False' : 'True',
      reason: failure === undefined ? 'OK' : 'Error',
      message: failure ?? 'Successfully reconciled',
      lastTransitionTime: new Date().toISOString(),
    };
    const path = `${GROUP}/namespaces/${namespace}/infisicalpushsecrets/${metadata.name}/status`;
    await api.send('PATCH', path, { status: { conditions: [condition] } }, MERGE_PATCH);
  };

  const passes = async (): Promise<void> => {
    const { items } = await api.request<{ readonly items: readonly InfisicalSecret[] }>('GET', collection);
    for (const item of items) await reconcile(item);
    const pushing = await api.request<{ readonly items: readonly InfisicalPushSecret[] }>(
      'GET',
      `${GROUP}/namespaces/${namespace}/infisicalpushsecrets`,
    );
    for (const item of pushing.items) await push(item);
  };

  const work = async (): Promise<void> => {
    while (!state.stopped) {
      // As any controller: what fails is tried again.
      await passes().catch(() => undefined);
      state.passes += 1;
      await sleep(100);
    }
  };
  const working = work();
  return {
    mood,
    async passed() {
      const enough = state.passes + 2;
      while (state.passes < enough && !state.stopped) await sleep(20);
    },
    async stop() {
      state.stopped = true;
      await working;
    },
  };
}

/** The templates that this project writes, as the operator renders them; values become base64. */
export function rendered(
  template: SyncTemplate | undefined,
  values: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const whole = template === undefined || template.includeAllSecrets === true ? values : {};
  const made = Object.entries(template?.data ?? {}).map(
    ([key, text]) => [key, render(text, values)] as const,
  );
  const plain = Object.entries(whole).map(([key, value]) => [key, Buffer.from(value)] as const);
  return Object.fromEntries([...plain, ...made].map(([key, bytes]) => [key, bytes.toString('base64')]));
}

function render(template: string, values: Readonly<Record<string, string>>): Buffer {
  const parts = template.split(/(\{\{.*?\}\})/).map((part) => {
    const [, decodes, named, indexed] =
      /^\{\{ \(?(decodeBase64ToBytes )?(?:\.(\w+)|\(index \. "([^"]+)"\))\.Value\)? \}\}$/.exec(part) ?? [];
    const key = named ?? indexed;
    if (key === undefined) return Buffer.from(part);
    return Buffer.from(values[key] ?? '', decodes === undefined ? 'utf8' : 'base64');
  });
  return Buffer.concat(parts);
}

async function sleep(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
