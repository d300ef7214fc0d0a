/**
 * `npm run sops`: puts SOPS, built with go from its pinned release, into the cache, and prints where it is. Tests take
 * $SOPS, else the one on PATH, else this one; they never build it.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheDirectory, goPlatform, isExecutable } from './control-plane/binaries.ts';
import type { Environment } from './control-plane/binaries.ts';
import { NO_GO, goVersion } from './control-plane/go-build.ts';
import { install } from './control-plane/install.ts';

const SOPS_VERSION = '3.13.3';
export const BUILD_SOPS = 'npm run sops';

/** The program, or undefined where this machine has none. */
export function findSops(env: Environment = process.env): string | undefined {
  const onPath = (env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'sops'));
  return [env['SOPS'] ?? '', ...onPath, sopsIn(join(cacheDirectory(env), buildName())) ?? ''].find(
    (file) => file !== '' && isExecutable(file),
  );
}

function sopsIn(directory: string): string | undefined {
  const file = join(directory, 'sops');
  return existsSync(file) && isExecutable(file) ? file : undefined;
}

function buildName(): string {
  const { os, arch } = goPlatform();
  return `sops-${SOPS_VERSION}-${os}-${arch}`;
}

async function buildSops(env: Environment = process.env): Promise<string> {
  if ((await goVersion(env)) === undefined) throw new Error(NO_GO);
  const log = (line: string): void => void process.stderr.write(`sops: ${line}\n`);
  return install({ name: buildName(), env, log, fill, find: sopsIn });
}

/** Every key service that SOPS knows comes with it: some two minutes on two cores. */
async function fill(staging: string, scratch: string): Promise<void> {
  process.stderr.write(`sops: building ${SOPS_VERSION} from source: 2 to 4 minutes, once per machine\n`);
  const directories = { GOCACHE: join(scratch, 'cache'), GOTMPDIR: join(scratch, 'tmp'), GOBIN: staging };
  for (const directory of Object.values(directories)) mkdirSync(directory, { recursive: true });
  const module = `github.com/getsops/sops/v3/cmd/sops@v${SOPS_VERSION}`;
  await promisify(execFile)('go', ['install', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', module], {
    env: { ...process.env, ...directories, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' },
    maxBuffer: 10_000_000,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${findSops() ?? (await buildSops())}\n`);
}
