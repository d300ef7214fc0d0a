/**
 * Every setting with its default, in one table of plain data: the schema, the flags, the environment's names and
 * the reference are made from it. It imports nothing heavy, so that `--help` stays quick.
 */
import { UPSTREAM_SETTINGS } from './upstream-settings.ts';

/** What a setting of a kind is once it is read. */
interface Kinds {
  readonly port: number;
  readonly count: number;
  /** Written `10s`, read as milliseconds. */
  readonly duration: number;
  readonly text: string;
  readonly switch: boolean;
  readonly list: readonly string[];
  /** `auto`, or a list. */
  readonly autoList: 'auto' | readonly string[];
  /** `auto`, or a file mode, written in octal digits. */
  readonly mode: 'auto' | number;
  /** Name to other names of the same thing. */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
}

/** One line of the table. The default stands as a person would write it in YAML. */
export interface Setting {
  readonly kind: keyof Kinds | 'choice';
  readonly default:
    boolean | number | string | readonly string[] | Readonly<Record<string, readonly string[]>>;
  /** Half a sentence for `--help` and the reference. */
  readonly about: string;
  /** What a `choice` may be. */
  readonly values?: readonly string[];
}

export interface Section {
  readonly [key: string]: Setting | Section;
}

const MODES = ['audit', 'warn', 'strict'] as const;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const SIDECARS = ['istio-proxy', 'linkerd-proxy', 'vault-agent', 'cloud-sql-proxy', 'daprd'];

export const SETTINGS = {
  server: {
    port: { kind: 'port', default: 8443, about: 'HTTPS port of /mutate and /validate' },
    opsPort: { kind: 'port', default: 8080, about: 'HTTP port of /healthz, /readyz and /metrics' },
    certDir: { kind: 'text', default: '', about: 'directory with tls.crt and tls.key' },
    drain: { kind: 'duration', default: '10s', about: 'how long to keep serving after SIGTERM' },
  },
  webhook: {
    clientCA: { kind: 'text', default: '', about: 'CA file; clients must then show a certificate of it' },
    workloads: { kind: 'choice', values: MODES, default: 'warn', about: 'how pod templates are judged' },
    name: {
      kind: 'text',
      default: 'floe-secrets-webhook',
      about: 'name of the Service and of both webhook configurations',
    },
    failClosed: {
      kind: 'switch',
      default: true,
      about: 'make the strict webhooks Fail once the API server reached a replica',
    },
  },
  plugins: {
    default: { kind: 'list', default: ['infisical', 'k8s'], about: 'plugin chain where nothing nearer says' },
    enabled: {
      kind: 'autoList',
      default: 'auto',
      about: 'plugins that run; auto: those whose CRDs are served',
    },
  },
  enforcement: {
    minimum: {
      kind: 'choice',
      values: MODES,
      default: 'audit',
      about: 'the laxest mode a namespace may have',
    },
    nativeUnmanaged: {
      kind: 'choice',
      values: ['allow', 'warn', 'deny'],
      default: 'allow',
      about: "a pod's own reference to a Secret that nothing syncs",
    },
    exempt: {
      namespaces: {
        kind: 'list',
        default: [],
        about: 'namespaces never judged, besides the built-in ones and its own',
      },
      usernames: { kind: 'list', default: [], about: 'users whose requests are never judged' },
    },
  },
  sync: {
    trustedNamespaces: {
      kind: 'list',
      default: [],
      about: "namespaces whose sync resources may target others, besides the operators' own",
    },
    pendingGrace: { kind: 'duration', default: '2m', about: 'how long a sync resource may have no status' },
  },
  injection: {
    skipContainers: { kind: 'list', default: SIDECARS, about: 'containers that get nothing unless named' },
  },
  files: {
    defaultMode: { kind: 'mode', default: 'auto', about: 'mode of injected files, such as "0440"' },
  },
  pending: {
    default: {
      kind: 'choice',
      values: ['deny', 'gate', 'gate-missing'],
      default: 'deny',
      about: 'what a Secret that is still to come means',
    },
    gateTimeout: { kind: 'duration', default: '10m', about: 'when a closed gate is reported as stuck' },
  },
  gates: {
    enabled: { kind: 'switch', default: true, about: 'open the scheduling gates of waiting pods' },
  },
  secrets: {
    access: { kind: 'choice', values: ['get', 'watch'], default: 'get', about: 'how Secrets are read' },
    cacheTtl: { kind: 'duration', default: '5s', about: 'how long a present Secret is believed' },
    cacheMax: { kind: 'count', default: 10_000, about: 'how many Secrets are remembered' },
  },
  limits: {
    secretsPerPod: { kind: 'count', default: 100, about: 'distinct Secrets of one pod' },
    annotationBytes: { kind: 'count', default: 16_384, about: 'length of one annotation' },
    refusalsPerSecond: {
      kind: 'count',
      default: 500,
      about: 'refusals with reasons that one unknown source may have; 0 is no bound',
    },
  },
  environments: {
    aliases: {
      kind: 'aliases',
      default: { prod: ['production'], dev: ['development'], staging: ['stage'] },
      about: 'names of one environment',
    },
  },
  controllers: {
    enabled: { kind: 'switch', default: true, about: 'stand for election, and run what the leader runs' },
  },
  reload: {
    enabled: { kind: 'switch', default: true, about: 'restart workloads whose Secrets changed' },
    strategy: {
      kind: 'choice',
      values: ['rollout', 'evict'],
      default: 'rollout',
      about: 'how workloads restart',
    },
    pollInterval: { kind: 'duration', default: '20s', about: 'how often Secrets in use are looked at' },
    qps: { kind: 'count', default: 20, about: 'API requests a second while looking' },
    quiet: { kind: 'duration', default: '10s', about: 'how long a Secret must rest before a restart' },
    cooldown: { kind: 'duration', default: '5m', about: 'between two restarts of one workload' },
    maxPerMinute: { kind: 'count', default: 20, about: 'restarts a minute' },
  },
  missedPods: {
    evict: { kind: 'switch', default: false, about: 'evict pods that missed their injection' },
  },
  policy: {
    index: {
      kind: 'switch',
      default: false,
      about: 'keep the ConfigMap of policy --index in each opted-in namespace',
    },
  },
  certificates: {
    mode: {
      kind: 'choice',
      values: ['self', 'cert-manager', 'files'],
      default: 'self',
      about: 'who issues the certificate; with a server.certDir, self is files',
    },
    caValidity: { kind: 'duration', default: '87600h', about: 'validity of the own CA' },
    leafValidity: { kind: 'duration', default: '2160h', about: 'validity of the serving certificate' },
    overlap: { kind: 'duration', default: '1h', about: 'how long a replaced CA stays in the caBundle' },
  },
  metrics: {
    maxSecrets: { kind: 'count', default: 2000, about: 'Secrets with metrics of their own' },
  },
  log: {
    level: { kind: 'choice', values: LEVELS, default: 'info', about: 'least severe log line written' },
  },
  upstream: UPSTREAM_SETTINGS,
  manifest: {
    kind: 'text',
    default: '',
    about: 'a floe manifest whose plugins.secrets gives plugins.default',
  },
} as const satisfies Section;

