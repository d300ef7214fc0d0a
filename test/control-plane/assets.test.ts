import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildName, ControlPlaneNotFound, findControlPlane } from '../../tools/control-plane/assets.ts';
import type { FindOptions } from '../../tools/control-plane/assets.ts';
import { ChecksumMismatch, archiveFor } from '../../tools/control-plane/download.ts';
import type { Archive } from '../../tools/control-plane/download.ts';
import { program, temporaryDirectory } from './temporary.ts';

interface Machine {
  readonly cache: string;
  readonly log: string[];
  readonly options: FindOptions & { readonly env: Record<string, string> };
}

/** A machine on which there is nothing: no cache, no store, no go. */
function bareMachine(): Machine {
  const home = temporaryDirectory();
  const log: string[] = [];
  const env = { XDG_CACHE_HOME: home, XDG_DATA_HOME: home, PATH: '/nowhere' };
  return {
    cache: join(home, 'floe-control-plane'),
    log,
    options: { env, log: (line) => log.push(line), archive: undefined },
  };
}

/** A server with one archive as envtest publishes it. */
async function publish(answer: (archive: Buffer) => Buffer | undefined): Promise<Archive> {
  const directory = temporaryDirectory();
  for (const name of ['etcd', 'kube-apiserver', 'kubectl']) {
    program(join(directory, 'controller-tools/envtest', name), `echo ${name}`);
  }
  const bytes = execFileSync('tar', ['-czf', '-', '-C', directory, 'controller-tools']);
  const server = createServer((_request, response) => {
    const body = answer(bytes);
    response.writeHead(body === undefined ? 503 : 200).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const sha512 = createHash('sha512').update(bytes).digest('hex');
  return { version: '9.9.9', url: `http://127.0.0.1:${port}/envtest.tar.gz`, sha512 };
}

async function reasonsOf(options: FindOptions): Promise<readonly string[]> {
  try {
    await findControlPlane(options);
  } catch (error) {
    if (error instanceof ControlPlaneNotFound) return error.reasons;
    throw error;
  }
  throw new Error('found one');
}

const leftovers = (cache: string): string[] =>
  readdirSync(cache).filter((name) => !/^(envtest-)?\d/.test(name));

describe('what is on the machine', () => {
  it('takes KUBEBUILDER_ASSETS before anything else', async () => {
    const { cache, options } = bareMachine();
    program(join(cache, buildName(), 'controlplane'));
    const directory = temporaryDirectory();
    const etcd = program(join(directory, 'etcd'));
    const apiServer = program(join(directory, 'kube-apiserver'));
    const env = { ...options.env, KUBEBUILDER_ASSETS: directory };
    const found = await findControlPlane({ ...options, env, controllers: false });
    expect(found).toEqual({ layout: 'separate', etcd, apiServer });
  });

  it('ends at a KUBEBUILDER_ASSETS that lacks a program', async () => {
    const { options } = bareMachine();
    const directory = temporaryDirectory();
    program(join(directory, 'etcd'));
    const env = { ...options.env, KUBEBUILDER_ASSETS: directory };
    await expect(findControlPlane({ ...options, env })).rejects.toThrow(/lacks etcd or kube-apiserver/);
  });

  it('goes on where KUBEBUILDER_ASSETS has no controllers and they are wanted', async () => {
    const { cache, options } = bareMachine();
    const controlPlane = program(join(cache, buildName(), 'controlplane'));
    const directory = temporaryDirectory();
    for (const name of ['etcd', 'kube-apiserver']) program(join(directory, name));
    const env = { ...options.env, KUBEBUILDER_ASSETS: directory };
    const found = await findControlPlane({ ...options, env, controllers: true });
    expect(found).toEqual({ layout: 'one', controlPlane });
  });

  it.skipIf(process.platform === 'darwin')('finds the newest of the setup-envtest store', async () => {
    const { options } = bareMachine();
    const platform = buildName().replace(/^[\d.]+-/, '');
    for (const version of ['1.9.0', '1.36.2', '1.35.0']) {
      const directory = join(
        options.env['XDG_DATA_HOME'] ?? '',
        'kubebuilder-envtest/k8s',
        `${version}-${platform}`,
      );
      for (const name of ['etcd', 'kube-apiserver']) program(join(directory, name));
    }
    const found = await findControlPlane({ ...options, controllers: false });
    expect(found).toMatchObject({ apiServer: expect.stringContaining(`1.36.2-${platform}`) });
  });
});

describe('when nothing is found', () => {
  it('lists each step with its reason', async () => {
    const { options } = bareMachine();
    expect(await reasonsOf({ ...options, controllers: false })).toEqual([
      'KUBEBUILDER_ASSETS is not set',
      expect.stringMatching(/^\/.*: not there, or incomplete$/),
      expect.stringMatching(/^download: no archive with a pinned sum for /),
      expect.stringMatching(/: nothing for /),
      expect.stringMatching(/^build: there is no go on PATH/),
    ]);
  });

  it('fetches nothing where that is not wanted, and says what would', async () => {
    const archive = await publish(() => {
      throw new Error('asked');
    });
    const { options } = bareMachine();
    const reasons = await reasonsOf({ ...options, archive, controllers: false, mayFetch: false });
    expect(reasons.at(-1)).toContain('npm run control-plane -- build');
  });

  it('refuses an unknown way', async () => {
    const { options } = bareMachine();
    const env = { ...options.env, FLOE_TEST_CONTROL_PLANE: 'brew' };
    await expect(findControlPlane({ ...options, env })).rejects.toThrow("it can be 'build' or 'download'");
  });
});

describe('the download', () => {
  it('installs an archive whose sum is right, once', async () => {
    let asked = 0;
    const archive = await publish((bytes) => {
      asked += 1;
      return bytes;
    });
    const { cache, options } = bareMachine();
    const search = { ...options, archive, controllers: false };
    const all = await Promise.all([findControlPlane(search), findControlPlane(search)]);
    expect(all[0]).toEqual(await findControlPlane(search));
    expect(all[1]).toEqual(all[0]);
    expect(asked).toBe(1);
    if (all[0].layout !== 'separate') throw new Error('one program');
    expect(execFileSync(all[0].etcd, { encoding: 'utf8' })).toBe('etcd\n');
    expect(leftovers(cache)).toEqual([]);
  });

  it('ends the search at a sum that is wrong, and leaves nothing', async () => {
    const archive = await publish(() => Buffer.from('something else'));
    const { cache, options } = bareMachine();
    const search = findControlPlane({ ...options, archive, controllers: false });
    await expect(search).rejects.toThrow(ChecksumMismatch);
    await expect(search).rejects.toThrow(/checksum mismatch for .*\(computed\) != .*\(expected\)/);
    expect(readdirSync(cache)).toEqual([]);
  });

  it('is one more reason when the server does not give it', async () => {
    const archive = await publish(() => undefined);
    const { options } = bareMachine();
    const reasons = await reasonsOf({ ...options, archive, controllers: false });
    expect(reasons).toContain(`download: ${archive.url} answered 503`);
  });

  it('is not tried for controllers, which no archive has', async () => {
    const archive = await publish((bytes) => bytes);
    const { options } = bareMachine();
    expect(await reasonsOf({ ...options, archive, controllers: true })).toContain(
      'download: the published archives hold no kube-controller-manager',
    );
    expect(await findControlPlane({ ...options, archive })).toMatchObject({ layout: 'separate' });
  });

  it('has a pinned sum for the platforms people use', () => {
    for (const platform of ['linux-amd64', 'linux-arm64', 'darwin-amd64', 'darwin-arm64']) {
      const [os = '', arch = ''] = platform.split('-');
      expect(archiveFor({ os, arch })?.sha512).toMatch(/^[0-9a-f]{128}$/);
    }
    expect(archiveFor({ os: 'plan9', arch: 'amd64' })).toBeUndefined();
  });
});

describe('the build', () => {
  function withGo(machine: Machine, build: string): FindOptions {
    const bin = temporaryDirectory();
    program(join(bin, 'go'), `case $1 in env) echo go1.26.0;; list) echo a; echo b;; build) ${build};; esac`);
    return {
      ...machine.options,
      env: { ...machine.options.env, PATH: `${bin}:/usr/bin:/bin` },
      controllers: true,
    };
  }

  it('installs what go makes, says how far it is, and deletes its cache', async () => {
    const machine = bareMachine();
    // The compiler's cache is the build's own; its path is kept in the program to be looked at.
    const options = withGo(
      machine,
      'shift 8; echo "echo $GOCACHE" > "$2"; chmod +x "$2"; echo a >&2; touch "$GOCACHE/x"',
    );
    const found = await findControlPlane(options);
    if (found.layout !== 'one') throw new Error('not one program');
    expect(readFileSync(found.controlPlane, 'utf8')).toContain(machine.cache);
    expect(machine.log.join('\n')).toMatch(/once per machine[\s\S]*built in \d+ s/);
    expect(readdirSync(machine.cache)).toEqual([buildName()]);
  });

  it('is one more reason when it fails, with the last words of the compiler', async () => {
    const machine = bareMachine();
    const reasons = await reasonsOf(withGo(machine, 'echo "no space left on device" >&2; exit 1'));
    expect(reasons.at(-1)).toBe('build: go ended with code 1: no space left on device');
    expect(readdirSync(machine.cache)).toEqual([]);
  });
});
