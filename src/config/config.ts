/** The schema of the settings, made from their table, and the one way from raw input to a frozen Config. */
import { z } from 'zod';
import { parseDuration } from '../kube/duration.ts';
import type { Config, Section, Setting } from './settings.ts';
import { SETTINGS, isSetting } from './settings.ts';

export type { Config } from './settings.ts';

export const CONFIG_API_VERSION = 'floe.dev/v1alpha1';
export const CONFIG_KIND = 'SecretsWebhookConfig';

// The same language as parseDuration, for the schema's readers; parseDuration decides.
const DURATION = /^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/;
const OCTAL = /^0?[0-7]{3}$/;

const CHECKS: Readonly<Record<Setting['kind'], (setting: Setting) => z.ZodType>> = {
  port: () => z.int().min(0).max(65_535),
  count: () => z.int().min(0),
  duration: () =>
    z
      .string()
      .max(64)
      .regex(DURATION)
      .transform((written) => parseDuration(written) ?? z.NEVER),
  text: () => z.string(),
  switch: () => z.boolean(),
  list: () => z.array(z.string().min(1)),
  autoList: () => z.union([z.literal('auto'), z.array(z.string().min(1))]),
  mode: () =>
    z.union([
      z.literal('auto'),
      z
        .string()
        .regex(OCTAL)
        .transform((digits) => Number.parseInt(digits, 8)),
    ]),
  aliases: () => z.record(z.string().min(1), z.array(z.string().min(1))),
  choice: (setting) => z.enum(setting.values ?? []),
};

/** The settings as a strict schema: durations go in as text and come out as milliseconds. */
export const SETTINGS_SCHEMA = z.strictObject(shapeOf(SETTINGS));

/** The config file: the settings, and the two keys that say what it is. */
export const FILE_SCHEMA = z.strictObject({
  apiVersion: z.literal(CONFIG_API_VERSION),
  kind: z.literal(CONFIG_KIND),
  ...shapeOf(SETTINGS),
});

/** The settings as they are where nobody says anything. */
export function defaultConfig(): Config {
  return frozenConfig(SETTINGS_SCHEMA.parse({}));
}

/** Freezes what SETTINGS_SCHEMA gave, all the way down. */
export function frozenConfig(parsed: unknown): Config {
  freeze(parsed);
  // The schema is made from the table that the type is made from.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return parsed as Config;
}

function shapeOf(section: Section): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(section).map(([key, line]) => [key, schemaOf(line)]));
}

function schemaOf(line: Setting | Section): z.ZodType {
  if (!isSetting(line)) return z.strictObject(shapeOf(line)).prefault({});
  const check = CHECKS[line.kind](line);
  return check.prefault(line.default).describe(line.about);
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.values(value).forEach(freeze);
  Object.freeze(value);
}