/** The value that a line or a section of the table stands for. */
type ValueOf<Line> = Line extends { readonly kind: 'choice'; readonly values: readonly (infer Choice)[] }
  ? Choice
  : Line extends { readonly kind: infer Kind extends keyof Kinds }
    ? Kinds[Kind]
    : { readonly [Key in keyof Line]: ValueOf<Line[Key]> };

/** The settings of one process: complete, checked, frozen. Durations are milliseconds. */
export type Config = ValueOf<typeof SETTINGS>;

/** One setting and its names. */
export interface NamedSetting {
  readonly setting: Setting;
  /** As in the file: `['server', 'opsPort']`. */
  readonly path: readonly string[];
  /** Without the dashes: `server-ops-port`. */
  readonly flag: string;
  /** `FLOE_SECRETS_SERVER_OPS_PORT`. */
  readonly env: string;
}

/** Read where it is there and no other is named. */
export const DEFAULT_CONFIG_FILE = '/etc/floe/secrets/config.yaml';
export const ENV_PREFIX = 'FLOE_SECRETS_';

/** Every setting of the table, in its order. */
export const ALL_SETTINGS: readonly NamedSetting[] = Object.freeze(flatten(SETTINGS, []));

/** Short forms of flags, from the contract's section 7. */
export const SHORT_FLAGS: Readonly<Record<string, string>> = {
  port: 'server-port',
  'ops-port': 'server-ops-port',
  'cert-dir': 'server-cert-dir',
};

export function isSetting(line: Setting | Section): line is Setting {
  return typeof line['kind'] === 'string';
}

function flatten(section: Section, above: readonly string[]): NamedSetting[] {
  return Object.entries(section).flatMap(([key, line]) => {
    const path = [...above, key];
    return isSetting(line) ? [named(line, path)] : flatten(line, path);
  });
}

function named(setting: Setting, path: readonly string[]): NamedSetting {
  const flag = path.map((key) => key.replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()).join('-');
  return { setting, path, flag, env: ENV_PREFIX + flag.replaceAll('-', '_').toUpperCase() };
}
