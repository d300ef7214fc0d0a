import { describe, expect, it } from 'vitest';
import type { OperatorLogin } from '../../src/plugins/infisical-manifest.ts';
import { infisicalSecretFor, infisicalStaticSecretFor } from '../../src/plugins/infisical-manifest.ts';
import { vaultStaticSecretFor } from '../../src/plugins/vault-manifest.ts';
import { strangeLogin } from '../../src/migrate/record-login.ts';

const HOST = 'https://infisical.floe.dev/api';
const OPERATOR: OperatorLogin = { credentials: { namespace: 'infisical', name: 'operator' } };

function resource(login: OperatorLogin, hostAPI = HOST): ReturnType<typeof infisicalSecretFor> {
  const place = { project: 'floe', environment: 'prod', path: '/db' };
  return infisicalSecretFor({ namespace: 'jobs', name: 'db', hostAPI, login, ...place });
}

describe('a record may log in', () => {
  it('by what is in its own namespace, wherever that leads', () => {
    const own: OperatorLogin = { credentials: { namespace: 'jobs', name: 'mine' } };
    expect(strangeLogin(resource(own, 'https://elsewhere/api'), { hostAPI: HOST })).toBeUndefined();
  });

  it('by what the run was told to use', () => {
    expect(strangeLogin(resource(OPERATOR), { hostAPI: HOST, login: OPERATOR })).toBeUndefined();
    const account = { identityId: 'i', serviceAccount: { namespace: 'infisical', name: 'operator' } };
    expect(strangeLogin(resource(account), { hostAPI: HOST, login: account })).toBeUndefined();
  });

  it('but not carry credentials of another namespace to another address, nor use others', () => {
    const trusted = { hostAPI: HOST, login: OPERATOR };
    const other: OperatorLogin = { credentials: { namespace: 'payments', name: 'operator' } };
    for (const to of [resource(OPERATOR, 'https://elsewhere/api'), resource(other)]) {
      expect(strangeLogin(to, trusted)).toMatch(/^its record logs in by what is in namespace/);
    }
    expect(strangeLogin(resource(OPERATOR), { hostAPI: HOST })).toContain("'infisical'");
    expect(strangeLogin(resource(OPERATOR), { hostAPI: HOST }, true)).toMatch(/with which it was begun$/);
  });

  it('by an InfisicalAuth in the same way', () => {
    const auth = { namespace: 'infisical', name: 'main' };
    const sources = [{ project: 'floe', environment: 'prod', path: '/db' }];
    const to = infisicalStaticSecretFor({ namespace: 'jobs', name: 'db', auth, sources });
    expect(strangeLogin(to, { hostAPI: HOST, auth })).toBeUndefined();
    expect(strangeLogin(to, { hostAPI: HOST, auth: { ...auth, name: 'other' } })).toContain("'infisical'");
    expect(strangeLogin(to, { hostAPI: HOST })).toContain("'infisical'");
  });

  it('by a VaultAuth in the same way, and by the default one of the operator', () => {
    const wish = {
      namespace: 'jobs',
      name: 'db',
      metadata: {},
      vaultNamespace: '',
      mount: 'secret',
      type: 'kv-v2',
      path: 'jobs/db',
      secret: { name: 'db', type: 'Opaque' },
      encoded: [],
    } as const;
    const to = vaultStaticSecretFor({ ...wish, auth: 'vault/main' });
    const vaultAuth = { namespace: 'vault', name: 'main' };
    expect(strangeLogin(to, { hostAPI: HOST, vaultAuth })).toBeUndefined();
    for (const trusted of [{}, { vaultAuth: { ...vaultAuth, name: 'other' } }, { auth: vaultAuth }]) {
      expect(strangeLogin(to, { hostAPI: HOST, ...trusted })).toContain("'vault'");
    }
    for (const own of [wish, { ...wish, auth: 'mine' }, { ...wish, auth: 'jobs/mine' }]) {
      expect(strangeLogin(vaultStaticSecretFor(own), { hostAPI: HOST })).toBeUndefined();
    }
  });
});
