import { GenericContainer, Wait } from 'testcontainers';
import type { StartedTestContainer } from 'testcontainers';
import { fillCniTemplate, kubeadmConfig, withServer } from './kind-config.ts';

const API_PORT = 6443;
const NODE_NAME = 'floe-control-plane';
const ADMIN = '/etc/kubernetes/admin.conf';
const ARCHIVE = '/kind/image.tar';
const BOOTED = /Reached target .*Multi-User System.*|Reached target multi-user\.target|detected cgroup v1/;

/** A kind node as a test container; what `kind create cluster` does, without kind. */
class KindContainer extends GenericContainer {
  constructor(image: string) {
    super(image);
    // Docker knows it, the types do not.
    Object.assign(this.hostConfig, { CgroupnsMode: 'private' });
    this.createOpts.Tty = true;
    // Containers in containers: an overlay file system cannot lie on another one.
    this.createOpts.Volumes = { '/var': {} };
    this.withPrivilegedMode()
      .withSecurityOpt('seccomp=unconfined', 'apparmor=unconfined')
      .withTmpFs({ '/tmp': '', '/run': '' })
      .withBindMounts([{ source: '/lib/modules', target: '/lib/modules', mode: 'ro' }])
      .withEnvironment({ KUBECONFIG: ADMIN })
      .withExposedPorts(API_PORT)
      .withWaitStrategy(Wait.forLogMessage(BOOTED))
      .withStartupTimeout(120_000);
  }
}

export interface KindNode {
  readonly kubeconfig: string;
  /** The address by which the node reaches the machine that Docker runs on. */
  readonly gateway: string;
  exec(command: readonly string[]): Promise<string>;
  loadImage(archive: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startKindContainer(image: string): Promise<KindNode> {
  const container = await new KindContainer(image).start();
  const exec = (command: readonly string[]): Promise<string> => run(container, command);
  try {
    await bootstrap(container, exec);
    const server = `https://${container.getHost()}:${container.getMappedPort(API_PORT)}`;
    const kubeconfig = withServer(await exec(['cat', ADMIN]), server);
    const gateway = (await exec(['sh', '-c', "ip route show default | cut -d' ' -f3"])).trim();
    return {
      kubeconfig,
      gateway,
      exec,
      loadImage: async (source) => {
        await container.copyFilesToContainer([{ source, target: ARCHIVE }]);
        await exec(['ctr', '--namespace=k8s.io', 'images', 'import', ARCHIVE]);
      },
      stop: async () => void (await container.stop()),
    };
  } catch (error) {
    await container.stop();
    throw error;
  }
}

async function bootstrap(container: StartedTestContainer, exec: KindNode['exec']): Promise<void> {
  const names = ['localhost', '127.0.0.1', container.getHost()];
  const config = { content: kubeadmConfig(NODE_NAME, names), target: '/kind/kubeadm.conf' };
  await container.copyContentToContainer([config]);
  const init = [
    'kubeadm',
    'init',
    '--config=/kind/kubeadm.conf',
    '--skip-phases=preflight',
    '--skip-token-print',
  ];
  await exec(init);
  const content = fillCniTemplate(await exec(['cat', '/kind/manifests/default-cni.yaml']));
  await container.copyContentToContainer([{ content, target: '/kind/cni.yaml' }]);
  await exec(['kubectl', 'apply', '-f', '/kind/cni.yaml']);
  // The only node is a control plane node, where pods are not put unless told so.
  await exec(['kubectl', 'taint', 'nodes', '--all', 'node-role.kubernetes.io/control-plane-']);
  await exec(['kubectl', 'wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=120s']);
}

async function run(container: StartedTestContainer, command: readonly string[]): Promise<string> {
  const { exitCode, stdout, output } = await container.exec([...command]);
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: exit code ${exitCode}\n${output.slice(-2000)}`);
  return stdout;
}
