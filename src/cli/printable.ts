/** Strangers' text on its way out: terminals obey no character of it. */

/** What a terminal obeys, or shows in another order than it is written. */
const OBEYED = String.raw`\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069`;
const RUNS = new RegExp(`[${OBEYED}]+`, 'g');
/** Of them what JSON and YAML would write as it is; line breaks and tabs are theirs. */
const RAW = new RegExp(`(?![\\t\\n\\r])[${OBEYED}]`, 'g');

/** Control characters and direction marks become a blank. */
export function printable(text: string): string {
  return text.replaceAll(RUNS, ' ');
}

/** The same of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** Whether JSON or YAML would hand on what a terminal obeys. */
export function isRaw(text: string): boolean {
  return text.search(RAW) !== -1;
}

/** JSON, or YAML between double quotes, with escapes in the place of it: whoever parses it reads what it was. */
export function withEscapes(text: string): string {
  return text.replaceAll(RAW, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
