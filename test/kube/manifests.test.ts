import { describe, expect, it } from 'vitest';
import { text as textOf } from '../../src/kube/json.ts';
import { parseManifests } from '../../src/kube/manifests.ts';
import { BadManifest } from '../../src/kube/yaml.ts';

const kinds = (content: string): readonly string[] =>
  parseManifests(content, 'f.yaml').map(({ raw, line }) => `${textOf(raw, 'kind') ?? ''}@${line}`);

const problem = (text: string): string => {
  try {
    parseManifests(text, 'f.yaml');
  } catch (error) {
    if (error instanceof BadManifest) return error.message;
    throw error;
  }
  return 'none';
};

describe('parseManifests', () => {
  it('reads several documents with the line of each, and passes over empty ones', () => {
    expect(kinds('apiVersion: v1\nkind: A\n---\n# nothing\n---\n\napiVersion: v1\nkind: B\n')).toEqual([
      'A@1',
      'B@7',
    ]);
    expect(kinds('')).toEqual([]);
  });

  it('flattens Lists, also in Lists, and gives items of a typed list their kind', () => {
    const text = `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: A
- apiVersion: v1
  kind: SecretList
  items:
  - metadata: {name: z}
`;
    expect(kinds(text)).toEqual(['A@4', 'Secret@9']);
  });

  it('reads JSON', () => {
    expect(kinds('{"apiVersion":"v1","kind":"A"}')).toEqual(['A@1']);
    expect(kinds('\n[1]'.replace('[1]', '{"apiVersion":"v1",\n\t"kind":"A"}'))).toEqual(['A@1']);
  });

  it.each([
    ['off', false],
    ['y', true],
    ['0400', 256],
    ['0o400', 256],
    ['0x1F', 31],
    ['1_000', 1000],
    ['08', 8],
    ['1e3', 1000],
    ['.5', 0.5],
    ['e1', 'e1'],
    ['E10', 'E10'],
    ['.', '.'],
    ['1.2.3', '1.2.3'],
    ['12:30', '12:30'],
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02', '2026-01-02'],
    ['~', null],
    ['"off"', 'off'],
  ])('reads %s as kubectl does', (written, value) => {
    const [manifest] = parseManifests(`apiVersion: v1\nkind: A\nspec: {value: ${written}}\n`, 'f');
    expect(manifest?.raw['spec']).toEqual({ value });
  });

  it('keeps __proto__ as a plain key', () => {
    const [manifest] = parseManifests('apiVersion: v1\nkind: A\n__proto__: {polluted: true}\n', 'f');
    expect(Object.hasOwn(manifest?.raw ?? {}, '__proto__')).toBe(true);
    expect(manifest?.raw['polluted']).toBeUndefined();
  });

  it.each([
    ['two equal keys', 'a: 1\nb: 2\na: 3', 'f.yaml:3: two keys of one mapping are equal'],
    ['no kind', 'apiVersion: v1\nkind: A\n---\nfoo: 1', 'f.yaml:4: no Kubernetes object: it has no kind'],
    ['no object', '- a', 'f.yaml:1: no Kubernetes object: it has no kind'],
    ['no apiVersion', '\nkind: Pod', 'f.yaml:2: Pod has no apiVersion'],
    ['tabs', 'a:\n\tb: 1', 'f.yaml:2: tabs are not allowed as indentation'],
    [
      'broken JSON',
      '{"kind": "A",\n"apiVersion" x}',
      'f.yaml:2: a quote, bracket, comma or colon is missing',
    ],
  ])('names file and line: %s', (_case, text, message) => {
    expect(problem(text)).toBe(message);
  });

  it('quotes nothing of a text that may be a Secret', () => {
    for (const text of [
      'a: "hunter2',
      'hunter2: hunter2: x',
      'x: *hunter2',
      'a: [hunter2',
      '"hunter2" hunter2',
      '!hunter2 {',
    ]) {
      expect(problem(text)).not.toBe('none');
      expect(problem(text)).not.toContain('hunter2');
    }
  });

  it('refuses alias bombs and endless nesting', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((name, index) => {
        const below = `*${'abcdefgh'[index]}`;
        return `${name}: &${name} [${Array(10).fill(below).join(',')}]`;
      }),
    ].join('\n');
    expect(problem(bomb)).toContain('aliases');
    expect(problem('['.repeat(50_000))).toContain('nested too deeply');
    expect(problem(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`)).not.toBe('none');
  });
});
