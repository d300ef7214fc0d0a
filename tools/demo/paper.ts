import { painter, printable, symbols } from '../../src/cli/print.ts';
import type { Colour, Paint } from '../../src/cli/print.ts';
import type { Output } from '../../src/cli/terminal.ts';

/** What the demo is written on. Every method writes whole lines. */
export interface Paper {
  title(text: string): void;
  /** A numbered heading. */
  heading(text: string): void;
  /** A paragraph in people's words. */
  say(text: string): void;
  /** What a person would type. */
  command(text: string): void;
  /** What a program answers, line by line as it is. */
  output(text: string): void;
  warning(text: string): void;
  refusal(text: string): void;
  diff(text: string): void;
  good(text: string): void;
  bad(text: string): void;
  blank(): void;
}

export interface Screen extends Output {
  readonly columns?: number;
}

const INDENT = '  ';
const WIDEST = 110;
const NARROWEST = 50;

const DIFF_COLOURS: Readonly<Record<string, Colour>> = { '+': 'green', '-': 'red', '@': 'cyan' };

export function paperOn(screen: Screen, env: Readonly<Record<string, string | undefined>>): Paper {
  const paint = painter(screen, env);
  const signs = symbols(env);
  // A terminal that does not know its width says 0.
  const width = Math.max(NARROWEST, Math.min(WIDEST, screen.columns || WIDEST));
  const line = (text: string): void => void screen.write(`${text}\n`);
  const block = (text: string, colour: Colour | undefined, hanging = ''): void => {
    for (const one of wrapped(printable(text), width - INDENT.length, hanging))
      line(INDENT + (colour === undefined ? one : paint(colour, one)));
  };
  let steps = 0;
  return {
    title: (text) => line(paint('bold', text)),
    heading: (text) => line(`\n${paint('bold', `${(steps += 1)}. ${text}`)}`),
    say: (text) => block(text, undefined),
    command: (text) => line(`${INDENT}${paint('cyan', `$ ${text}`)}`),
    output: (text) => {
      for (const one of text.trimEnd().split('\n')) {
        const blanks = /^ */.exec(one)?.[0] ?? '';
        const words = wrapped(printable(one.trimStart()), width - INDENT.length - blanks.length, INDENT);
        for (const part of words) line((INDENT + blanks + part).trimEnd());
      }
    },
    warning: (text) => block(`Warning: ${text}`, 'yellow', INDENT),
    refusal: (text) => block(text, 'red', INDENT),
    diff: (text) => {
      for (const one of text.trimEnd().split('\n')) line(INDENT + colouredDiff(one, paint));
    },
    good: (text) => line(`${INDENT}${paint('green', signs.good)} ${text}`),
    bad: (text) => line(`${INDENT}${paint('red', signs.bad)} ${text}`),
    blank: () => line(''),
  };
}

function colouredDiff(text: string, paint: Paint): string {
  if (text.startsWith('+++') || text.startsWith('---')) return paint('dim', text);
  const colour = DIFF_COLOURS[text.charAt(0)];
  return colour === undefined ? text : paint(colour, text);
}

/** Lines of at most this width, broken at blanks; a longer word has a line of its own. */
export function wrapped(text: string, width: number, hanging = ''): readonly string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = hanging + word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}
