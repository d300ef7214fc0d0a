/**
 * What `doctor` examines: an installation from outside, with the rights of whoever asks. What may not be read is
 * unknown, and says which permission is missing.
 */
import { parse } from 'yaml';
import type { Config } from '../config/config.ts';
import { FILE_SCHEMA, defaultConfig, frozenConfig } from '../config/config.ts';
import type { Json, JsonObject } from '../kube/json.ts';
import { dig, text } from '../kube/json.ts';
import type { ResourceKind } from '../kube/object.ts';
import { CONFIG_MAP } from '../kube/object.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { failureOf } from './failure.ts';
import { whereInstead } from './find-installation.ts';
import { collectionPath, objectPath } from './paths.ts';

export interface Finding {
  /** What was looked at: 'certificates'. */
  readonly check: string;
  readonly outcome: 'ok' | 'warning' | 'failed' | 'unknown';
  readonly message: string;
  /** What to type or to change. */
  readonly fix?: string;
}

/** What checks are given. */
export interface Patient {
  readonly client: Client;
  readonly namespace: string;
  /** The installation's name. */
  readonly name: string;
  /** As the installation's ConfigMap says it. */
  readonly config: Config;
  /** The version of this program. */
  readonly version: string;
  readonly now: number;
  /** One object, or why there is none. */
  read(kind: ResourceKind, name: string, namespace?: string): Promise<Reading<JsonObject>>;
  list(kind: ResourceKind, namespace?: string, query?: string): Promise<Reading<readonly Json[]>>;
}

export type Reading<T> =
  | { readonly state: 'read'; readonly value: T }
  | { readonly state: 'absent' }
  | { readonly state: 'failed'; readonly why: string };

/** Whose readings checks are given. */
export type Installation = Pick<Patient, 'client' | 'namespace' | 'name' | 'version' | 'now'>;

/** Reads the installation's settings, and what they say of it. */
export async function admitPatient(
  installation: Installation,
): Promise<{ readonly patient: Patient; readonly findings: readonly Finding[] }> {
  const reader = readerOf(installation.client, installation.namespace);
  const settings = await reader.read(CONFIG_MAP, installation.name);
  const { config, findings } =
    settings.state === 'absent' ? await withoutSettings(installation) : configIn(settings, installation);
  return { patient: { ...installation, ...reader, config }, findings };
}

function readerOf(client: Client, home: string): Pick<Patient, 'read' | 'list'> {
  return {
    read: async (kind, name, namespace = home) => {
      const path = objectPath(kind, namespace, name);
      if (path === undefined) return { state: 'absent' };
      return attempt(async () => client.get(path), { verb: 'get', kind, namespace });
    },
    list: async (kind, namespace, query = '') => {
      const all = async (): Promise<readonly Json[]> => {
        const items: Json[] = [];
        for await (const page of client.list(collectionPath(kind, namespace) + query))
          items.push(...page.items);
        return items;
      };
      return attempt(all, { verb: 'list', kind, ...(namespace === undefined ? {} : { namespace }) });
    },
  };
}

async function attempt<T>(
  work: () => Promise<T>,
  what: Parameters<typeof failureOf>[1],
): Promise<Reading<T>> {
  try {
    return { state: 'read', value: await work() };
  } catch (fault) {
    const error = errorOfFault(fault);
    if (error.status === 404) return { state: 'absent' };
    // Without any answer there is nothing to examine.
    if (error.status === 0) throw error;
    return { state: 'failed', why: failureOf(error, what).message };
  }
}

/** What an installation is told to do, and what there is to say of that. */
interface Told {
  readonly config: Config;
  readonly findings: readonly Finding[];
}

const SETTINGS = 'settings';

async function withoutSettings(installation: Installation): Promise<Told> {
  const message = `there is no ${placeOf(installation)}`;
  const fix = await whereInstead(installation.client, installation);
  return { config: defaultConfig(), findings: [{ check: SETTINGS, outcome: 'failed', message, fix }] };
}

function placeOf({ name, namespace }: Pick<Patient, 'name' | 'namespace'>): string {
  return `ConfigMap ${name} in namespace ${namespace}`;
}

function configIn(
  settings: Exclude<Reading<JsonObject>, { state: 'absent' }>,
  installation: Pick<Patient, 'name' | 'namespace'>,
): Told {
  const place = placeOf(installation);
  if (settings.state === 'failed') {
    const message = `${settings.why}; taken for the defaults`;
    return { config: defaultConfig(), findings: [{ check: SETTINGS, outcome: 'unknown', message }] };
  }
  try {
    const config = frozenConfig(
      FILE_SCHEMA.parse(parse(text(dig(settings.value, 'data'), 'config.yaml') ?? '')),
    );
    return { config, findings: [{ check: SETTINGS, outcome: 'ok', message: `${place} can be read` }] };
  } catch {
    const message = `${place} holds settings that this program does not know`;
    const fix = 'use the floe-secrets of the same version, or upgrade the chart';
    return { config: defaultConfig(), findings: [{ check: SETTINGS, outcome: 'warning', message, fix }] };
  }
}

/** What could not be read is unknown; what is not there is for the check to judge. */
export function unknown(check: string, why: string): Finding {
  return { check, outcome: 'unknown', message: why };
}
