/** The chart as Helm renders it, as objects; no cluster is asked. */
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { findTool } from '../../tools/control-plane/kubectl.ts';
import { ROOT } from '../sources.ts';

/** Any object that the chart makes, loosely. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Rendered = any;

export const CHART = join(ROOT, 'deploy/chart');

/** Objects of `helm template`, with these arguments besides. Throws with Helm's words. */
export function rendered(...args: readonly string[]): readonly Rendered[] {
  const { path } = findTool('helm');
  if (path === undefined) throw new Error('no helm');
  const place = ['template', 'floe-secrets-webhook', CHART, '-n', 'floe-secrets-system'];
  const env = { PATH: process.env['PATH'], HOME: tmpdir() };
  const text = execFileSync(path, [...place, ...args], { encoding: 'utf8', env, stdio: 'pipe' });
  return parseAllDocuments(text)
    .map((document): Rendered => document.toJS())
    .filter((object: Rendered) => object !== null);
}

/** The values as Helm's --set takes them. */
export function set(...values: readonly string[]): readonly string[] {
  return ['--set', values.join(',')];
}
