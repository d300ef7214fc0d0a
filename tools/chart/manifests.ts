// The chart with its own values, for who installs without Helm: no hooks, and the namespace with it.
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { DEFAULT_INSTALL_NAMESPACE, PROGRAM } from '../../src/contract/keys.ts';
import { findTool } from '../control-plane/kubectl.ts';

const CHART = fileURLToPath(new URL('../../deploy/chart', import.meta.url));

const HEAD = `# Written by \`npm run generate\` from deploy/chart. Apply it with: kubectl apply --server-side -f install.yaml
# Before you delete it, run: floe-secrets uninstall
apiVersion: v1
kind: Namespace
metadata:
  name: ${DEFAULT_INSTALL_NAMESPACE}
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

/** The manifests, or why this machine cannot make them. */
export function plainManifests(): string | { readonly reason: string } {
  const helm = findTool('helm');
  if (helm.path === undefined) return { reason: helm.reason };
  const args = ['template', PROGRAM, CHART, '--namespace', DEFAULT_INSTALL_NAMESPACE, '--no-hooks'];
  const env = { PATH: process.env['PATH'], HOME: tmpdir() };
  const rendered = execFileSync(helm.path, args, { encoding: 'utf8', env });
  return (
    HEAD + rendered.replaceAll('app.kubernetes.io/managed-by: Helm', 'app.kubernetes.io/managed-by: kubectl')
  );
}
