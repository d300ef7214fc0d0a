/**
 * The end of a tunnel in a sandbox's network, started there by tunnel.ts. A socket belongs to the network it was made
 * in, whoever holds it: this end gets the machine's listening socket, and gives away one that it made here.
 */
import { connect, createServer, Server } from 'node:net';
import type { Ask } from './tunnel.ts';
import { join } from './tunnel-pipe.ts';

process.on('disconnect', () => process.exit());
process.on('message', (ask: Ask, handle: unknown) => {
  const { id, port } = ask;
  if (handle instanceof Server) {
    handle.on('connection', (socket) => join(socket, connect(port, '127.0.0.1')));
    process.send?.({ id });
    return;
  }
  const server = createServer();
  server.once('error', (error) => process.send?.({ id, error: error.message }));
  server.listen(port, '127.0.0.1', () =>
    // The other side holds it then; two that listen would share what comes in.
    process.send?.({ id }, server, {}, () => server.close()),
  );
});
