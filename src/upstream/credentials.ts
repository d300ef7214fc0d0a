/** Credentials of stores: from files that the config names, else from variables. Never from flags, which `ps` shows. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from '../kube/json.ts';
import { createHttp } from './http.ts';
import type { TimeLimit } from './time-limit.ts';
import { UpstreamError } from './upstream-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a program was started, as far as credentials are concerned. */
export interface Surroundings {
  readonly env: Environment;
  /** What relative paths of files start from. */
  readonly cwd: string;
}

/** A setting that names a file, and the variable that stands in for it. */
export interface Source {
  readonly setting: string;
  readonly file: string;
  readonly variable: string;
}

/** The credential, or undefined where neither file nor variable has one. */
export async function credential(source: Source, { env, cwd }: Surroundings): Promise<string | undefined> {
  if (source.file !== '') return readCredential(resolve(cwd, source.file), source.setting);
  const value = env[source.variable];
  return value === undefined || value === '' ? undefined : value;
}

/** As `credential`; throws `notConfigured` that says what to set. */
export async function requiredCredential(source: Source, surroundings: Surroundings): Promise<string> {
  const value = await credential(source, surroundings);
  if (value !== undefined) return value;
  throw new UpstreamError(
    'notConfigured',
    `no credentials: set ${source.variable}, or name a file in ${source.setting}`,
  );
}

/** What stands in a file, without the line's end. */
export async function readCredential(file: string, setting: string): Promise<string> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UpstreamError('notConfigured', `${setting}: ${file} cannot be read (${code ?? 'unknown'})`);
  }
  const value = content.trim();
  if (value !== '') return value;
  throw new UpstreamError('notConfigured', `${setting}: ${file} is empty`);
}

/** The token that the kubelet gives a pod. */
export const POD_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** Whether this runs as a GitHub Actions job that may ask for an OIDC token. */
export function hasGithubOidc(env: Environment): boolean {
  return (
    (env['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? '') !== '' && (env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? '') !== ''
  );
}

/** A token of GitHub's for this job. */
export async function githubOidcToken(env: Environment, limit: TimeLimit): Promise<string> {
  const url = new URL(env['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? '');
  const http = createHttp({ ...limit, who: "GitHub's OIDC", base: url.origin });
  try {
    const headers = { authorization: `Bearer ${env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? ''}` };
    const { status, body } = await http.ask({ method: 'GET', path: `${url.pathname}${url.search}`, headers });
    const token = text(body, 'value');
    if (status === 200 && token !== undefined) return token;
    throw new UpstreamError(
      'unauthorized',
      `GitHub gives no OIDC token (HTTP ${status}): the job needs permissions.id-token: write`,
    );
  } finally {
    await http.close();
  }
}
