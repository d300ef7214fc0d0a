import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { run } from '../../src/cli/list.ts';
import { run as status } from '../../src/cli/status.ts';
import type { Options } from '../../src/cli/options.ts';
import { NAMESPACE, SECRET, folderOf, infisicalSecret } from './captured.ts';

const CEILING = { timeout: 60_000, interval: 50 };

/** A command that goes on until it is stopped. */
function going(command: typeof run, options: Options, cwd: string) {
  let [out, err] = ['', ''];
  const stop = new AbortController();
  const ended = command(options, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    stdin: (async function* () {})(),
    env: {},
    cwd,
    interrupted: stop.signal,
  });
  return { out: () => out, err: () => err, stop: () => stop.abort(), ended };
}

describe('-w', () => {
  it('prints what changes, until it is stopped', async () => {
    const cwd = folderOf({ 'world/a.yaml': `${NAMESPACE}---\n${SECRET}` });
    const watched = going(run, { world: ['world'], namespace: 'floe-jobs', watch: true }, cwd);
    await vi.waitFor(() => expect(watched.out()).toContain('snowflake-credentials'), CEILING);
    const first = watched.out();
    writeFileSync(join(cwd, 'world/b.yaml'), infisicalSecret('late'));
    await vi.waitFor(
      () => expect(watched.out().slice(first.length)).toMatch(/^late +InfisicalSecret +Pending\n$/),
      CEILING,
    );
    writeFileSync(join(cwd, 'world/b.yaml'), 'kind: [');
    await vi.waitFor(() => expect(watched.err()).toContain('; looking again every 2s\n'), CEILING);
    writeFileSync(join(cwd, 'world/b.yaml'), 'kind: {');
    await new Promise((resolve) => setTimeout(resolve, 4500));
    rmSync(join(cwd, 'world/b.yaml'));
    await vi.waitFor(() => expect(watched.err()).toContain('floe-jobs/late is gone\n'), CEILING);
    // An outage is one line, and its end another.
    expect(watched.err()).toMatch(/^Warning: [^\n]+\nSeen again after \d+s\nfloe-jobs\/late is gone\n$/);
    watched.stop();
    expect(await watched.ended).toBe(0);
    // The header stands once, and what did not change is not said again.
    expect(watched.out().match(/SYNC STATUS/g)).toHaveLength(1);
    expect(watched.out().match(/snowflake-credentials/g)).toHaveLength(1);
  });

  it('has its header with the first row, where there was none at the beginning', async () => {
    const cwd = folderOf({ 'world/a.yaml': NAMESPACE });
    const watched = going(run, { world: ['world'], namespace: 'floe-jobs', watch: true }, cwd);
    await vi.waitFor(
      () => expect(watched.err()).toContain('No Secrets and no sync resources found'),
      CEILING,
    );
    writeFileSync(join(cwd, 'world/b.yaml'), infisicalSecret('late'));
    await vi.waitFor(() => expect(watched.out()).toMatch(/^NAME +TYPE +SYNC STATUS\nlate +/), CEILING);
    watched.stop();
    expect(await watched.ended).toBe(0);
  });

  it('writes one document a change', async () => {
    const cwd = folderOf({ 'world/a.yaml': `${NAMESPACE}---\n${SECRET}` });
    const watched = going(
      status,
      { world: ['world'], namespace: 'floe-jobs', watch: true, output: 'yaml' },
      cwd,
    );
    await vi.waitFor(() => expect(watched.out()).toContain('kind: StatusList'), CEILING);
    writeFileSync(join(cwd, 'world/b.yaml'), infisicalSecret('late'));
    await vi.waitFor(() => expect(watched.out()).toMatch(/\n---\n(.|\n)*name: late/), CEILING);
    watched.stop();
    expect(await watched.ended).toBe(0);
  });
});
