/**
 * Where Secrets are migrated that nobody synced before: a namespace of a real API server with the operator's stand-in,
 * the stand-in of Infisical, and a home folder of its own, in which no value may be found afterwards.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { programFile } from '../stories/program.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import { IDENTITY, PROJECT } from '../upstream/infisical-server.ts';
import type { SyncingOperator } from './infisical-operator.ts';
import { startSyncingOperator } from './infisical-operator.ts';

/** In every value, and looked for in everything that is said, kept or shown. */
export const MADE_UP = /made-up/;

export interface SecretObject {
  readonly metadata: {
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly object[];
  };
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Stage {
  readonly namespace: string;
  /** Where the program runs; whatever a test puts there is its own. */
  readonly folder: string;
  readonly operator: SyncingOperator;
  readonly env: Readonly<Record<string, string>>;
  /** Of Infisical, what stands in the folder of this Secret. */
  upstream(secret?: string): Readonly<Record<string, string>> | undefined;
  /** The program as people run it, while its command lines and its files are looked through. */
  run(args: readonly string[], how?: { readonly killedAt?: string; readonly env?: object }): Promise<Ended>;
  secret(name?: string): Promise<SecretObject>;
  values(name?: string): Promise<Readonly<Record<string, string>>>;
  /** 'infisicalsecrets/db', 'configmaps/floe-migration-db'. */
  exists(resource: string): Promise<boolean>;
  make(resource: string, body: object): Promise<void>;
  stop(): Promise<void>;
}

/** Where what is not of the core is served. */
const GROUPS: Readonly<Record<string, string>> = {
  infisicalsecrets: '/apis/secrets.infisical.com/v1alpha1',
  infisicalstaticsecrets: '/apis/secrets.infisical.com/v1beta1',
  externalsecrets: '/apis/external-secrets.io/v1',
  secretstores: '/apis/external-secrets.io/v1',
  vaultstaticsecrets: '/apis/secrets.hashicorp.com/v1beta1',
  vaultauths: '/apis/secrets.hashicorp.com/v1beta1',
};

let count = 0;

/** In a namespace that is there, or in one of its own. */
export async function openStage(
  plane: ControlPlane,
  infisical: InfisicalServer,
  given?: string,
): Promise<Stage> {
  count += 1;
  const namespace = given ?? `plain-${count}`;
  const home = mkdtempSync(join(tmpdir(), 'floe-migrate-'));
  const folder = join(home, 'work');
  mkdirSync(folder);
  if (given === undefined) {
    await plane.request('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  }
  const operator = startSyncingOperator(plane, namespace, () => infisical);
  const env = {
    FLOE_SECRETS_UPSTREAM_INFISICAL_HOST_API: `${infisical.url}/api`,
    FLOE_SECRETS_UPSTREAM_INFISICAL_PROJECT: PROJECT.slug,
    FLOE_SECRETS_UPSTREAM_INFISICAL_ENVIRONMENT: 'prod',
    FLOE_SECRETS_UPSTREAM_INFISICAL_PATH: `/${namespace}`,
    FLOE_SECRETS_UPSTREAM_INFISICAL_CREDENTIALS: 'infisical/operator',
    INFISICAL_CLIENT_ID: IDENTITY.clientId,
    INFISICAL_CLIENT_SECRET: IDENTITY.clientSecret,
    PATH: process.env['PATH'] ?? '',
    KUBECONFIG: plane.kubeconfig,
    HOME: home,
    TMPDIR: home,
  };
  const pathOf = (resource: string): string => {
    const group = GROUPS[resource.split('/')[0] ?? ''] ?? '/api/v1';
    return `${group}/namespaces/${namespace}/${resource}`;
  };
  const secret: Stage['secret'] = async (name = 'db') => plane.request('GET', pathOf(`secrets/${name}`));
  return {
    namespace,
    folder,
    operator,
    env,
    secret,
    upstream: (name = 'db') => infisical.valuesAt('prod', `/${namespace}/${name}`),
    async run(args, { killedAt, env: more = {} } = {}) {
      const ended = await running(['migrate', ...args, '-n', namespace], {
        cwd: folder,
        env: { ...env, ...more },
        killedAt,
      });
      expect(ended.out + ended.err).not.toMatch(MADE_UP);
      expect(filesWithValues(home)).toEqual([]);
      const records = await plane.request('GET', pathOf('configmaps'));
      expect(JSON.stringify(records)).not.toMatch(MADE_UP);
      return ended;
    },
    async values(name) {
      const { data } = await secret(name);
      return Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('latin1')]),
      );
    },
    exists: async (resource) => (await plane.send('GET', pathOf(resource))).status === 200,
    make: async (resource, body) => void (await plane.request('POST', pathOf(resource), body)),
    async stop() {
      await operator.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

interface Running {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly killedAt: string | undefined;
}

async function running(args: readonly string[], { cwd, env, killedAt }: Running): Promise<Ended> {
  const child = spawn(process.execPath, [programFile(), ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  const hear = (): void => {
    if (killedAt !== undefined && `${out}${err}`.includes(killedAt)) child.kill('SIGKILL');
  };
  child.stdout.on('data', (text: Buffer) => {
    out += text.toString();
    hear();
  });
  child.stderr.on('data', (text: Buffer) => {
    err += text.toString();
    hear();
  });
  const shown = new Set<string>();
  const looking = setInterval(() => commandLinesWithValues(child.pid).forEach((line) => shown.add(line)), 20);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(looking);
  expect([...shown]).toEqual([]);
  if (killedAt !== undefined) expect(out + err).toContain(killedAt);
  return { code, out, err };
}

/** Arguments and environments of the program and of all that it starts. */
function commandLinesWithValues(program: number | undefined): readonly string[] {
  const processes = program === undefined ? [] : [program, ...descendantsOf(program)];
  return processes.flatMap((pid) =>
    ['cmdline', 'environ'].filter((file) => MADE_UP.test(read(pid, file))).map((file) => `${pid} ${file}`),
  );
}

function descendantsOf(pid: number): readonly number[] {
  const children = threadsOf(pid)
    .flatMap((thread) => read(pid, `task/${thread}/children`).split(' '))
    .filter((child) => child !== '')
    .map(Number);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Empty where the process has ended. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Everything that the program could have written: its home, its folder for temporary files, where it runs. */
function filesWithValues(home: string): readonly string[] {
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => MADE_UP.test(readFileSync(file, 'latin1')));
}
