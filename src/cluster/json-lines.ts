/** The body of a watch: one JSON object a line, in chunks that end anywhere. */
import type { JsonObject } from '../kube/json.ts';
import { isObject } from '../kube/json.ts';
import { ApiError } from './api-error.ts';

/** etcd holds at most 1.5 MiB an object; a line beyond this is no Kubernetes object. */
const MAX_LINE = 16 * 1024 * 1024;
const NEWLINE = 10;

/** Every line as an object. Throws ApiError where a line is none; it never quotes the line. */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<JsonObject, void> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      pieces.push(chunk.subarray(start, end));
      yield* parseLine(Buffer.concat(pieces).toString('utf8'));
      pieces = [];
      length = 0;
      start = end + 1;
    }
    pieces.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > MAX_LINE) throw new ApiError(0, 'TooLong', 'a line of the watch is too long');
  }
}

function* parseLine(line: string): Generator<JsonObject, void> {
  if (line.trim() !== '') yield parseObject(line);
}

/** JSON text as an object. Throws ApiError; the parser's own error would quote the text. */
export function parseObject(content: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new ApiError(0, 'BadAnswer', 'the answer is no JSON');
  }
  if (!isObject(value)) throw new ApiError(0, 'BadAnswer', 'the answer is no JSON object');
  return value;
}
