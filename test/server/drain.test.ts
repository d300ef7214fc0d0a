import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { Agent } from 'node:https';
import type { ListenOptions } from 'node:net';
import { connect } from 'node:tls';
import { describe, expect, it, vi } from 'vitest';
import type { WebhookApp } from '../../src/server/app.ts';
import { awaitShutdown } from '../../src/server/drain.ts';
import { closeGently, listen } from '../../src/server/listen.ts';
import { authority, decision, post, review, startWebhook } from './webhook.ts';

const NEVER = 60_000;
const CEILING = { timeout: 60_000, interval: 10 };

describe('signals', () => {
  it('begin the end at the first, and are impatience at the second', async () => {
    const source = new EventEmitter();
    const impatient = vi.fn();
    const shutdown = awaitShutdown(source, impatient);
    expect(shutdown.draining()).toBe(false);
    source.emit('SIGTERM', 'SIGTERM');
    expect(shutdown.draining()).toBe(true);
    expect(await shutdown.asked).toBe('SIGTERM');
    // The same Ctrl-C, passed on by a wrapper, is no impatience.
    source.emit('SIGTERM', 'SIGTERM');
    expect(impatient).not.toHaveBeenCalled();
    source.emit('SIGINT', 'SIGINT');
    expect(impatient).toHaveBeenCalledExactlyOnceWith('SIGINT');
    shutdown.dispose();
    expect(source.listenerCount('SIGTERM') + source.listenerCount('SIGINT')).toBe(0);
  });
});

describe('a port that is taken', () => {
  it('is said to be that, with what to do', async () => {
    const { port } = await startWebhook();
    const server = createServer();
    const app = {
      server,
      close: async () => undefined,
      listen: async (where: ListenOptions) => {
        server.listen(where);
        await once(server, 'listening');
      },
    };
    await expect(listen(app, port)).rejects.toThrow(`port ${port} is taken: choose another with --port`);
  });
});

describe('draining', () => {
  it('fails no review: each connection is given back after an answer, and a new one is served', async () => {
    let draining = false;
    const { port } = await startWebhook({ draining: () => draining, admit: slowly(5) });
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const warm = await Promise.all(Array.from({ length: 8 }, () => post(port, review(), { agent })));
    expect(warm.every(({ headers }) => headers.connection === 'keep-alive')).toBe(true);
    draining = true;
    const drained = await Promise.all(Array.from({ length: 40 }, () => post(port, review(), { agent })));
    agent.destroy();
    expect(drained.map(({ status }) => status)).toEqual(drained.map(() => 200));
    expect(drained.every(({ headers }) => headers.connection === 'close')).toBe(true);
  });

  it('then waits for the reviews in flight', async () => {
    const judged = Promise.withResolvers<void>();
    let begun = 0;
    const admit = async () => {
      begun += 1;
      await judged.promise;
      return decision({});
    };
    const { app, port } = await startWebhook({ admit });
    const inFlight = Array.from({ length: 8 }, () => post(port, review()));
    await vi.waitFor(() => expect(begun).toBe(8), CEILING);
    const closing = closeGently(app, NEVER);
    setTimeout(judged.resolve, 100);
    const answers = await Promise.all(inFlight);
    await closing;
    expect(answers.map(({ response }) => response.allowed)).toEqual(answers.map(() => true));
    await expect(post(port, review())).rejects.toThrow(/ECONNREFUSED/);
  });

  it('answers a review that came on an open connection while the server closes', async () => {
    const { app, port } = await startWebhook({ admit: slowly(200) });
    const socket = connect({ host: 'localhost', port, ca: authority.certPem });
    const received: string[] = [];
    socket.setEncoding('utf8').on('data', (text: string) => received.push(text));
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const body = review();
    const head = `POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.write(head + body.slice(0, 10));
    await vi.waitUntil(async () => (await connections(app)) === 1, CEILING);
    const closing = closeGently(app, NEVER);
    socket.write(body.slice(10));
    await closing;
    expect(received.join('')).toMatch(/^HTTP\/1\.1 200/);
  });

  it('does not wait for a connection that says nothing', async () => {
    const { app, port } = await startWebhook();
    const silent = connect({ host: 'localhost', port, ca: authority.certPem });
    await new Promise((resolve) => silent.once('secureConnect', resolve));
    const ended = new Promise((resolve) => silent.once('close', resolve));
    silent.resume();
    await closeGently(app, 50);
    await ended;
  });
});

function slowly(milliseconds: number) {
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return decision({});
  };
}

async function connections(app: WebhookApp): Promise<number> {
  return new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}
