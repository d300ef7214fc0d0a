/** What a namespace asks of its pods: the first step of every review. */
import { parseGlobs } from '../contract/globs.ts';
import { splitEntries } from '../contract/grammar.ts';
import type { Mode } from '../contract/keys.ts';
import { FLOE, KEYS, MODES } from '../contract/keys.ts';
import { nearest } from '../kube/nearest.ts';
import { parseDuration } from '../kube/duration.ts';
import type { KubeObject } from '../kube/object.ts';
import { annotation, label, nameOf } from '../kube/object.ts';
import type { Plugin } from '../plugins/plugin.ts';
import type { Draft } from './findings.ts';
import { invalid, tooLong } from './findings.ts';
import type { Settings } from './settings.ts';

export interface Policy {
  /** The namespace's name. */
  readonly namespace: string;
  readonly mode: Mode;
  /** The chain that pods get when they choose none. */
  readonly chain: readonly Plugin[];
  /** Whether pods may only choose from the chain: the namespace wrote it itself. */
  readonly bounded: boolean;
  readonly allowedSecrets?: readonly string[];
  readonly allowedProjects?: readonly string[];
  /** Milliseconds. */
  readonly maxSyncAge?: number;
  /** The namespace's environment, as it is written. */
  readonly environment?: string;
  readonly findings: readonly Draft[];
}

export function isOptedIn(namespace: KubeObject): boolean {
  return label(namespace.raw, KEYS.injection) === 'enabled';
}

export function policyOf(settings: Settings, namespace: KubeObject): Policy {
  const findings: Draft[] = [];
  const { raw } = namespace;
  const environment = label(raw, FLOE.environment);
  const limit = settings.config.limits.annotationBytes;
  const read = (key: string): string | undefined => readAnnotation(raw, key, limit, findings);
  const chain = read(KEYS.plugin);
  const allowedSecrets = globsOf(read(KEYS.allowedSecrets), KEYS.allowedSecrets, findings);
  const allowedProjects = globsOf(read(KEYS.allowedProjects), KEYS.allowedProjects, findings);
  const maxSyncAge = maxSyncAgeOf(read(KEYS.maxSyncAge), findings);
  return {
    namespace: nameOf(raw),
    mode: modeOf(settings, raw, findings),
    ...chainOf(settings, chain, findings),
    ...(allowedSecrets === undefined ? {} : { allowedSecrets }),
    ...(allowedProjects === undefined ? {} : { allowedProjects }),
    ...(maxSyncAge === undefined ? {} : { maxSyncAge }),
    ...(environment === undefined || environment === '' ? {} : { environment }),
    findings,
  };
}

/** The stricter of the namespace's label and the config's minimum. */
function modeOf(settings: Settings, raw: unknown, findings: Draft[]): Mode {
  const asked = readMode(label(raw, KEYS.enforcement), findings);
  const minimum = settings.config.enforcement.minimum;
  return MODES.indexOf(asked) >= MODES.indexOf(minimum) ? asked : minimum;
}

function readMode(written: string | undefined, findings: Draft[]): Mode {
  if (written === undefined) return 'strict';
  if (written === 'off') return 'audit';
  const mode = MODES.find((one) => one === written);
  if (mode !== undefined) return mode;
  findings.push({
    ...invalid(`label ${KEYS.enforcement} of the namespace is '${written}', which is read as 'strict'`),
    severity: 'warning',
    suggestion: `use one of ${MODES.join(', ')}`,
  });
  return 'strict';
}

function chainOf(
  settings: Settings,
  written: string | undefined,
  findings: Draft[],
): Pick<Policy, 'chain' | 'bounded'> {
  if (written === undefined || splitEntries(written).length === 0) {
    return { chain: readChain(settings, settings.config.plugins.default.join(',')).plugins, bounded: false };
  }
  const { plugins, unknown } = readChain(settings, written);
  for (const id of unknown)
    findings.push(unknownPlugin(settings, id, `annotation ${KEYS.plugin} of the namespace`));
  return { chain: plugins, bounded: true };
}

/** A comma list of plugin ids or aliases; ids that no running plugin has are `unknown`. */
export function readChain(
  settings: Settings,
  written: string,
): { readonly plugins: readonly Plugin[]; readonly unknown: readonly string[] } {
  const ids = splitEntries(written);
  const plugins = ids.map((id) => settings.plugins.get(id)).filter((plugin) => plugin !== undefined);
  return { plugins: [...new Set(plugins)], unknown: ids.filter((id) => !settings.plugins.has(id)) };
}

export function unknownPlugin(settings: Settings, id: string, where: string): Draft {
  const near = nearest(id, settings.plugins.keys());
  const known = settings.enabled.map((plugin) => plugin.id).join(', ');
  return {
    ...invalid(`${where} names the plugin '${id.slice(0, 60)}', which is not enabled`),
    field: `metadata.annotations[${KEYS.plugin}]`,
    suggestion: near === undefined ? `use one of ${known}` : `did you mean '${near}'?`,
  };
}

/** The annotation's text; one that is too long is a finding, and counts as empty. */
function readAnnotation(raw: unknown, key: string, limit: number, findings: Draft[]): string | undefined {
  const written = annotation(raw, key);
  if (written === undefined || Buffer.byteLength(written) <= limit) return written;
  findings.push(tooLong(key, 'namespace', limit));
  return '';
}

function globsOf(written: string | undefined, key: string, findings: Draft[]): readonly string[] | undefined {
  if (written === undefined) return undefined;
  const { globs, bad } = parseGlobs(written);
  if (bad !== undefined) {
    findings.push({
      ...invalid(
        `annotation ${key} of the namespace has an entry that cannot be read: '${bad.slice(0, 60)}'`,
      ),
      suggestion: 'write names, with * for any run of characters, between commas',
    });
  }
  return globs;
}

function maxSyncAgeOf(written: string | undefined, findings: Draft[]): number | undefined {
  if (written === undefined) return undefined;
  const age = parseDuration(written.trim());
  if (age === undefined) {
    findings.push({
      ...invalid(
        `annotation ${KEYS.maxSyncAge} of the namespace is '${written.slice(0, 60)}', which is no duration`,
      ),
      suggestion: "write a duration such as '15m'",
    });
  }
  return age;
}
