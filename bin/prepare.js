// Runs at the end of `npm ci` and `npm install`. Where the machine's own Node is new enough, the pinned Node's
// link is taken out of the way; where it is too old, everything that npm starts runs on the pinned one.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findPinnedNode, isNewEnough } from './node-version.js';

const root = fileURLToPath(new URL('..', import.meta.url));
// npm puts node_modules/.bin first in PATH, so process.versions may already be the pinned Node's.
const machine = /node\/v?(\S+)/.exec(process.env.npm_config_user_agent ?? '')?.[1] ?? process.versions.node;
const pinned = findPinnedNode();

if (isNewEnough(machine)) {
  for (const name of ['node', 'node.cmd', 'node.ps1'])
    rmSync(`${root}node_modules/.bin/${name}`, { force: true });
} else if (pinned === undefined) {
  console.error(
    `Node ${machine} is too old (22.22 or newer is needed), and no Node package fits ${process.platform}-${process.arch}.\n` +
      'Install Node 24, then run npm ci again. With --omit=optional, npm leaves the pinned Node out.',
  );
  process.exit(1);
} else {
  console.log(
    `Node ${machine} is older than 22.22: npm scripts and floe-secrets run on the Node in node_modules.`,
  );
}

// A production install has no bundler; there the built program is part of what was installed.
if (existsSync(`${root}node_modules/rolldown`)) {
  const node = isNewEnough(machine) ? process.execPath : pinned;
  const built = spawnSync(node, [`${root}tools/build.ts`], { stdio: 'inherit', cwd: root });
  process.exit(built.status ?? 1);
}
