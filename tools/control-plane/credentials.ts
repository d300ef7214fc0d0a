import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_ADDRESS } from './sandbox.ts';
import { makeAuthority, makeSigningKey } from '../certificates.ts';

/** Somebody the API server knows by a bearer token. */
export interface TokenUser {
  readonly token: string;
  readonly user: string;
  readonly groups?: readonly string[];
}

export interface Credentials {
  readonly ca: string;
  readonly token: string;
}

/** Makes the keys of one run; the authority's own key is never written. */
export async function writeCredentials(directory: string, users: readonly TokenUser[]): Promise<Credentials> {
  const authority = await makeAuthority('floe-control-plane');
  const server = await authority.issue({
    names: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
    ips: ['127.0.0.1', '10.0.0.1', NODE_ADDRESS],
  });
  const kubeletClient = await authority.issue({ names: ['kube-apiserver'], usage: 'client' });
  const accounts = await makeSigningKey();
  const token = randomBytes(24).toString('hex');
  const admin: TokenUser = { token, user: 'admin', groups: ['system:masters'] };
  const files = {
    'ca.crt': authority.certPem,
    'server.crt': server.certPem,
    'server.key': server.keyPem,
    'kubelet-client.crt': kubeletClient.certPem,
    'kubelet-client.key': kubeletClient.keyPem,
    'accounts.pub': accounts.publicPem,
    'accounts.key': accounts.keyPem,
    'tokens.csv': [admin, ...users].map(tokenLine).join(''),
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
  }
  return { ca: authority.certPem, token };
}

function tokenLine({ token, user, groups = [] }: TokenUser): string {
  if ([token, user, ...groups].some((word) => /[",\n]/.test(word))) {
    throw new Error('tokens, users and groups cannot hold quotes, commas or line ends');
  }
  return `${token},${user},${user},"${groups.join(',')}"\n`;
}
