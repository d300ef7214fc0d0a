/** A request's body, whole and within a limit. */
import type { IncomingMessage } from 'node:http';

/** Calls back once: with the body, or with undefined where it is longer than `limit` bytes. Never where it breaks off. */
export function readBody(
  message: IncomingMessage,
  limit: number,
  done: (body: Buffer | undefined) => void,
): void {
  if (Number(message.headers['content-length']) > limit) return done(undefined);
  const chunks: Buffer[] = [];
  let length = 0;
  message.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length <= limit) chunks.push(chunk);
    // What else comes is not kept, and nobody waits for it.
    else if (length - chunk.length <= limit) done(undefined);
  });
  message.on('end', () => {
    if (length > limit) return;
    const [only] = chunks;
    done(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length));
  });
}
