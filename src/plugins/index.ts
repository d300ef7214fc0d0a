/** Every plugin, one line each. */
import { aws } from './aws.ts';
import { doppler } from './doppler.ts';
import { externalSecrets } from './external-secrets.ts';
import { infisicalEe } from './infisical-ee.ts';
import { infisical } from './infisical.ts';
import { k8s } from './k8s.ts';
import { onepassword } from './onepassword.ts';
import type { Plugin } from './plugin.ts';
import { sops } from './sops.ts';
import { vault } from './vault.ts';

export const PLUGINS: readonly Plugin[] = [
  infisical,
  infisicalEe,
  vault,
  externalSecrets,
  doppler,
  onepassword,
  aws,
  sops,
  k8s,
];
