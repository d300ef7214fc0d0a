// The README is true: its tables against the code in both directions, its picture against the program.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { COMMANDS } from '../src/cli/commands.ts';
import { runProgram } from '../src/cli/program.ts';
import { EXIT } from '../src/cli/terminal.ts';
import { ALL_SETTINGS, SHORT_FLAGS } from '../src/config/settings.ts';
import type { Setting } from '../src/config/settings.ts';
import { FLOE, INFISICAL_AUTO_RELOAD, KEYS, MIRROR_POD, MODES } from '../src/contract/keys.ts';
import { REASONS, STATES } from '../src/contract/reasons.ts';
import { PLUGINS } from '../src/plugins/index.ts';
import type { Rule } from '../src/cluster/permissions.ts';
import { rbacRules } from '../src/cluster/permissions.ts';
import type { CounterName, GaugeName } from '../src/cluster/telemetry.ts';
import { COUNTERS, GAUGES } from '../src/cluster/telemetry.ts';
import { createMetrics } from '../src/server/metrics.ts';
import { cluster, mutate, pod, request, secret } from './review/setup.ts';
import { ROOT } from './sources.ts';

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map(
  (name) => [name, readFileSync(join(ROOT, name), 'utf8')] as const,
);

/** The rows of the table under a heading, whose first column has this title; cells as they stand. */
function table(heading: string, first: string): readonly (readonly string[])[] {
  const section = README.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n');
  const start = lines.findIndex((line) => cells(line)[0] === first);
  if (start === -1) throw new Error(`no table '${first}' under '${heading}'`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end === -1 ? undefined : end).map(cells);
}

function cells(line: string): readonly string[] {
  if (!line.startsWith('|')) return [];
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function bare(cell: string | undefined): string {
  return (cell ?? '').replaceAll('`', '');
}

/** The fenced blocks of one language. */
function blocks(page: string, language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, text]) => text ?? '',
  );
}

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function program(...argv: readonly string[]): Promise<Run> {
  let [stdout, stderr] = ['', ''];
  const code = await runProgram(argv, {
    terminal: {
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
      stdin: (async function* () {})(),
      env: { NO_COLOR: '1' },
      cwd: join(ROOT, 'test/readme'),
    },
    version: manifest.version,
    serve: async () => 0,
  });
  return { code, stdout, stderr };
}

describe('the picture', () => {
  it('is what the program prints', async () => {
    const { code, stdout } = await program(
      'review',
      '-f',
      'dbt-run.yaml',
      '--world',
      'world.yaml',
      '-o',
      'diff',
    );
    expect(code).toBe(0);
    expect(blocks(README, 'diff')).toEqual([stdout]);
  });

  it('of a refusal says what the program says', async () => {
    const { code, stdout } = await program(
      'review',
      '-f',
      'dbt-run.yaml',
      '--world',
      'world-without.yaml',
      '-o',
      'json',
    );
    expect(code).toBe(EXIT.findings);
    const { results } = JSON.parse(stdout) as {
      results: readonly { findings: readonly { message: string }[] }[];
    };
    const [shown] = blocks(README, 'text');
    expect(shown?.split('denied the request: ')[1]?.trim()).toBe(results[0]?.findings[0]?.message);
    expect(results[0]?.findings).toHaveLength(1);
  });
});

