/** PEM bundles, and whether a certificate is one of theirs. */
import { X509Certificate } from 'node:crypto';

/** Every certificate of a bundle that can be read, in its order. */
export function certificatesIn(bundle: string): readonly X509Certificate[] {
  return bundle
    .split(/(?<=-----END CERTIFICATE-----)/)
    .filter((part) => part.includes('-----BEGIN CERTIFICATE-----'))
    .flatMap((part) => readCertificate(part.trim()) ?? []);
}

/** The first certificate of a PEM text, or undefined where it holds none. */
export function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

export function isIssuedBy(leaf: X509Certificate, authority: X509Certificate): boolean {
  return leaf.checkIssued(authority) && leaf.verify(authority.publicKey);
}

/** Whether who trusts this bundle takes the first certificate of `chain` at this time. */
export function isTrusted(chain: string, bundle: string, now: number): boolean {
  const [leaf, ...between] = certificatesIn(chain);
  if (leaf === undefined || !isValidAt(leaf, now)) return false;
  const roots = certificatesIn(bundle);
  return leadsTo(
    leaf,
    between,
    roots.filter((root) => isValidAt(root, now)),
  );
}

function leadsTo(
  certificate: X509Certificate,
  between: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): boolean {
  if (roots.some((root) => root.raw.equals(certificate.raw) || isIssuedBy(certificate, root))) return true;
  const issuer = between.find((other) => isIssuedBy(certificate, other));
  return (
    issuer !== undefined &&
    leadsTo(
      issuer,
      between.filter((other) => other !== issuer),
      roots,
    )
  );
}

export function isValidAt(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now < certificate.validToDate.getTime();
}
