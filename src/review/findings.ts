/** Findings in the making: what is wrong, where it is used, what to do; and the sentences that people read. */
import type { Code, Severity, State } from '../contract/reasons.ts';
import { REASONS } from '../contract/reasons.ts';
import type { Finding } from './decision.ts';
import type { Use } from './references.ts';

export interface Draft {
  readonly code: Code;
  readonly severity: Severity;
  /** One clause without a full stop: "Secret 'x' not found in namespace 'y'". Untrusted words are cleaned before. */
  readonly what: string;
  /** The state behind it, where one is: Pending and Unknown may be answered 429. */
  readonly state?: State;
  readonly secret?: string;
  readonly key?: string;
  /** Where no use tells it. */
  readonly container?: string;
  readonly field?: string;
  readonly uses?: readonly Use[];
  readonly suggestion?: string;
}

const SHOWN_USES = 3;
const SHOWN_WORDS = 200;
const SHOWN_EXCERPT = 60;

export function draft(code: Code, what: string, more: Partial<Draft> = {}): Draft {
  return { code, severity: REASONS[code].severity, what, ...more };
}

/** E805: what a person wrote cannot be read. */
export function invalid(what: string): Draft {
  return draft('FLOE-E805', what);
}

/** E805: an annotation of ours that is longer than `limits.annotationBytes`; nothing of it is read. */
export function tooLong(key: string, level: string, limit: number): Draft {
  return {
    ...invalid(`annotation ${key} of the ${level} is longer than ${limit} bytes`),
    field: fieldOf(key),
    suggestion: 'shorten it, or raise limits.annotationBytes',
  };
}

/** Where an annotation stands in its object. */
export function fieldOf(key: string): string {
  return `metadata.annotations[${key}]`;
}

export function findingOf(made: Draft): Finding {
  const first = made.uses?.[0];
  const container = made.container ?? first?.container;
  const field = made.field ?? first?.field;
  const sentences = [`${made.code}: ${made.what}.`, usedBy(made.uses), suggested(made.suggestion)];
  return {
    code: made.code,
    severity: made.severity,
    ...(made.secret === undefined ? {} : { secret: made.secret }),
    ...(made.key === undefined ? {} : { key: made.key }),
    ...(container === undefined ? {} : { container }),
    ...(field === undefined ? {} : { field }),
    message: printable(sentences.filter((sentence) => sentence !== '').join(' ')),
    ...(made.suggestion === undefined ? {} : { suggestion: made.suggestion }),
    summary: printable(`${made.code}: ${made.what}`),
  };
}

/** Errors first, then as they were found: stable, so that Events de-duplicate. */
export function errorsFirst(drafts: readonly Draft[]): readonly Draft[] {
  return [
    ...drafts.filter((one) => one.severity === 'error'),
    ...drafts.filter((one) => one.severity === 'warning'),
  ];
}

/** An operator's words for people: no control characters, one line, at most 200 characters. */
export function cleanWords(words: string): string {
  const cut = words.length > 4 * SHOWN_WORDS ? words.slice(0, 4 * SHOWN_WORDS) : words;
  const plain = printable(cut).replaceAll(/ {2,}/g, ' ').trim();
  return plain.length > SHOWN_WORDS
    ? `${plain.slice(0, SHOWN_WORDS - 1).toWellFormed()}…`
    : plain.toWellFormed();
}

/** Control, bidirectional and other format characters could reorder or hide what a terminal shows. */
export function printable(words: string): string {
  return words.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** The beginning of what a stranger wrote. */
export function excerpt(words: string): string {
  return words.length > SHOWN_EXCERPT ? `${words.slice(0, SHOWN_EXCERPT - 1)}…` : words;
}

function usedBy(uses: readonly Use[] | undefined): string {
  const places = [...new Set(uses?.map((use) => use.words))];
  if (places.length === 0) return '';
  const shown = places.slice(0, SHOWN_USES);
  const more = places.length - shown.length;
  return `Used by ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
}

function suggested(suggestion: string | undefined): string {
  return suggestion === undefined ? '' : `Suggestion: ${suggestion}`;
}
