/** Makes certificate authorities and certificates, ECDSA P-256. Loaded only where one is to be made. */
// @peculiar/x509 needs the reflect polyfill before its own module body runs.
// oxlint-disable-next-line import/no-unassigned-import
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

/** Certificate and private key, both PEM. */
export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Milliseconds since the epoch. */
export interface Period {
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface LeafRequest {
  readonly names?: readonly string[];
  readonly ips?: readonly string[];
  readonly period: Period;
  /** What the certificate may be shown for; a server by default. */
  readonly usage?: 'server' | 'client';
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A certificate that may sign others, and its key. */
export async function createAuthority(name: string, period: Period): Promise<KeyPair> {
  const keys = await generateKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...dates(period),
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
  return { certPem: pem(ca), keyPem: await exportKey(keys) };
}

/** A certificate signed by this authority, and its key. */
export async function issueLeaf(authority: KeyPair, request: LeafRequest): Promise<KeyPair> {
  const { names = [], ips = [], period, usage } = request;
  const ca = new x509.X509Certificate(authority.certPem);
  const keys = await generateKeys();
  const leaf = await x509.X509CertificateGenerator.create(
    {
      ...dates(period),
      serialNumber: serialNumber(),
      subject: [{ CN: [names[0] ?? ips[0] ?? 'leaf'] }],
      issuer: ca.subject,
      publicKey: keys.publicKey,
      signingKey: await importKey(authority.keyPem),
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          usage === 'client' ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth,
        ]),
        new x509.SubjectAlternativeNameExtension(alternatives(names, ips)),
        await x509.AuthorityKeyIdentifierExtension.create(ca, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certPem: pem(leaf), keyPem: await exportKey(keys) };
}

/** An ECDSA P-256 key pair as PEM, e.g. to sign service account tokens. */
export async function createSigningKey(): Promise<{ readonly publicPem: string; readonly keyPem: string }> {
  const keys = await generateKeys();
  const spki = await webcrypto.subtle.exportKey('spki', keys.publicKey);
  return { publicPem: x509.PemConverter.encode(spki, 'PUBLIC KEY'), keyPem: await exportKey(keys) };
}

function alternatives(names: readonly string[], ips: readonly string[]): x509.JsonGeneralNames {
  const wrong = ips.find((ip) => isIP(ip) === 0);
  if (wrong !== undefined) throw new Error(`'${wrong}' is not an IP address; host names go in 'names'`);
  return [
    ...names.map((value) => ({ type: 'dns' as const, value })),
    ...ips.map((value) => ({ type: 'ip' as const, value })),
  ];
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function importKey(keyPem: string): Promise<webcrypto.CryptoKey> {
  const [pkcs8] = x509.PemConverter.decode(keyPem);
  if (pkcs8 === undefined) throw new Error('the key of the authority is no PEM');
  return webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign']);
}

async function exportKey(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`;
}

function dates({ notBefore, notAfter }: Period): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
}

function serialNumber(): string {
  // The first byte stays below 0x80: a serial number with the sign bit set is negative, which Go refuses.
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}`;
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
