// The program's own sources, as syntax trees.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'rolldown/utils';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** One file of src. */
export interface Source {
  /** From src on: 'review/plan.ts'. */
  readonly path: string;
  /** The folder under src; '' for the roof. */
  readonly room: string;
  readonly text: string;
  /** Files of src that it imports, from src on; also types, also lazily. */
  readonly imports: readonly string[];
  /** Everything else that it imports: 'node:fs', 'yaml'. */
  readonly packages: readonly string[];
  /** What it imports of files outside of src. */
  readonly outside: readonly string[];
  readonly tree: SyntaxNode;
}

export type SyntaxNode = Readonly<Record<string, unknown>> & { readonly type: string };

/** Every TypeScript file under src. */
export function sources(): readonly Source[] {
  const src = join(ROOT, 'src');
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
    .map((path) => readSource(src, path));
}

/** Every node of the tree, parents first. */
export function* nodesOf(node: unknown): Generator<SyntaxNode> {
  if (Array.isArray(node)) for (const item of node) yield* nodesOf(item);
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
  if ('type' in node && typeof node.type === 'string') yield node as SyntaxNode;
  for (const value of Object.values(node)) yield* nodesOf(value);
}

function readSource(src: string, path: string): Source {
  const text = readFileSync(join(src, path), 'utf8');
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const tree = program as unknown as SyntaxNode;
  const named = [...nodesOf(tree)].flatMap(importedBy);
  const local = named
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(src, join(src, dirname(path), name)).replaceAll('\\', '/'));
  const slash = path.indexOf('/');
  return {
    path,
    room: slash === -1 ? '' : path.slice(0, slash),
    text,
    imports: [...new Set(local.filter((name) => !name.startsWith('..')))],
    outside: local.filter((name) => name.startsWith('..')),
    packages: [...new Set(named.filter((name) => !name.startsWith('.')))],
    tree,
  };
}

const IMPORTS = [
  'ImportDeclaration',
  'ImportExpression',
  'ExportAllDeclaration',
  'ExportNamedDeclaration',
  'TSImportType',
];

function importedBy(node: SyntaxNode): readonly string[] {
  if (!IMPORTS.includes(node.type)) return [];
  const source = (node['source'] ?? node['argument']) as { readonly value?: unknown } | null | undefined;
  if (source === null || source === undefined) return [];
  // A module whose name is computed could be any module.
  return [typeof source.value === 'string' ? source.value : './COMPUTED'];
}
