import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findNodePrograms, lackOf, nodeBuildName } from '../../tools/control-plane/node-programs.ts';
import { nodeFiles } from '../../tools/control-plane/node-config.ts';
import { program, temporaryDirectory } from './temporary.ts';

const isRootOnLinux = process.platform === 'linux' && process.getuid?.() === 0;

describe("a node's programs", () => {
  it.runIf(isRootOnLinux)('are missed by their names, with the command that brings them', async () => {
    const bin = temporaryDirectory();
    for (const name of ['unshare', 'nsenter', 'ip', 'containerd', 'ctr']) program(join(bin, name));
    const lack = lackOf({ PATH: bin });
    expect(lack?.reason).toMatch(/^iptables, runc(, the CNI plug-ins)? not found$/);
    expect(lack?.command).toMatch(/^apt-get install .*containernetworking-plugins/);
    await expect(findNodePrograms({ env: { PATH: bin } })).rejects.toThrow(/iptables, runc/);
  });

  it('are kept under a name that says what they were made from', () => {
    expect(nodeBuildName()).toMatch(/^node-\d+\.\d+\.\d+-[a-z0-9]+-[a-z0-9]+-[0-9a-f]{12}$/);
  });
});

describe("a node's files", () => {
  const files = nodeFiles({
    directory: '/tmp/run-1',
    cni: '/usr/lib/cni',
    controlGroup: 'run-1',
    snapshotter: 'overlayfs',
  });

  it('name nothing outside of the run but what the sandbox has of its own', () => {
    const paths = Object.values(files)
      .flatMap((text) => [...text.matchAll(/"(?:unix:\/\/)?(\/[^"]*)"/g)])
      .map((match) => match[1] ?? '');
    const foreign = paths.filter(
      (path) => !/^\/(tmp\/run-1|run-1$|run\/containerd|usr\/lib\/cni)/.test(path),
    );
    expect(foreign).toEqual([]);
    expect(paths.length).toBeGreaterThan(8);
  });

  it("ask for no setting that is the whole machine's", () => {
    expect(JSON.parse(files['kube-proxy.json'] ?? '')).toMatchObject({
      conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    });
    expect(JSON.parse(files['kubelet.json'] ?? '')).toMatchObject({ cgroupRoot: '/run-1', resolvConf: '' });
  });
});
