/** What a migration is to make, as options, settings and the namespace say it. */
import type { Client } from '../cluster/client.ts';
import { isDiscovered } from '../cluster/discovery.ts';
import type { Config } from '../config/config.ts';
import type { InfisicalWish } from '../migrate/infisical-target.ts';
import type { TrustedLogin } from '../migrate/record-login.ts';
import { infisicalStaticSecret } from '../plugins/infisical-static-secret.ts';
import { infisicalSecret } from '../plugins/infisical.ts';
import type { Policy } from '../review/policy.ts';
import { siteUrlOf } from '../upstream/infisical.ts';
import type { OpenOptions } from '../upstream/open.ts';
import { homeOf } from '../upstream/open.ts';
import { named, operatorLogin } from './operator-login.ts';
import type { Options } from './options.ts';
import { flagOption, textOption } from './options.ts';
import { CommandError, EXIT } from './terminal.ts';

export type SyncKindName = InfisicalWish['kind'];

/** The kind that is asked for, else the older one, which every operator has, else the one that this cluster has. */
export async function wishedKind(client: Client, options: Options): Promise<SyncKindName> {
  if (flagOption(options, 'static')) return 'InfisicalStaticSecret';
  if (await isDiscovered(client, infisicalSecret.resource)) return 'InfisicalSecret';
  if (await isDiscovered(client, infisicalStaticSecret.resource)) return 'InfisicalStaticSecret';
  throw new CommandError(
    'the API server serves no InfisicalSecrets: is the Infisical operator installed?',
    EXIT.general,
  );
}

export interface WishParts {
  readonly kind: SyncKindName;
  readonly options: Options;
  readonly settings: Config['upstream'];
  readonly env: OpenOptions['env'];
  /** Of the namespace of the Secret. */
  readonly policy: Policy;
}

export function wishFor({ kind, options, settings, env, policy }: WishParts): InfisicalWish {
  const { namespace } = policy;
  const home = homeOf('infisical', { settings, env, cwd: '', namespace });
  const environment = home.environment === '' ? (policy.environment ?? '') : home.environment;
  return {
    ...trustedLogin({ options, settings, namespace }),
    kind,
    copyValues: flagOption(options, 'copyValues'),
    destination: {
      project: textOption(options, 'project') ?? home.project,
      environment: textOption(options, 'environment') ?? environment,
      path: textOption(options, 'path') ?? home.path,
    },
  };
}

/** How the operator logs in, as the run was told. */
export function trustedLogin({
  options,
  settings,
  namespace,
}: Pick<WishParts, 'options' | 'settings'> & { readonly namespace: string }): TrustedLogin {
  const login = operatorLogin(settings.infisical, namespace);
  const auth = textOption(options, 'infisicalAuth');
  const vaultAuth = textOption(options, 'vaultAuth');
  return {
    hostAPI: `${siteUrlOf(settings.infisical.hostAPI)}/api`,
    ...(login === undefined ? {} : { login }),
    ...(auth === undefined ? {} : { auth: named(auth, namespace) }),
    ...(vaultAuth === undefined ? {} : { vaultAuth: named(vaultAuth, namespace) }),
  };
}
