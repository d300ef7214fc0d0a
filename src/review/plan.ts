/** What a pod asked for: entries, receiving containers, chain. Nothing here looks at what the pod carries. */
import type { EnvEntry, FileEntry, InjectEntry, Mistake, Parsed } from '../contract/grammar.ts';
import {
  parseContainers,
  parseEnv,
  parseFiles,
  parseInject,
  parseRequireKeys,
  splitEntries,
} from '../contract/grammar.ts';
import type { PendingChoice } from '../contract/keys.ts';
import { KEYS, PENDING_CHOICES } from '../contract/keys.ts';
import { label } from '../kube/object.ts';
import type { ContainerPlace } from '../kube/pod.ts';
import type { Plugin } from '../plugins/plugin.ts';
import type { Draft } from './findings.ts';
import { draft, excerpt, fieldOf, invalid, tooLong } from './findings.ts';
import type { Level, Wish } from './levels.ts';
import { nearestWish, requireKeysWishes } from './levels.ts';
import type { Injection } from './planned.ts';
import { plannedReferences, requiredKeyReferences } from './planned.ts';
import type { Policy } from './policy.ts';
import { readChain, unknownPlugin } from './policy.ts';
import { excessOf, receiversOf } from './receivers.ts';
import type { Group, Reference } from './references.ts';
import { groupsOf } from './references.ts';
import type { Settings } from './settings.ts';
import { volumePlansOf } from './volume-plan.ts';

export interface Plan extends Injection {
  readonly chain: readonly Plugin[];
  /** The chain's ids: 'infisical,k8s'. */
  readonly plugin: string;
  /** What becomes of the pod while its Secrets are still to come. */
  readonly pending: PendingChoice;
  /** Names of the Secrets to inject, in order, once each. */
  readonly secrets: readonly string[];
  /** The same as text, comma-separated. */
  readonly injected: string;
  /** The same Secrets with the references that the pod has once the plan is carried out. */
  readonly groups: readonly Group[];
  /** Mistakes that no later webhook can heal. */
  readonly findings: readonly Draft[];
  /** Containers that are named and not there; another webhook may still add them. */
  readonly absentContainers: readonly Draft[];
}

export function planOf(settings: Settings, policy: Policy, pod: unknown, levels: readonly Level[]): Plan {
  const reader = readerOf(settings, levels);
  const disabled = label(pod, KEYS.injection) === 'disabled';
  const asked = disabled ? NOTHING : readEntries(reader);
  const chosen = reader.read(KEYS.containers, parseContainers);
  const named = splitEntries(reader.wish(KEYS.containers)?.value ?? '').length > 0;
  const written = named && secretsOf(asked).length > 0;
  const receivers = receiversOf(settings, pod, written ? chosen : undefined);
  const excess = excessOf(asked.inject.length + asked.env.length + asked.files.length, receivers);
  const containers = excess === undefined ? receivers.containers.map(placeOf) : [];
  // Where no container receives anything, the pod gets nothing either: no volume, no name in `injected`.
  const { inject, env, files } = containers.length === 0 ? NOTHING : asked;
  const secrets = secretsOf({ inject, env, files });
  const requireKeys = requireKeysWishes(levels).flatMap((wish) =>
    reader.parse(KEYS.requireKeys, wish, parseRequireKeys),
  );
  const chain = chainOf(settings, policy, reader);
  const volumes = volumePlansOf(settings, pod, files, receivers.containers);
  const injection = { inject, env, volumes, requireKeys, containers };
  return {
    ...injection,
    chain,
    plugin: chainText(chain),
    pending: pendingOf(settings, reader),
    secrets,
    injected: secrets.join(','),
    groups: groupsOf(referencesOf(injection, secrets), secrets),
    findings: [
      ...reader.findings,
      ...(excess === undefined ? [] : [excess]),
      ...env.filter((entry) => entry.dotted).map(dotted),
      ...secrets.flatMap(misnamed),
    ],
    absentContainers: receivers.absent,
  };
}

function placeOf({ type, name, index, pointer }: ContainerPlace): ContainerPlace {
  return { type, name, index, pointer };
}

export function chainText(chain: readonly Plugin[]): string {
  return chain.map((plugin) => plugin.id).join(',');
}

/** Of the keys that must be there, those of other Secrets are the final pod's affair. */
function referencesOf(injection: Injection, secrets: readonly string[]): readonly Reference[] {
  const required = requiredKeyReferences(injection).filter(({ secret }) => secrets.includes(secret));
  return [...plannedReferences(injection), ...required];
}

interface Entries {
  readonly inject: readonly InjectEntry[];
  readonly env: readonly EnvEntry[];
  readonly files: readonly FileEntry[];
}

const NOTHING: Entries = { inject: [], env: [], files: [] };

function readEntries(reader: Reader): Entries {
  return {
    inject: reader.read(KEYS.inject, parseInject),
    env: reader.read(KEYS.env, parseEnv),
    files: reader.read(KEYS.files, parseFiles),
  };
}

function secretsOf({ inject, env, files }: Entries): readonly string[] {
  return [...new Set([...inject, ...env, ...files].map((entry) => entry.secret))];
}

interface Reader {
  readonly findings: Draft[];
  wish(key: string): Wish | undefined;
  read<T>(key: string, parse: (text: string) => Parsed<T>): readonly T[];
  parse<T>(key: string, wish: Wish, parse: (text: string) => Parsed<T>): readonly T[];
  /** False, with a finding, where the value is longer than it may be. */
  fits(key: string, wish: Wish): boolean;
}

function readerOf(settings: Settings, levels: readonly Level[]): Reader {
  const limit = settings.config.limits.annotationBytes;
  const findings: Draft[] = [];
  const fits = (key: string, wish: Wish): boolean => {
    if (Buffer.byteLength(wish.value) <= limit) return true;
    findings.push(tooLong(key, wish.level, limit));
    return false;
  };
  const parse = <T>(key: string, wish: Wish, parser: (text: string) => Parsed<T>): readonly T[] => {
    if (!fits(key, wish)) return [];
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
    fits,
  };
}

function mistakeIn(key: string, wish: Wish, { entry, position, why }: Mistake): Draft {
  return {
    ...invalid(
      `annotation ${key} of the ${wish.level}: entry ${position} ('${excerpt(entry)}') cannot be read: ${why}`,
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

/** The pod's choice out of the namespace's chain; without one, the chain itself. */
function chainOf(settings: Settings, policy: Policy, reader: Reader): readonly Plugin[] {
  const wish = reader.wish(KEYS.plugin);
  if (wish === undefined || wish.level === 'Namespace' || !reader.fits(KEYS.plugin, wish))
    return policy.chain;
  if (splitEntries(wish.value).length === 0) return policy.chain;
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

/** The nearest wish; an empty one asks for nothing, one that cannot be read is a finding and nothing else. */
function pendingOf(settings: Settings, reader: Reader): PendingChoice {
  const wish = reader.wish(KEYS.pending);
  if (wish === undefined) return settings.config.pending.default;
  if (wish.value === '' || !reader.fits(KEYS.pending, wish)) return 'deny';
  const choice = PENDING_CHOICES.find((one) => one === wish.value);
  if (choice !== undefined) return choice;
  reader.findings.push({
    ...invalid(`annotation ${KEYS.pending} of the ${wish.level} is '${wish.value.slice(0, 60)}'`),
    field: fieldOf(KEYS.pending),
    suggestion: `use one of ${PENDING_CHOICES.join(', ')}`,
  });
  return 'deny';
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
