/** Every plugin, one line each. */
import { infisical } from './infisical.ts';
import { k8s } from './k8s.ts';
import type { Plugin } from './plugin.ts';

export const PLUGINS: readonly Plugin[] = [infisical, k8s];
