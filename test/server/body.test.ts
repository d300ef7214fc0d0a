import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readBody } from '../../src/server/body.ts';

/** What readBody calls back with, each time that it does, once nothing more comes. */
async function bodies(
  chunks: readonly string[],
  limit: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly (string | undefined)[]> {
  const message = Object.assign(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), { headers });
  const seen: (string | undefined)[] = [];
  const over = new Promise((resolve) => void message.once('close', resolve));
  readBody(message as unknown as IncomingMessage, limit, (body) => seen.push(body?.toString()));
  message.resume();
  await over;
  return seen;
}

describe('a body', () => {
  it.each<[string, string[], string]>([
    ['nothing', [], ''],
    ['one piece', ['{"a":1}'], '{"a":1}'],
    ['several pieces', ['{"a"', ':', '1}'], '{"a":1}'],
    ['as many bytes as it may have', ['12345', '67890'], '1234567890'],
  ])('of %s is given whole, once', async (_what, chunks, whole) => {
    expect(await bodies(chunks, 10)).toEqual([whole]);
  });

  it('that is longer than it may be is none, told once, whether or not it says its length', async () => {
    expect(await bodies(['12345', '67890', '1', '2'], 10)).toEqual([undefined]);
    expect(await bodies(['12345678901'], 10)).toEqual([undefined]);
    expect(await bodies(['12345'], 10, { 'content-length': '11' })).toEqual([undefined]);
  });

  it('that breaks off is never given', async () => {
    const message = Object.assign(
      new Readable({
        read() {
          this.push('12345');
          this.destroy();
        },
      }),
      { headers: {} },
    );
    const seen: unknown[] = [];
    const over = new Promise((resolve) => void message.once('close', resolve));
    readBody(message as unknown as IncomingMessage, 10, (body) => seen.push(body));
    await over;
    expect(seen).toEqual([]);
  });
});
