/** What tests need of a machine: whether it is there, why not, and what brings it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { findControlPlane } from '../tools/control-plane/assets.ts';
import { hasControllers } from '../tools/control-plane/binaries.ts';
import { clusterChoice } from '../tools/control-plane/cluster.ts';
import { BUILD_NODE, findNodePrograms, lackOf } from '../tools/control-plane/node-programs.ts';
import { findTool } from '../tools/control-plane/kubectl.ts';
import { BUILD_SOPS, findSops } from '../tools/sops.ts';

export const NEEDS = [
  'apiserver',
  'controllers',
  'node',
  'docker',
  'kubectl',
  'helm',
  'zsh',
  'fish',
  'age',
  'sops',
  'promtool',
] as const;
export type Need = (typeof NEEDS)[number];

export interface Want {
  readonly need: Need;
  readonly available: boolean;
  /** Why it is not there; empty where it is. */
  readonly reason: string;
  /** What a person types to have it. */
  readonly command: string;
}

/**
 * Whether this machine has what a test needs; for `describe.skipIf(!needs('apiserver'))`. Throws, and so fails the
 * file, where FLOE_TEST_REQUIRE names the need and it is not there.
 */
export function needs(need: Need): boolean {
  const { available, reason, command } = wantOf(need);
  if (available || !required().includes(need)) return available;
  throw new Error(`FLOE_TEST_REQUIRE asks for ${need}: ${reason}. Run: ${command}`);
}

const known = new Map<Need, Want>();

/** The whole answer to `needs`. */
export function wantOf(need: Need): Want {
  const answer = known.get(need) ?? LOOKS[need]();
  known.set(need, answer);
  return answer;
}

/** FLOE_TEST_REQUIRE, a comma list. Throws where it names something that no test can need. */
export function required(): readonly Need[] {
  const words = (process.env['FLOE_TEST_REQUIRE'] ?? '').split(',').map((word) => word.trim());
  return words
    .filter((word) => word !== '')
    .map((word) => {
      const need = NEEDS.find((name) => name === word);
      if (need !== undefined) return need;
      throw new Error(`FLOE_TEST_REQUIRE names '${word}'; it can be ${NEEDS.join(', ')}`);
    });
}

const BUILD = 'npm run control-plane -- build';

/** Only what is on the machine already: a test never builds or downloads a control plane. */
const controlPlane = await findControlPlane({ mayFetch: false, log: () => undefined }).then(
  (binaries) => ({ binaries, reason: '' }),
  (error: unknown) => ({
    binaries: undefined,
    reason: error instanceof Error ? error.message : String(error),
  }),
);

const nodePrograms = await findNodePrograms({ mayFetch: false, log: () => undefined }).then(
  () => ({ built: true, reason: '' }),
  (error: unknown) => ({ built: false, reason: error instanceof Error ? error.message : String(error) }),
);

const LOOKS: Readonly<Record<Need, () => Want>> = {
  apiserver: () => {
    // Somebody's own cluster, or one in Docker, takes the place of the one that is built here.
    if (clusterChoice() === 'existing') return want('apiserver', true, ['', '']);
    if (clusterChoice() === 'kind') return { ...wantOf('docker'), need: 'apiserver' };
    return want('apiserver', controlPlane.binaries !== undefined, [controlPlane.reason, BUILD]);
  },
  controllers: () => {
    const { binaries } = controlPlane;
    const alone = 'there is no kube-controller-manager beside the API server';
    const reason = binaries === undefined ? controlPlane.reason : alone;
    return want('controllers', binaries !== undefined && hasControllers(binaries), [reason, BUILD]);
  },
  // Pods that really run.
  node: () => {
    const choice = clusterChoice();
    if (choice === 'kind') return { ...wantOf('docker'), need: 'node' };
    if (choice !== 'auto' && choice !== 'node')
      return want('node', false, [`FLOE_TEST_CLUSTER is ${choice}`, 'FLOE_TEST_CLUSTER=node npm test']);
    const lack = lackOf();
    if (lack !== undefined) return want('node', false, [lack.reason, lack.command]);
    const controllers = wantOf('controllers');
    if (!controllers.available) return { ...controllers, need: 'node', command: BUILD_NODE };
    return want('node', nodePrograms.built, [nodePrograms.reason, BUILD_NODE]);
  },
  docker: () => want('docker', dockerAnswers(), ['no Docker daemon answers', 'start Docker']),
  kubectl: () => tool('kubectl'),
  helm: () => tool('helm'),
  zsh: () => distributed('zsh'),
  fish: () => distributed('fish'),
  age: () => distributed('age'),
  promtool: () => distributed('promtool', 'prometheus'),
  sops: () => want('sops', findSops() !== undefined, ['there is no sops on PATH', BUILD_SOPS]),
};

function want(need: Need, available: boolean, [reason, command]: readonly [string, string]): Want {
  return { need, available, reason: available ? '' : reason, command };
}

function tool(name: 'kubectl' | 'helm'): Want {
  const program = findTool(name);
  const reason = program.path === undefined ? program.reason : '';
  return want(name, program.path !== undefined, [reason, `install ${name}, or set ${name.toUpperCase()}`]);
}

/** A program that distributions have, by default under its own name. */
function distributed(name: 'zsh' | 'fish' | 'age' | 'promtool', within: string = name): Want {
  const { error } = spawnSync(name, ['--version'], { stdio: 'ignore' });
  return want(name, error === undefined, [`there is no ${name} on PATH`, `apt-get install -y ${within}`]);
}

function dockerAnswers(): boolean {
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
