/**
 * `npm run bench -- cli [--rounds 5] [--kubeconfig FILE]`, after `npm run build`: how long people wait for commands,
 * offline and over a real API server with 5,000 Secrets, their InfisicalSecrets and 1,000 pods. Filling that takes a
 * minute or two. `--fill` does only that, says where it is and keeps it until Ctrl-C; `--kubeconfig` measures what is
 * filled already, so that the measurement alone needs a quiet machine.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startControlPlane } from '../tools/control-plane/start.ts';
import { printCommands, printTimes } from './commands.ts';
import { PODS, SECRETS, fillCluster } from './large-cluster.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    kubeconfig: { type: 'string' },
    fill: { type: 'boolean', default: false },
  },
});

if (values.kubeconfig !== undefined) measure(values.kubeconfig);
else {
  const plane = await startControlPlane({ controllers: false });
  try {
    await fillCluster(plane, (done, of) => process.stderr.write(`${done} of ${of} objects\n`));
    if (values.fill) {
      console.log(`export KUBECONFIG=${plane.kubeconfig}`);
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    } else measure(plane.kubeconfig);
  } finally {
    await plane.stop();
  }
}

function measure(kubeconfig: string): void {
  const rounds = Number(values.rounds);
  const work = mkdtempSync(join(tmpdir(), 'floe-bench-'));
  try {
    printCommands(work, rounds);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`\na cluster of ${SECRETS} Secrets, ${SECRETS} InfisicalSecrets and ${PODS} pods`);
  const commands = ['list', 'status', 'scan'].map(
    (command) => [command, [command, '-A', '--kubeconfig', kubeconfig]] as const,
  );
  printTimes(commands, rounds);
}
