/** What a pod asked for: entries, receiving containers, chain. Nothing here looks at what the pod carries. */
import { createHash } from 'node:crypto';
import type {
  ContainerEntry,
  EnvEntry,
  FileEntry,
  InjectEntry,
  KeyEntry,
  Mistake,
  Parsed,
} from '../contract/grammar.ts';
import {
  parseContainers,
  parseEnv,
  parseFiles,
  parseInject,
  parseRequireKeys,
  splitEntries,
} from '../contract/grammar.ts';
import { KEYS, PENDING_CHOICES } from '../contract/keys.ts';
import { dig } from '../kube/json.ts';
import { label } from '../kube/object.ts';
import type { Container } from '../kube/pod.ts';
import { containersOfType, isWindows } from '../kube/pod.ts';
import type { Plugin } from '../plugins/plugin.ts';
import type { Draft } from './findings.ts';
import { draft, invalid } from './findings.ts';
import type { Level, Wish } from './levels.ts';
import { nearestWish, requireKeysWishes } from './levels.ts';
import type { Policy } from './policy.ts';
import { readChain, unknownPlugin } from './policy.ts';
import type { Settings } from './settings.ts';

/** One projected volume: every file entry of one directory. */
export interface VolumePlan {
  readonly name: string;
  readonly directory: string;
  readonly files: readonly FileEntry[];
  /** Absent on Windows, where files have no modes. */
  readonly defaultMode?: number;
}

export interface Plan {
  readonly chain: readonly Plugin[];
  readonly inject: readonly InjectEntry[];
  readonly env: readonly EnvEntry[];
  readonly volumes: readonly VolumePlan[];
  readonly requireKeys: readonly KeyEntry[];
  /** The containers that receive the entries. */
  readonly containers: readonly Container[];
  /** Names of the Secrets to inject, in order, once each. */
  readonly secrets: readonly string[];
  /** Mistakes that no later webhook can heal. */
  readonly findings: readonly Draft[];
  /** Containers that are named and not there; another webhook may still add them. */
  readonly absentContainers: readonly Draft[];
}

export function planOf(settings: Settings, policy: Policy, pod: unknown, levels: readonly Level[]): Plan {
  const reader = readerOf(settings, levels);
  const disabled = label(pod, KEYS.injection) === 'disabled';
  const inject = disabled ? [] : reader.read(KEYS.inject, parseInject);
  const env = disabled ? [] : reader.read(KEYS.env, parseEnv);
  const files = disabled ? [] : reader.read(KEYS.files, parseFiles);
  const secrets = [...new Set([...inject, ...env, ...files].map((entry) => entry.secret))];
  const asks = secrets.length > 0 && reader.wish(KEYS.containers) !== undefined;
  const chosen = reader.read(KEYS.containers, parseContainers);
  const { containers, absent } = receivers(
    settings,
    pod,
    chosen,
    asks && reader.wish(KEYS.containers)?.value.trim() !== '',
  );
  const requireKeys = requireKeysWishes(levels).flatMap((wish) =>
    reader.parse(KEYS.requireKeys, wish, parseRequireKeys),
  );
  const chain = chainOf(settings, policy, reader);
  checkPending(reader);
  return {
    chain,
    inject,
    env,
    volumes: volumesOf(settings, pod, files, containers),
    requireKeys,
    containers,
    secrets,
    findings: [
      ...reader.findings,
      ...env.filter((entry) => entry.dotted).map(dotted),
      ...secrets.flatMap(misnamed),
    ],
    absentContainers: absent,
  };
}

interface Reader {
  readonly findings: Draft[];
  wish(key: string): Wish | undefined;
  read<T>(key: string, parse: (text: string) => Parsed<T>): readonly T[];
  parse<T>(key: string, wish: Wish, parse: (text: string) => Parsed<T>): readonly T[];
}

function readerOf(settings: Settings, levels: readonly Level[]): Reader {
  const limit = settings.config.limits.annotationBytes;
  const findings: Draft[] = [];
  const parse = <T>(key: string, wish: Wish, parser: (text: string) => Parsed<T>): readonly T[] => {
    if (Buffer.byteLength(wish.value) > limit) {
      findings.push({
        ...invalid(`annotation ${key} of the ${wish.level} is longer than ${limit} bytes`),
        field: fieldOf(key),
        suggestion: 'shorten it, or raise limits.annotationBytes',
      });
      return [];
    }
    const { entries, mistakes } = parser(wish.value);
    findings.push(...mistakes.map((mistake) => mistakeIn(key, wish, mistake)));
    return entries;
  };
  const wish = (key: string): Wish | undefined => nearestWish(levels, key);
  return {
    findings,
    wish,
    read: (key, parser) => {
      const found = wish(key);
      return found === undefined ? [] : parse(key, found, parser);
    },
    parse,
  };
}

function mistakeIn(key: string, wish: Wish, { entry, position, why }: Mistake): Draft {
  const shown = entry.length > 60 ? `${entry.slice(0, 59)}…` : entry;
  return {
    ...invalid(
      `annotation ${key} of the ${wish.level}: entry ${position} ('${shown}') cannot be read: ${why}`,
    ),
    field: fieldOf(key),
    suggestion: FORMS[key] ?? 'correct the entry',
  };
}

const FORMS: Readonly<Record<string, string>> = {
  [KEYS.inject]: 'write [PREFIX=]secret[?]',
  [KEYS.env]: 'write [NAME=]secret[/key][?]',
  [KEYS.files]: 'write [/dir=]secret[/key][?]',
  [KEYS.requireKeys]: 'write secret/KEY',
  [KEYS.containers]: "write container names, '*', 'init:name' or 'init:*'",
};

