/** Every plugin, one line each. */
import { aws } from './aws.ts';
import { externalSecrets } from './external-secrets.ts';
import { infisicalEe } from './infisical-ee.ts';
import { infisical } from './infisical.ts';
import { k8s } from './k8s.ts';
import type { Plugin } from './plugin.ts';

export const PLUGINS: readonly Plugin[] = [infisical, infisicalEe, externalSecrets, aws, k8s];
