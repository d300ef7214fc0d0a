/** Sockets: opening a port, and closing it without failing a review. */
import type { AddressInfo } from 'node:net';

/** What is asked of an app, whichever protocol it speaks. */
interface App {
  listen(options: { readonly port: number; readonly host: string }): Promise<unknown>;
  close(): PromiseLike<void>;
  readonly server: { address(): AddressInfo | string | null; closeAllConnections(): void };
}

/** Listens on every address, IPv6 where the machine has it; port 0 lets the kernel choose. Gives the port. */
export async function listen(app: App, port: number): Promise<number> {
  try {
    await app.listen({ port, host: '::' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE')
      throw new Error(`port ${port} is taken: choose another with --port or --ops-port`, { cause: error });
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    await app.listen({ port, host: '0.0.0.0' });
  }
  return portOf(app);
}

/**
 * Accepts no more connections, waits for the requests in flight, and after `patienceMs` cuts what is left: Node
 * does not time out a connection that is open and silent once its server closes.
 */
export async function closeGently(app: App, patienceMs: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), patienceMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}

function portOf(app: App): number {
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server is not listening');
  return address.port;
}
