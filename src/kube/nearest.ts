/** Nobody mistypes more than that in one word. */
const MOST_EDITS = 8;

/** The candidate that a mistyped word most likely means; undefined where none is close (a quarter of its length). */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.min(MOST_EDITS, Math.max(2, Math.ceil(word.length / 4))) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), least);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/**
 * Levenshtein's distance, or `limit` where it is not below it. Only cells that can be below it are looked at, so that a
 * stranger's long words cost little.
 */
function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) >= limit) return limit;
  let row = Array.from({ length: right.length + 2 }, (_, column) => Math.min(column, limit));
  let next = row.map(() => limit);
  for (let line = 1; line <= left.length; line++) {
    const [from, to] = [Math.max(1, line - limit), Math.min(right.length, line + limit)];
    let least = from === 1 ? Math.min(line, limit) : limit;
    next[from - 1] = least;
    for (let column = from; column <= to; column++) {
      const replaced = (row[column - 1] ?? limit) + (left[line - 1] === right[column - 1] ? 0 : 1);
      const distance = Math.min(replaced, (row[column] ?? limit) + 1, (next[column - 1] ?? limit) + 1);
      next[column] = distance;
      least = Math.min(least, distance);
    }
    if (least >= limit) return limit;
    next[to + 1] = limit;
    [row, next] = [next, row];
  }
  return Math.min(limit, row[right.length] ?? limit);
}
