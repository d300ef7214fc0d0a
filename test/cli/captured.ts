/** A terminal that remembers what was written to it, and a folder of manifests to run commands in. */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import type { Options } from '../../src/cli/options.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

type Run = (options: Options, terminal: Terminal) => Promise<number>;

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly cwd?: string;
  readonly env?: Terminal['env'];
  readonly stdin?: string;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly interrupted?: AbortSignal;
}

export async function captured(
  run: Run,
  options: Options,
  surroundings: Surroundings = {},
): Promise<Outcome> {
  const { cwd = '/', env = {}, stdin = '', isTTY = false, columns, interrupted } = surroundings;
  let [out, err] = ['', ''];
  const code = await run(options, {
    stdout: { write: (text) => (out += text), isTTY, ...(columns === undefined ? {} : { columns }) },
    stderr: { write: (text) => (err += text) },
    stdin: (async function* () {
      yield stdin;
    })(),
    env,
    cwd,
    ...(interrupted === undefined ? {} : { interrupted }),
  });
  return { code, out, err };
}

/** A folder with these files, gone after the tests. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'floe-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

export const NAMESPACE = `apiVersion: v1
kind: Namespace
metadata: {name: floe-jobs, labels: {secrets.floe.dev/injection: enabled}}
`;

/** A Secret whose values must never be seen anywhere. */
export const SECRET = `apiVersion: v1
kind: Secret
metadata: {name: snowflake-credentials, namespace: floe-jobs}
data: {SNOWFLAKE_USER: aHVudGVyMg==}
stringData: {SNOWFLAKE_PASSWORD: hunter2, SNOWFLAKE_ACCOUNT: hunter2}
`;

export function infisicalSecret(
  name: string,
  more: { target?: string; status?: string; metadata?: string } = {},
): string {
  return `apiVersion: secrets.infisical.com/v1alpha1
kind: InfisicalSecret
metadata: {name: ${name}, namespace: floe-jobs${more.metadata ?? ''}}
spec:
  authentication:
    universalAuth:
      credentialsRef: {secretName: machine-identity, secretNamespace: floe-jobs}
      secretsScope: {projectSlug: floe-platform, envSlug: production, secretsPath: /compute}
  managedKubeSecretReferences: [{secretName: ${more.target ?? name}, secretNamespace: floe-jobs}]
${more.status ?? ''}`;
}

export function readyStatus(status: 'True' | 'False', since: string, message = 'synced 3 secrets'): string {
  return `status:
  conditions:
  - {type: secrets.infisical.com/ReadyToSyncSecrets, status: "${status}", reason: OK, message: "${message}", lastTransitionTime: "${since}"}
`;
}