function fieldOf(key: string): string {
  return `metadata.annotations[${key}]`;
}

/** The pod's choice out of the namespace's chain; without one, the chain itself. */
function chainOf(settings: Settings, policy: Policy, reader: Reader): readonly Plugin[] {
  const wish = reader.wish(KEYS.plugin);
  if (wish === undefined || wish.level === 'Namespace' || splitEntries(wish.value).length === 0)
    return policy.chain;
  const { plugins, unknown } = readChain(settings, wish.value);
  for (const id of unknown) {
    reader.findings.push(unknownPlugin(settings, id, `annotation ${KEYS.plugin} of the ${wish.level}`));
  }
  for (const plugin of policy.bounded ? plugins.filter((one) => !policy.chain.includes(one)) : []) {
    const allowed = policy.chain.map((one) => one.id).join(', ');
    reader.findings.push(
      draft(
        'FLOE-E810',
        `annotation ${KEYS.plugin} of the ${wish.level} chooses '${plugin.id}', which this namespace does not allow`,
        {
          field: fieldOf(KEYS.plugin),
          suggestion: `choose out of ${allowed === '' ? 'nothing' : allowed}`,
        },
      ),
    );
  }
  return plugins;
}

function checkPending(reader: Reader): void {
  const wish = reader.wish(KEYS.pending);
  if (wish === undefined || wish.value === '' || PENDING_CHOICES.some((choice) => choice === wish.value))
    return;
  reader.findings.push({
    ...invalid(`annotation ${KEYS.pending} of the ${wish.level} is '${wish.value.slice(0, 60)}'`),
    field: fieldOf(KEYS.pending),
    suggestion: `use one of ${PENDING_CHOICES.join(', ')}`,
  });
}

function receivers(
  settings: Settings,
  pod: unknown,
  chosen: readonly ContainerEntry[],
  written: boolean,
): { readonly containers: readonly Container[]; readonly absent: readonly Draft[] } {
  const regular = containersOfType(pod, 'container');
  if (!written)
    return { containers: regular.filter(({ name }) => !settings.skipContainers.has(name)), absent: [] };
  const init = containersOfType(pod, 'init');
  const picked = new Set<Container>();
  const absent: Draft[] = [];
  for (const entry of chosen) {
    const found = (entry.init ? init : regular).filter(
      ({ name }) => entry.name === '*' || entry.name === name,
    );
    found.forEach((container) => picked.add(container));
    if (found.length === 0 && entry.name !== '*')
      absent.push(noSuchContainer(entry, entry.init ? init : regular));
  }
  return { containers: [...init, ...regular].filter((container) => picked.has(container)), absent };
}

function noSuchContainer(entry: ContainerEntry, there: readonly Container[]): Draft {
  const kind = entry.init ? 'init container' : 'container';
  const names = there.map(({ name }) => `'${name}'`).join(', ');
  return {
    ...invalid(
      `annotation ${KEYS.containers} names the ${kind} '${entry.name}'${entry.init ? ` (init:${entry.name})` : ''}, which this pod does not have`,
    ),
    field: fieldOf(KEYS.containers),
    suggestion: names === '' ? `the pod has no ${kind}s` : `its ${kind}s are ${names}`,
  };
}

function volumesOf(
  settings: Settings,
  pod: unknown,
  files: readonly FileEntry[],
  containers: readonly Container[],
): readonly VolumePlan[] {
  const mode = files.length === 0 ? undefined : fileMode(settings, pod, containers);
  const byDirectory = Map.groupBy(files, (entry) => entry.directory);
  return [...byDirectory].map(([directory, entries]) => ({
    name: `floe-${createHash('sha256').update(directory).digest('hex').slice(0, 10)}`,
    directory,
    files: entries,
    ...(mode === undefined ? {} : { defaultMode: mode }),
  }));
}

/** As narrow as the receiving processes can still read: by group, by root alone, else by all. */
function fileMode(settings: Settings, pod: unknown, containers: readonly Container[]): number | undefined {
  if (isWindows(pod)) return undefined;
  const configured = settings.config.files.defaultMode;
  if (configured !== 'auto') return configured;
  if (typeof dig(pod, 'spec', 'securityContext', 'fsGroup') === 'number') return 0o440;
  const podUser = dig(pod, 'spec', 'securityContext', 'runAsUser');
  const root = ({ raw }: Container): boolean => (dig(raw, 'securityContext', 'runAsUser') ?? podUser) === 0;
  return containers.length > 0 && containers.every(root) ? 0o400 : 0o444;
}

function dotted(entry: EnvEntry): Draft {
  return draft(
    'FLOE-E813',
    `the default variable name of '${entry.secret}/${entry.key}' would have a '.'; it is ${entry.name}`,
    {
      secret: entry.secret,
      field: fieldOf(KEYS.env),
      suggestion: `name it: ${entry.name}=${entry.secret}/${entry.key}`,
    },
  );
}

/** floe's manifest takes names of lower case letters, digits and '-'; of what Kubernetes allows, only a dot breaks it. */
function misnamed(secret: string): readonly Draft[] {
  if (!secret.includes('.')) return [];
  return [
    draft('FLOE-E830', `Secret name '${secret}' has a '.', which floe's manifests cannot refer to`, {
      secret,
      suggestion: `name it '${secret.replaceAll('.', '-')}'`,
    }),
  ];
}
