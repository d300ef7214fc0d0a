/** What the stand-in of HashiCorp's operator makes of an entry: fields by their names, the templates that this project writes, `_raw`. */
import type { Entry } from './vault-reader.ts';

interface Transformation {
  readonly excludeRaw?: boolean;
  readonly templates?: Readonly<Record<string, { readonly text: string }>>;
  readonly transformationRefs?: readonly { readonly name: string }[];
  readonly includes?: readonly string[];
  readonly excludes?: readonly string[];
}

export interface Destination {
  readonly name: string;
  readonly create?: boolean;
  readonly overwrite?: boolean;
  readonly type?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly transformation?: Transformation;
}

/** In base64. Throws as the operator does. */
export function renderedData(
  { data, raw }: Entry,
  { excludeRaw = false, templates = {}, includes = [], excludes = [] }: Transformation = {},
): Readonly<Record<string, string>> {
  if (!excludeRaw && ['_raw'].some((key) => key in data || key in templates)) {
    throw new Error("key '_raw' not permitted in Secret data");
  }
  const rendered = Object.entries(templates).map(([key, { text }]) => [key, render(text, data)] as const);
  const fields = Object.entries(data)
    .filter(([key]) => !excludes.some((pattern) => new RegExp(pattern).test(key)))
    .filter(([key]) => includes.length === 0 || includes.some((pattern) => new RegExp(pattern).test(key)))
    .map(([key, value]) => [key, Buffer.from(wordsOf(value))] as const);
  const whole = excludeRaw ? [] : [['_raw', Buffer.from(JSON.stringify(raw))] as const];
  // A template beats the field of its name.
  const made = [...whole, ...fields, ...rendered];
  return Object.fromEntries(made.map(([key, bytes]) => [key, bytes.toString('base64')]));
}

function wordsOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function render(template: string, data: Entry['data']): Buffer {
  const parts = template.split(/(\{\{.*?\}\})/).map((part) => {
    const [, key, decodes] =
      /^\{\{-? *(?:get|index) \.Secrets "([^"]+)" *(\| *b64dec)? *-?\}\}$/.exec(part) ?? [];
    if (key === undefined) {
      if (part.startsWith('{{')) throw new Error(`template: function in ${part} not defined`);
      return Buffer.from(part);
    }
    return Buffer.from(wordsOf(data[key] ?? ''), decodes === undefined ? 'utf8' : 'base64');
  });
  return Buffer.concat(parts);
}
