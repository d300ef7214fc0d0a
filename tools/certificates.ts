// @peculiar/x509 needs the reflect polyfill before its own module body runs.
// oxlint-disable-next-line import/no-unassigned-import
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

interface LeafRequest {
  readonly names?: readonly string[];
  readonly ips?: readonly string[];
  readonly days?: number;
  /** What the certificate may be shown for; a server by default. */
  readonly usage?: 'server' | 'client';
}

export interface Authority extends KeyPair {
  issue(request: LeafRequest): Promise<KeyPair>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;
// Clocks of a container and its host differ by seconds; a certificate from the future is refused.
const BACKDATE = 60_000;

/** A certificate authority of one's own, whose key lives in memory as long as the caller keeps it. */
export async function makeAuthority(name: string, days = 30): Promise<Authority> {
  const keys = await generateKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...validity(days),
      serialNumber: serialNumber(),
      name: [{ CN: [name] }],
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return {
    certPem: pem(ca),
    keyPem: await exportKey(keys),
    issue: (request) => issue(ca, keys.privateKey, request),
  };
}

async function issue(
  ca: x509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
  request: LeafRequest,
): Promise<KeyPair> {
  const names = request.names ?? [];
  const ips = request.ips ?? [];
  const keys = await generateKeys();
  const leaf = await x509.X509CertificateGenerator.create(
    {
      ...validity(request.days ?? 30),
      serialNumber: serialNumber(),
      subject: [{ CN: [names[0] ?? ips[0] ?? 'leaf'] }],
      issuer: ca.subject,
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          request.usage === 'client' ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth,
        ]),
        new x509.SubjectAlternativeNameExtension(alternatives(names, ips)),
        await x509.AuthorityKeyIdentifierExtension.create(ca, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certPem: pem(leaf), keyPem: await exportKey(keys) };
}

function alternatives(names: readonly string[], ips: readonly string[]): x509.JsonGeneralNames {
  const wrong = ips.find((ip) => isIP(ip) === 0);
  if (wrong !== undefined) throw new Error(`'${wrong}' is not an IP address; host names go in 'names'`);
  return [
    ...names.map((value) => ({ type: 'dns' as const, value })),
    ...ips.map((value) => ({ type: 'ip' as const, value })),
  ];
}

/** An ECDSA P-256 key pair as PEM, e.g. to sign service account tokens. */
export async function makeSigningKey(): Promise<{ readonly publicPem: string; readonly keyPem: string }> {
  const keys = await generateKeys();
  const spki = await webcrypto.subtle.exportKey('spki', keys.publicKey);
  return { publicPem: x509.PemConverter.encode(spki, 'PUBLIC KEY'), keyPem: await exportKey(keys) };
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function exportKey(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`;
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - BACKDATE), notAfter: new Date(now + days * DAY) };
}

function serialNumber(): string {
  // The first byte stays below 0x80: a serial number with the sign bit set is negative, which Go refuses.
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}`;
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
