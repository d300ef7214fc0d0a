/** A CA of one's own. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { resolve } from 'node:path';
import type { Surroundings } from './credentials.ts';
import { readCredential } from './credentials.ts';

/**
 * The CA in the file that a setting names, for the connections that are made here; and added to what the process
 * trusts, because a library that has no option for it (Infisical's SDK) uses that.
 */
export async function trustAuthority(
  file: string,
  setting: string,
  { cwd }: Pick<Surroundings, 'cwd'>,
): Promise<string | undefined> {
  if (file === '') return undefined;
  const ca = await readCredential(resolve(cwd, file), setting);
  setDefaultCACertificates([...new Set([...getCACertificates('default'), ca])]);
  return ca;
}