describe('walk-throughs', () => {
  const walks = [...README.matchAll(/^<!-- walk-through: (\S+) -->\n\n```text\n(.*?)^```/gms)];

  it('are there', () => expect(walks.map(([, file]) => file)).toEqual(['refused.yaml']));

  test.each(walks.map(([, file = '', text = '']) => [file, text] as const))('%s', async (file, text) => {
    const folder = mkdtempSync(join(tmpdir(), 'floe-walk-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const world = join(folder, file);
    cpSync(join(ROOT, 'test/readme', file), world);
    // As people see it, where it fits their terminal; ages are of the moment.
    const steady = (words: string): string => words.replaceAll(/\b\d+[smhd] ago\b/g, '… ago');
    for (const step of text.split(/^\$ /m).slice(1)) {
      const [line = '', ...shown] = step.trimEnd().split('\n');
      const [command = '', ...args] = line.split(' ');
      const said =
        command === 'kubectl' ? patched(world, line) : (await program(...args, '--world', world)).stdout;
      expect(steady(said.trimEnd()), line).toBe(steady(shown.join('\n')));
    }
  });
});

/** What `kubectl patch KIND NAME -n NAMESPACE -p JSON` would do, in a file of manifests. */
function patched(file: string, line: string): string {
  const [, kind = '', name = '', json = ''] =
    /^kubectl patch (\w+) (\S+) -n \S+ -p '(.*)'$/.exec(line) ?? expect.fail(`not understood: ${line}`);
  const documents = parseAllDocuments(readFileSync(file, 'utf8')).map((one) => one.toJS() as Tree);
  const found = documents.find(
    (one) => String(one['kind']).toLowerCase() === kind && (one['metadata'] as Tree)['name'] === name,
  );
  if (found === undefined) expect.fail(`no ${kind} ${name}`);
  merge(found, JSON.parse(json) as Tree);
  writeFileSync(file, documents.map((one) => stringify(one)).join('---\n'));
  return `${kind}.apps/${name} patched`;
}

type Tree = Record<string, unknown>;

function merge(into: Tree, from: Tree): void {
  for (const [key, value] of Object.entries(from)) {
    const there = into[key];
    if (typeof value === 'object' && value !== null && typeof there === 'object' && there !== null) {
      merge(there as Tree, value as Tree);
    } else {
      into[key] = value;
    }
  }
}

test('annotations and labels', () => {
  const known = [...Object.values(KEYS), ...Object.values(FLOE), INFISICAL_AUTO_RELOAD, MIRROR_POD];
  const rows = table('Annotations and labels', 'key').map(([key]) => bare(key));
  expect(rows.toSorted()).toEqual(known.toSorted());
});

test('states and modes', () => {
  expect(
    table('How it decides', 'state')
      .map(([state]) => bare(state))
      .toSorted(),
  ).toEqual(STATES.toSorted());
  expect(table('How it decides', 'mode').map(([mode]) => bare(mode))).toEqual([...MODES]);
});

test('plugins', () => {
  const rows = table('Plugins', 'id').map(([id, aliases, claims, watches]) => ({
    id: bare(id),
    aliases: bare(aliases),
    claims,
    watches: bare(watches),
  }));
  expect(rows).toEqual(
    PLUGINS.map(({ id, aliases, claims, kinds }) => ({
      id,
      aliases: aliases.join(', '),
      claims,
      watches: kinds.map(({ resource }) => resource.kind).join(', '),
    })),
  );
});

test('codes', () => {
  const rows = table('Codes', 'code').map(([code, severity, meaning]) => [
    code,
    severity?.split(',')[0],
    meaning,
  ]);
  expect(rows).toEqual(
    Object.entries(REASONS).map(([code, { severity, meaning }]) => [code, severity, meaning]),
  );
});

describe('commands', () => {
  it('are those of the program, with its words', async () => {
    const { stdout } = await program('--help');
    const said = /^Commands:\n(.*?)^$/ms.exec(stdout)?.[1] ?? '';
    const known = [...said.matchAll(/^ {2}([a-z]+)(?: \[options\])? +(.+(?:\n {10,}.+)*)/gm)]
      .map(([, name, about = '']) => [name, about.replaceAll(/\s+/g, ' ')])
      .filter(([name]) => name !== 'help');
    expect(known.length).toBeGreaterThan(3);
    expect(table('Commands', 'command').map(([name, about]) => [bare(name), about])).toEqual(known);
  });

  it('in code have options that there are', async () => {
    const used = PAGES.flatMap(([, page]) => [...blocks(page, 'sh'), ...blocks(page, 'text')])
      .flatMap((text) => text.split('\n'))
      .map((line) => line.replace(/#.*| \| .*/, '').trim())
      .filter((line) => /^(npx |kubectl )?floe-secrets /.test(line))
      .concat([...README.matchAll(/`(floe-secrets [a-z][^`]*)`/g)].map(([, line = '']) => line));
    expect(used.length).toBeGreaterThan(5);
    for (const line of used) {
      const [name = '', ...args] = line.replace(/^(npx |kubectl )?floe-secrets /, '').split(' ');
      const [first = ''] = args;
      const isBelow = COMMANDS.find((one) => one.name === name)?.commands?.some((one) => one.name === first);
      const { code, stdout } = await program(name, ...(isBelow === true ? [first] : []), '--help');
      expect([line, code]).toEqual([line, 0]);
      for (const option of args.filter((arg) => arg.startsWith('-') && arg !== '-')) {
        expect(stdout, line).toMatch(new RegExp(`(^|[ ,])${option}([ ,]|$)`, 'm'));
      }
    }
  });

  it('end with the exit codes that there are', () => {
    const rows = table('Commands', 'code').map(([code]) => Number(code));
    expect(rows).toEqual(Object.values(EXIT).toSorted((a, b) => a - b));
  });
});

const sampleOf = (labels: readonly string[]) => Object.fromEntries(labels.map((label) => [label, 'x']));

test('metrics', async () => {
  const metrics = createMetrics({ certificateExpiry: () => 0 });
  const injected = mutate(pod({ inject: 'db' }), cluster({ secrets: [secret('db')] }));
  metrics.reviewed(request('mutate', {}), injected, 1);
  metrics.cacheOperation('hit');
  for (const [name, { labels }] of Object.entries(GAUGES)) {
    metrics.telemetry.gauge(name as GaugeName, [{ labels: sampleOf(labels) as never, value: 1 }]);
  }
  for (const [name, { labels }] of Object.entries(COUNTERS)) {
    metrics.telemetry.count(name as CounterName, sampleOf(labels) as never);
  }
  const text = await metrics.text();
  const known = [...text.matchAll(/^# HELP (floe_secrets_\w+) (.*)$/gm)].map(([, name = '', help = '']) => {
    const sample = new RegExp(`^${name}(?:_sum)?(?:\\{(.*?)\\})? `, 'm').exec(text)?.[1] ?? '';
    return [name, [...sample.matchAll(/(\w+)=/g)].map(([, label]) => label).join(', '), help];
  });
  const rows = table('Metrics', 'metric').map(([name, labels, meaning]) => [
    bare(name),
    bare(labels),
    meaning ?? '',
  ]);
  expect(rows.toSorted(byName)).toEqual(known.toSorted(byName));
});

describe('settings', () => {
  const rows = table('Settings', 'key').map(([key, written, about, env]) => [
    bare(key),
    bare(written),
    about,
    bare(env),
  ]);

  it('have their default, meaning and variable', () => {
    const plain = rows.map(([key, written, about, env]) => [
      key,
      written,
      about?.replace(/ \(not used yet\)$/, ''),
      env,
    ]);
    expect(plain).toEqual(
      ALL_SETTINGS.map(({ path, setting, env }) => [path.join('.'), asWritten(setting), setting.about, env]),
    );
  });

  it('that are not used yet belong to what is not there yet', () => {
    const sections = rows
      .filter(([, , about]) => about?.endsWith('(not used yet)'))
      .map(([key]) => key?.split('.')[0]);
    expect([...new Set(sections)]).toEqual([]);
    const used = ['serve.ts', 'review/settings.ts', 'review/plan.ts', 'cluster/live.ts'].map((file) =>
      readFileSync(join(ROOT, 'src', file), 'utf8'),
    );
    for (const section of sections) expect(used.join('\n')).not.toMatch(new RegExp(`config\\.${section}\\b`));
  });

  it('have the short flags that there are', () => {
    for (const short of Object.keys(SHORT_FLAGS)) expect(README).toContain(`\`--${short}\``);
  });
});

test('the ClusterRole is what the plugins and their watches need', () => {
  const role = blocks(README, 'yaml')
    .map((text): unknown => parse(text))
    .find(isRole);
  const granted = role?.rules.flatMap(linesOf);
  expect(granted?.toSorted()).toEqual(rbacRules(PLUGINS).cluster.flatMap(linesOf).toSorted());
  // What floe's rule AC-8 forbids: only `get`, and never a star.
  expect(granted).toContain('/secrets: get');
  expect(JSON.stringify(role)).not.toContain('*');
});

describe.each(PAGES)('%s', (_name, page) => {
  it('names npm scripts that there are', () => {
    const named = [...page.matchAll(/npm (?:run )?([a-z-]+)/g)].map(([, name = '']) => name);
    const known = [...Object.keys(manifest.scripts), 'ci', 'link', 'run'];
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('links to files that there are', () => {
    const links = [...page.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path = '']) => path);
    const code = [...page.matchAll(/`((?:src|test|tools|deploy|bench|certs|bin)\/[^` *]*)`/g)].map(
      ([, path = '']) => path,
    );
    expect([...links, ...code].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('names FLOE-E codes and FLOE_ variables that there are', () => {
    const codes = page.match(/FLOE-E\d{3}/g) ?? [];
    const short = (page.match(/\bE8\d\d\b/g) ?? []).map((code) => `FLOE-${code}`);
    expect([...codes, ...short].filter((code) => !Object.hasOwn(REASONS, code))).toEqual([]);
    const variables = page.match(/\bFLOE_(?:SECRETS|TEST)_[A-Z_]+\b/g) ?? [];
    const settings = ALL_SETTINGS.map(({ env }) => env);
    const tools = ['test/needs.ts', 'tools/control-plane/cluster.ts', 'tools/control-plane/assets.ts'];
    const read = tools.map((path) => readFileSync(join(ROOT, path), 'utf8')).join('\n');
    expect(variables.filter((name) => !settings.includes(name) && !read.includes(`'${name}'`))).toEqual([]);
  });
});

function asWritten({ default: value }: Setting): string {
  if (Array.isArray(value)) return `[${value.join(', ')}]`;
  if (value === '') return '""';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function byName(left: readonly (string | undefined)[], right: readonly (string | undefined)[]): number {
  return String(left[0]).localeCompare(String(right[0]));
}

interface Role {
  readonly rules: readonly Rule[];
}

/** 'batch/jobs: get' */
function linesOf({ apiGroups, resources, verbs }: Rule): readonly string[] {
  return apiGroups.flatMap((group) => resources.map((resource) => `${group}/${resource}: ${verbs.join()}`));
}

function isRole(value: unknown): value is Role {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'ClusterRole';
}
