/** Where an installation lives. */
import { DEFAULT_INSTALL_NAMESPACE } from '../contract/keys.ts';
import type { Client } from './client.ts';

/** The pod's own namespace; on a developer's machine, whose context names none, the one of an installation. */
export function homeOf({ namespace }: Pick<Client, 'namespace'>): string {
  return namespace === 'default' ? DEFAULT_INSTALL_NAMESPACE : namespace;
}
