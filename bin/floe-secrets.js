#!/usr/bin/env node
// The bin file must run on whatever Node the machine has, so it is plain old JavaScript. Where that Node is
// too old for the program, it hands over to the pinned one that `npm ci` brought (see prepare.js).
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isNewEnough, findPinnedNode } from './node-version.js';

const program = fileURLToPath(new URL('../dist/cli.mjs', import.meta.url));

if (!existsSync(program)) {
  console.error('floe-secrets: dist/cli.mjs is missing. Run: npm run build');
  process.exit(1);
}

if (isNewEnough(process.versions.node)) {
  await import(program);
} else {
  handOver(findPinnedNode());
}

function handOver(node) {
  if (node === undefined) {
    console.error(`floe-secrets: Node ${process.versions.node} is too old; 22.22 or newer is needed.`);
    process.exit(1);
  }
  const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
