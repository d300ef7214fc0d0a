import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeAuthority } from '../../tools/certificates.ts';
import type { KeyPair } from '../../tools/certificates.ts';

async function handshake(pair: KeyPair, ca: string, servername: string): Promise<string> {
  const server = createServer({ cert: pair.certPem, key: pair.keyPem }, (socket) => socket.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername }, () => {
      resolve('trusted');
      socket.destroy();
    });
    socket.once('error', (error) => resolve(error.message));
  });
}

describe('makeAuthority', () => {
  it('issues leaves that its own certificate vouches for', async () => {
    const authority = await makeAuthority('test');
    const leaf = await authority.issue({ names: ['svc.ns.svc'], ips: ['127.0.0.1'], days: 2 });
    expect(new X509Certificate(leaf.certPem).subjectAltName).toBe('DNS:svc.ns.svc, IP Address:127.0.0.1');
    expect(await handshake(leaf, authority.certPem, 'svc.ns.svc')).toBe('trusted');
  });

  it('vouches for no other name and no other authority', async () => {
    const authority = await makeAuthority('test');
    const namesake = await makeAuthority('test');
    const leaf = await authority.issue({ names: ['svc.ns.svc'] });
    expect(await handshake(leaf, authority.certPem, 'other.ns.svc')).toMatch(/does not match/);
    expect(await handshake(leaf, namesake.certPem, 'svc.ns.svc')).not.toBe('trusted');
  });

  it('refuses a host name among the addresses', async () => {
    const authority = await makeAuthority('test');
    await expect(authority.issue({ ips: ['localhost'] })).rejects.toThrow("'localhost' is not an IP address");
  });
});
