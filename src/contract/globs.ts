/** Glob lists of `allowed-*` annotations: `*` is any run of characters, every other character is itself. */
import { splitEntries } from './grammar.ts';

/** No name, slug or id has a blank or a control character inside; a list with one was written otherwise than meant. */
const READABLE = /^[^\s\p{Cc}]+$/u;

/**
 * Reads a list of globs. An empty text allows nothing. Returns the first entry that cannot be read as `bad`.
 */
export function parseGlobs(text: string): { readonly globs: readonly string[]; readonly bad?: string } {
  const globs = splitEntries(text);
  const bad = globs.find((glob) => !READABLE.test(glob));
  return bad === undefined ? { globs } : { globs, bad };
}

export function matchesAny(globs: readonly string[], name: string): boolean {
  return globs.some((glob) => matchesGlob(glob, name));
}

/** Whether the glob matches the whole name; never slower than the product of both lengths. */
export function matchesGlob(glob: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let position = 0;
  while (position < name.length) {
    if (glob[at] === '*') {
      star = at++;
      resume = position;
    } else if (at < glob.length && glob[at] === name[position]) {
      at++;
      position++;
    } else if (star !== -1) {
      at = star + 1;
      position = ++resume;
    } else {
      return false;
    }
  }
  while (glob[at] === '*') at++;
  return at === glob.length;
}
