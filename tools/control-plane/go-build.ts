import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KUBERNETES_VERSION } from './binaries.ts';
import type { Environment } from './binaries.ts';
import { startGuarded } from './guarded-process.ts';
import type { Log } from './install.ts';

export const MODULE = fileURLToPath(new URL('go/', import.meta.url));
const REPORT_EVERY = 10_000;

export const NO_GO = 'there is no go on PATH (https://go.dev/dl, 1.26 or later)';

/** The version of the `go` on PATH, or undefined. */
export async function goVersion(env: Environment): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('go', ['env', 'GOVERSION'], { env: { ...env } });
    return stdout.trim();
  } catch {
    return undefined;
  }
}

export interface GoBuild {
  /** Where the programs go. */
  readonly staging: string;
  readonly scratch: string;
  readonly env: Environment;
  readonly log: Log;
  /** Directories of the Go module next to this file, with one program each. */
  readonly packages: readonly string[];
  /** The program's name; without it, each has its directory's. */
  readonly output?: string;
  /** A compiler's cache that other builds share; default: one of its own, in `scratch`. */
  readonly cache?: string | undefined;
}

/** Compiles parts of Kubernetes from the Go modules into `staging`. */
export async function goBuild(build: GoBuild): Promise<void> {
  const { staging, scratch, log, packages, output = '' } = build;
  const goEnv = ownCache(build);
  log(`building Kubernetes ${KUBERNETES_VERSION} from source: 5 to 10 minutes, once per machine`);
  const total = await countPackages(packages, goEnv, log);
  const started = Date.now();
  let compiled = 0;
  const report = setInterval(() => {
    log(`compiled ${compiled} of ${total} packages, ${Math.round((Date.now() - started) / 1000)} s`);
  }, REPORT_EVERY);
  const compiler = startGuarded({
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
      join(staging, output),
      ...packages,
    ],
    env: goEnv,
    // -v names each package on a line of its own once it is compiled.
    onOutput: (text) => (compiled += text.split('\n').length - 1),
  });
  const words = await compiler.ended;
  clearInterval(report);
  if (!compiler.succeeded())
    throw new Error(`${words}: ${compiler.log().trim().split('\n').slice(-3).join(' | ')}`);
  log(`built in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** The compiler's cache grows by 2.8 GB that nobody needs again; it goes with the scratch directory. */
function ownCache({ scratch, env, cache = join(scratch, 'cache') }: GoBuild): NodeJS.ProcessEnv {
  const directories = { GOCACHE: cache, GOTMPDIR: join(scratch, 'tmp') };
  for (const directory of Object.values(directories)) mkdirSync(directory, { recursive: true });
  return { ...env, ...directories, CGO_ENABLED: '0', GOWORK: 'off' };
}

/** Also what downloads the modules (91 MB), so that failing to shows before the build. */
async function countPackages(packages: readonly string[], env: NodeJS.ProcessEnv, log: Log): Promise<number> {
  log('fetching the Go modules');
  const { stdout } = await promisify(execFile)('go', ['list', '-C', MODULE, '-deps', ...packages], {
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
