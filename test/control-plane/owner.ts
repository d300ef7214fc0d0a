// A program that owns a control plane, to be killed by a test. Its argument may name a directory of
// stand-ins for upstream's programs; without it the control plane of this machine is started, after the word
// `node` one that really runs pods.
import { startGuarded } from '../../tools/control-plane/guarded-process.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import { createWorkspace } from '../../tools/control-plane/workspace.ts';

const [standIn] = process.argv.slice(2);
if (standIn === undefined || standIn === 'node') {
  const { kubeconfig, server } = await startControlPlane(
    standIn === 'node' ? { controllers: true, node: 'real' } : { controllers: false },
  );
  process.stdout.write(`${JSON.stringify({ directory: kubeconfig.replace(/\/kubeconfig$/, ''), server })}\n`);
} else {
  const directory = createWorkspace();
  startGuarded({ name: 'server', directory, file: standIn, args: [directory] });
  process.stdout.write(`${JSON.stringify({ directory, server: '' })}\n`);
}
