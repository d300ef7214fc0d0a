import { describe, expect, test } from 'vitest';
import { paperOn, wrapped } from '../../tools/demo/paper.ts';
import type { Paper } from '../../tools/demo/paper.ts';

const ESCAPE = '\u001B[';
const RED = `${ESCAPE}31m`;
const GREEN = `${ESCAPE}32m`;

function written(
  screen: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string>>,
  write: (paper: Paper) => void,
): string {
  let text = '';
  write(paperOn({ ...screen, write: (part) => (text += part) }, env));
  return text;
}

function everything(paper: Paper): void {
  paper.title('A demo');
  paper.heading('First');
  paper.say('Some words.');
  paper.command('kubectl get pods');
  paper.warning('careful');
  paper.refusal('no');
  paper.diff('--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n');
  paper.good('fine');
  paper.bad('not fine');
}

describe('colours', () => {
  test('on a terminal, added lines are green and refusals are red', () => {
    const text = written({ isTTY: true, columns: 80 }, {}, everything);
    expect(text).toContain(`${GREEN}+new`);
    expect(text).toContain(`${GREEN}✓`);
    expect(text).toContain(`${RED}no`);
  });

  test.each([
    ['in a pipe', {}, {}],
    ['where NO_COLOR says so', { isTTY: true }, { NO_COLOR: '1' }],
    ['on a dumb terminal', { isTTY: true }, { TERM: 'dumb' }],
  ])('there are none %s', (_where, screen, env) => {
    expect(written(screen, env, everything)).not.toContain(ESCAPE);
  });

  test('what strangers wrote cannot bring its own', () => {
    const text = written({ isTTY: true }, { NO_COLOR: '1' }, (paper) => {
      paper.refusal(`${ESCAPE}2Jboo`);
      paper.warning(`${ESCAPE}2Jboo`);
      paper.output(`${ESCAPE}2Jboo`);
    });
    expect(text).not.toContain('\u001B');
  });
});

describe('width', () => {
  test('a refusal is broken at blanks, all of it is there, and what follows is indented', () => {
    const words = Array.from({ length: 40 }, (_, index) => `word${index}`);
    const lines = written({ columns: 60 }, {}, (paper) => paper.refusal(words.join(' ')))
      .trimEnd()
      .split('\n');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    for (const line of lines.slice(1)) expect(line).toMatch(/^ {4}\S/);
    expect(lines.join(' ').trim().split(/\s+/)).toEqual(words);
  });

  test('a word that is too long has a line of its own', () => {
    expect(wrapped('a bbbbbbbbbb c', 5)).toEqual(['a', 'bbbbbbbbbb', 'c']);
  });

  test("a program's long lines keep their own indentation", () => {
    const text = written({ columns: 50 }, {}, (paper) =>
      paper.output(`  ${'word '.repeat(20).trim()}\nspec:`),
    );
    for (const line of text.trimEnd().split('\n').slice(0, -1)) expect(line).toMatch(/^ {4,6}word/);
    expect(text).toContain('\n  spec:\n');
  });
});

test('headings are numbered', () => {
  const text = written({}, {}, (paper) => {
    paper.heading('First');
    paper.heading('Second');
  });
  expect(text).toBe('\n1. First\n\n2. Second\n');
});
