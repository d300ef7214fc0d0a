/**
 * The caBundle for certificates that others issue: the authorities that they have now, and for a while those that
 * they had before. Each replica reads its own mounted copy, some a minute later than others.
 */
import { certificatesIn, isValidAt } from './certificate-chain.ts';

export interface OverlapOptions {
  /** Milliseconds that an authority stays trusted after the issuer has replaced it. */
  readonly overlap: number;
  readonly now: () => number;
}

/** Gives the bundle (PEM) to publish, from what the issuer has now and the caBundles that are live; '' is none. */
export type BundleOverlap = (issued: string, live: readonly string[]) => string;

export function createBundleOverlap({ overlap, now }: OverlapOptions): BundleOverlap {
  let last = '';
  let former: readonly string[] = [];
  let changedAt = 0;
  return (issued, live) => {
    if (issued === '') return '';
    if (issued !== last) {
      // A leader that has just begun knows from the live caBundles alone what replicas may still serve.
      former = [...former, ...(last === '' ? live : [last])];
      last = issued;
      changedAt = now();
    }
    if (now() - changedAt >= overlap) former = [];
    return issued + notIn(issued, former, now()).join('');
  };
}

/** Each authority of these bundles once that is valid and not in `issued`. */
function notIn(issued: string, bundles: readonly string[], now: number): readonly string[] {
  const known = new Set(certificatesIn(issued).map(String));
  const others = bundles.flatMap(certificatesIn).filter((one) => isValidAt(one, now));
  return [...new Set(others.map(String))].filter((pem) => !known.has(pem));
}
