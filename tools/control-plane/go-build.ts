import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KUBERNETES_VERSION } from './binaries.ts';
import type { Environment } from './binaries.ts';
import { startGuarded } from './guarded-process.ts';
import type { Log } from './install.ts';

const MODULE = fileURLToPath(new URL('go/', import.meta.url));
const REPORT_EVERY = 10_000;

/** The version of the `go` on PATH, or undefined. */
export async function goVersion(env: Environment): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('go', ['env', 'GOVERSION'], { env: { ...env } });
    return stdout.trim();
  } catch {
    return undefined;
  }
}

/** Compiles the control plane from the Go modules into `staging`. */
export async function goBuild(staging: string, scratch: string, env: Environment, log: Log): Promise<void> {
  const goEnv = ownCache(scratch, env);
  log(`building Kubernetes ${KUBERNETES_VERSION} from source: 5 to 10 minutes, once per machine`);
  const total = await countPackages(goEnv, log);
  const started = Date.now();
  let compiled = 0;
  const report = setInterval(() => {
    log(`compiled ${compiled} of ${total} packages, ${Math.round((Date.now() - started) / 1000)} s`);
  }, REPORT_EVERY);
  const file = join(staging, 'controlplane');
  const build = startGuarded({
    name: 'go',
    directory: scratch,
    file: 'go',
    args: [
      'build',
      '-C',
      MODULE,
      '-v',
      '-trimpath',
      '-buildvcs=false',
      '-ldflags',
      linkFlags(),
      '-o',
      file,
      '.',
    ],
    env: goEnv,
    // -v names each package on a line of its own once it is compiled.
    onOutput: (text) => (compiled += text.split('\n').length - 1),
  });
  const words = await build.ended;
  clearInterval(report);
  if (!build.succeeded())
    throw new Error(`${words}: ${build.log().trim().split('\n').slice(-3).join(' | ')}`);
  log(`built in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** The compiler's cache grows by 2.8 GB that nobody needs again; it goes with the scratch directory. */
function ownCache(scratch: string, env: Environment): NodeJS.ProcessEnv {
  const directories = { GOCACHE: join(scratch, 'cache'), GOTMPDIR: join(scratch, 'tmp') };
  for (const directory of Object.values(directories)) mkdirSync(directory, { recursive: true });
  return { ...env, ...directories, CGO_ENABLED: '0', GOWORK: 'off' };
}

/** Also what downloads the modules (91 MB), so that failing to shows before the build. */
async function countPackages(env: NodeJS.ProcessEnv, log: Log): Promise<number> {
  log('fetching the Go modules');
  const { stdout } = await promisify(execFile)('go', ['list', '-C', MODULE, '-deps', '.'], {
    env,
    maxBuffer: 10_000_000,
  });
  return stdout.trim().split('\n').length;
}

function linkFlags(): string {
  const variables = 'k8s.io/component-base/version';
  const [major, minor] = KUBERNETES_VERSION.split('.');
  return [
    '-s -w',
    `-X ${variables}.gitVersion=v${KUBERNETES_VERSION}`,
    `-X ${variables}.gitMajor=${major}`,
    `-X ${variables}.gitMinor=${minor}`,
  ].join(' ');
}
