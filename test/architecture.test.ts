// The house's rules, computed from the sources: who may import whom, what the pure rooms may touch.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'rolldown/utils';
import { describe, expect, it, test } from 'vitest';
import { PLUGINS } from '../src/plugins/index.ts';
import { ROOT, nodesOf, sources } from './sources.ts';
import type { SyntaxNode } from './sources.ts';

/** A file imports its own room or a room of a lower floor; of the ground, kube is the lowest. */
const FLOORS: Readonly<Record<string, number>> = {
  kube: 0,
  contract: 1,
  config: 1,
  plugins: 2,
  review: 3,
  reload: 3,
  migrate: 3,
  cluster: 4,
  upstream: 4,
  server: 5,
  cli: 5,
  '': 6,
};

const PURE = ['kube', 'contract', 'config', 'plugins', 'review', 'reload', 'migrate'];

/** The one place where the ground reads files. */
const FILE_LOADER = ['config/file.ts', 'config/load.ts'];

/** Modules that compute and touch nothing. */
const PURE_MODULES = ['node:crypto', 'node:util', 'node:zlib', 'yaml', 'zod'];

const ALL = sources();
const BY_PATH = new Map(ALL.map((source) => [source.path, source]));
const pure = ALL.filter(({ room }) => PURE.includes(room));

