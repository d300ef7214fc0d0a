/** What makes a finding the same finding tomorrow: what it is about, never a line or the words of an operator. */
import { createHash } from 'node:crypto';
import type { Finding } from '../review/decision.ts';
import type { Subject } from './bundle.ts';

/** 32 hexadecimal digits. Names alone go in, so nothing of a Secret's data can be guessed from it. */
export function fingerprintOf({ kind, namespace, name }: Subject, finding: Finding): string {
  const { code, secret = '', key = '', container = '', field = '' } = finding;
  // Where no Secret is meant, the sentence itself tells one finding of a field from the other.
  const subject = secret === '' ? finding.summary : '';
  const parts = [kind, namespace, name, code, secret, key, container, field, subject];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
