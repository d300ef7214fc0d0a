/** Plain Secrets: whatever exists, whoever wrote it. */
import type { Plugin } from './plugin.ts';

export const k8s: Plugin = {
  id: 'k8s',
  aliases: ['kubernetes', 'k8s-secrets'],
  claims: 'it exists',
  kinds: [],
  marks: () => false,
};