describe('imports', () => {
  it('come from rooms that the plan knows', () => {
    expect(ALL.length).toBeGreaterThan(60);
    expect(ALL.filter(({ room }) => FLOORS[room] === undefined).map(({ path }) => path)).toEqual([]);
    expect(ALL.flatMap((source) => source.imports.filter((path) => !BY_PATH.has(path)))).toEqual([]);
  });

  it('go down, never up, never to a neighbour', () => {
    const wrong = ALL.flatMap(({ path, room, imports }) =>
      imports.filter((other) => !mayImport(room, roomOf(other))).map((other) => `${path} imports ${other}`),
    );
    expect(wrong).toEqual([]);
  });

  it('have no cycles', () => {
    expect(cycles()).toEqual([]);
  });

  it('of what admission runs never reach a secret store', () => {
    const reached = new Set<string>();
    const walk = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const other of BY_PATH.get(path)?.imports ?? []) walk(other);
    };
    walk('serve.ts');
    expect([...reached].filter((path) => roomOf(path) === 'upstream')).toEqual([]);
    expect(reached.size).toBeGreaterThan(60);
  });

  it('stay inside of src', () => {
    const outside = ALL.flatMap(({ path, outside: names }) => names.map((name) => `${path} imports ${name}`));
    expect(outside).toEqual(['main.ts imports ../package.json']);
  });

  it('of the pure rooms are of nothing that reaches out', () => {
    const wrong = pure.flatMap(({ path, packages }) =>
      packages
        .filter((name) => !PURE_MODULES.includes(name))
        .filter((name) => !(FILE_LOADER.includes(path) && ['node:fs', 'node:path'].includes(name)))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it('of OpenTelemetry stand behind one file, which is loaded only where traces are asked for', () => {
    const behind = ALL.filter(({ packages }) => packages.some((name) => name.startsWith('@opentelemetry/')));
    expect(behind.map(({ path }) => path).toSorted()).toEqual([
      'server/span-exporter.ts',
      'server/tracing.ts',
    ]);
    const eager = ALL.filter(({ tree }) =>
      [...nodesOf(tree)].some(
        (node) =>
          node.type === 'ImportDeclaration' &&
          node['importKind'] !== 'type' &&
          /(^|\/)tracing\.ts$/.test(String(textOf(node['source']))),
      ),
    );
    expect(eager.map(({ path }) => path)).toEqual([]);
    expect(
      ALL.filter(({ imports }) => imports.includes('server/span-exporter.ts')).map(({ path }) => path),
    ).toEqual(['server/tracing.ts']);
  });

  it.each(['@kubernetes/client-node', '@infisical/sdk'])('load %s only when it is needed', (heavy) => {
    const eager = ALL.filter(({ tree }) =>
      [...nodesOf(tree)].some(
        (node) =>
          node.type === 'ImportDeclaration' &&
          node['importKind'] !== 'type' &&
          textOf(node['source']) === heavy,
      ),
    );
    expect(eager.map(({ path }) => path)).toEqual([]);
  });
});

describe('the pure rooms', () => {
  test.each(pure.map((source) => [source.path, source] as const))('%s', (_path, source) => {
    expect([...expressionsOf(source.tree)].flatMap(impurity)).toEqual([]);
  });

  it('are judged by a rule that sees what it forbids', () => {
    const seen = impurityOf(
      'const a = Date.now(); new Date(); performance.now(); process.env.X; fetch("x"); setTimeout(b, 1);' +
        'async function b() { await c; } Promise.resolve(); Math.random(); import("node:fs"); crypto.randomUUID();' +
        'globalThis.process; for await (const x of y) {}',
    );
    expect(seen).toHaveLength(14);
    expect(
      impurityOf(
        'new Date(time); Date.parse(text); user.process; x.fetch(); type A = Promise; ({ now: 1 }).now',
      ),
    ).toEqual(['mentions Promise']);
  });
});

describe('every file', () => {
  it('has a name that says what is in it', () => {
    const vague = ALL.filter(({ path }) =>
      /(^|\/)(utils?|helpers?|common|types|misc|shared)(\.ts|\/)/.test(path),
    );
    expect(vague.map(({ path }) => path)).toEqual([]);
    const odd = ALL.filter(
      ({ path }) => !/^([a-z0-9]+(-[a-z0-9]+)*\/)?[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(path),
    );
    expect(odd.map(({ path }) => path)).toEqual([]);
  });

  it('is short enough to be read', () => {
    const long = ALL.map(({ path, text }) => [path, text.trimEnd().split('\n').length] as const).filter(
      ([, lines]) => lines > 250,
    );
    expect(long).toEqual([]);
  });

  it('has named exports only', () => {
    const wrong = ALL.filter(({ tree }) =>
      [...nodesOf(tree)].some(({ type }) => type === 'ExportDefaultDeclaration'),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('opens with what it is for, or is one that its first export explains', () => {
    const silent = ALL.filter(
      ({ text }) => !/^(\/\*\*|\/\/|import|export)/.test(text) || !text.includes('/**'),
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });
});

describe('plugins', () => {
  // A plugin is what has this shape, wherever in the folder it stands.
  const exported = ALL.filter(({ room, path }) => room === 'plugins' && path !== 'plugins/index.ts').flatMap(
    ({ path, tree }) => pluginsIn(tree).map((name) => ({ path, name })),
  );

  it('are listed in the index, each in its own file', () => {
    const index = BY_PATH.get('plugins/index.ts');
    expect(exported.length).toBeGreaterThanOrEqual(2);
    expect(exported.map(({ path }) => path).sort()).toEqual(
      index?.imports.filter((path) => path !== 'plugins/plugin.ts').toSorted(),
    );
    expect(exported).toHaveLength(PLUGINS.length);
    for (const { path, name } of exported)
      expect(index?.text).toMatch(
        new RegExp(`import \\{ ${name} \\} from './${path.slice('plugins/'.length)}'`),
      );
  });

  it('have ids and aliases that are theirs alone', () => {
    const ids = PLUGINS.flatMap((plugin) => [plugin.id, ...plugin.aliases]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('say of a kind that several have the same', () => {
    const kinds = new Set(PLUGINS.flatMap((plugin) => plugin.kinds));
    const names = [...kinds].map(({ resource }) => `${resource.group}/${resource.kind}`);
    expect(new Set(names).size).toBe(names.length);
  });
});

it('nothing in the repository names the host of a package registry', () => {
  // Put together here, so that this file does not name one.
  const hosts = [
    ['registry', 'npmjs', 'org'],
    ['registry', 'yarnpkg', 'com'],
    ['npm', 'pkg', 'github', 'com'],
    ['proxy', 'golang', 'org'],
  ].map((parts) => parts.join('.'));
  const wrong = filesOf(['src', 'bin', 'tools', 'test', 'bench', 'deploy', '.github', '.ci']).filter(
    ([, text]) => hosts.some((host) => text.includes(host)),
  );
  expect(wrong.map(([path]) => path)).toEqual([]);
});

function mayImport(room: string, other: string): boolean {
  const [from, to] = [FLOORS[room], FLOORS[other]];
  if (room === other) return true;
  return from !== undefined && to !== undefined && to < from;
}

function roomOf(path: string): string {
  return BY_PATH.get(path)?.room ?? 'unknown';
}

/** Files that reach themselves through their imports. */
function cycles(): readonly string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (path: string, above: readonly string[]): void => {
    if (above.includes(path)) found.push([...above.slice(above.indexOf(path)), path].join(' -> '));
    if (done.has(path) || above.includes(path)) return;
    // A cycle of types alone is one too: whoever reads the one must read the other.
    for (const other of BY_PATH.get(path)?.imports ?? []) walk(other, [...above, path]);
    done.add(path);
  };
  for (const { path } of ALL) walk(path, []);
  return found;
}

function textOf(node: unknown): unknown {
  return (node as { readonly value?: unknown } | undefined)?.value;
}

function nameOf(node: unknown): unknown {
  return (node as { readonly name?: unknown } | undefined)?.name;
}

const FORBIDDEN = [
  'performance',
  'process',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'Promise',
  'globalThis',
  'crypto',
  'console',
];

function impurityOf(text: string): readonly string[] {
  return [...expressionsOf(parseSync('x.ts', text).program)].flatMap(impurity);
}

function impurity(node: SyntaxNode): readonly string[] {
  const { type } = node;
  if (node['async'] === true) return ['is async'];
  if (type === 'AwaitExpression' || (type === 'ForOfStatement' && node['await'] === true)) return ['awaits'];
  if (type === 'ImportExpression') return ['imports lazily'];
  if (type === 'NewExpression' && nameOf(node['callee']) === 'Date') {
    return (node['arguments'] as readonly unknown[]).length === 0 ? ['reads the clock'] : [];
  }
  if (type === 'MemberExpression') {
    const path = `${String(nameOf(node['object']))}.${String(nameOf(node['property']))}`;
    return ['Date.now', 'Math.random'].includes(path) ? [`reads ${path}`] : [];
  }
  const name = String(node['name']);
  return type === 'Identifier' && FORBIDDEN.includes(name) ? [`mentions ${name}`] : [];
}

/** Every node but the names of members: `user.process` and `{process: 1}` mention nothing of the kind. */
function* expressionsOf(node: unknown): Generator<SyntaxNode> {
  if (Array.isArray(node)) for (const item of node) yield* expressionsOf(item);
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
  const fields = node as Readonly<Record<string, unknown>>;
  if (typeof fields['type'] === 'string') yield fields as SyntaxNode;
  for (const [name, value] of Object.entries(fields)) {
    const names = (name === 'key' || name === 'property') && fields['computed'] !== true;
    if (!names) yield* expressionsOf(value);
  }
}

/** The exported constants whose declared type is Plugin. */
function pluginsIn(tree: SyntaxNode): readonly string[] {
  return [...nodesOf(tree)]
    .filter(({ type }) => type === 'ExportNamedDeclaration')
    .flatMap(({ declaration }) => [...nodesOf(declaration)])
    .filter(({ type }) => type === 'VariableDeclarator')
    .flatMap(({ id }) => {
      const annotation = [...nodesOf((id as SyntaxNode)['typeAnnotation'])].find(
        ({ type }) => type === 'TSTypeReference',
      );
      return nameOf(annotation?.['typeName']) === 'Plugin' ? [String(nameOf(id))] : [];
    });
}

function filesOf(folders: readonly string[]): readonly (readonly [string, string])[] {
  return folders
    .map((folder) => join(ROOT, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
    )
    .filter((path) => !path.includes('node_modules') && statSync(path).isFile())
    .map((path) => [path, readFileSync(path, 'utf8')] as const);
}
