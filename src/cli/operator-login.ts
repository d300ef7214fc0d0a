/** How Infisical's operator logs in, as the settings say it for resources that this program makes. */
import type { Config } from '../config/config.ts';
import type { OperatorLogin } from '../plugins/infisical-manifest.ts';

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** Undefined where the settings do not say. `namespace` is that of the resource. */
export function operatorLogin(
  { credentials, serviceAccount, identityId }: Config['upstream']['infisical'],
  namespace: string,
): OperatorLogin | undefined {
  if (credentials !== '') return { credentials: named(credentials, namespace) };
  if (serviceAccount === '' || identityId === '') return undefined;
  return { identityId, serviceAccount: named(serviceAccount, namespace) };
}

/** '[namespace/]name'. */
export function named(written: string, namespace: string): Named {
  const [first = '', second] = written.split('/');
  return second === undefined ? { namespace, name: first } : { namespace: first, name: second };
}
