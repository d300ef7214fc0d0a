/** What is wrong with a setting, in a sentence: its path, what was found, what is allowed, where it was said. */
import type { z } from 'zod';
import { asArray, get } from '../kube/json.ts';
import { CONFIG_API_VERSION, CONFIG_KIND } from './config.ts';
import { nearest } from '../kube/nearest.ts';
import type { Section, Setting } from './settings.ts';
import { ALL_SETTINGS, SETTINGS, isSetting } from './settings.ts';

export type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

const ALLOWED: Readonly<Record<Setting['kind'], string>> = {
  port: 'a whole number from 0 to 65535',
  count: 'a whole number, 0 or more',
  duration: 'a duration such as 500ms, 10s, 2m or 1h30m',
  text: 'a string',
  switch: 'true or false',
  list: 'a list of strings (comma separated in the environment and in flags)',
  autoList: 'auto, or a list of strings',
  mode: 'auto, or a file mode as a quoted string of octal digits, such as "0440"',
  aliases: 'a mapping of names to lists of names (JSON in the environment and in flags)',
  choice: '',
};

/** One sentence for each thing that an issue is about. `place` says where a path was set. */
export function complaints(issue: Issue, input: unknown, place: (path: Path) => string): readonly string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(issue.path, key, place([...issue.path, key])));
  }
  const found = issue.path.reduce<unknown>(
    (value, key) => (typeof key === 'number' ? asArray(value)[key] : get(value, String(key))),
    input,
  );
  const value = found === undefined ? 'missing' : shown(found);
  return [`${written(issue.path)} is ${value}; allowed: ${allowedAt(issue.path)} (${place(issue.path)})`];
}

/** 'unknown …, did you mean …?' for a word that names no setting. */
export function unknownWord(what: string, word: string, known: Iterable<string>): string {
  const meant = nearest(word, known);
  return `unknown ${what} '${word}'${meant === undefined ? '' : `, did you mean '${meant}'?`}`;
}

function unknownKey(above: Path, key: string, place: string): string {
  const section = lineAt(above);
  const siblings = Object.keys(section === undefined || isSetting(section) ? {} : section);
  const sibling = nearest(key, siblings);
  // A key that stands in the wrong section is near to itself in the right one.
  const elsewhere = ALL_SETTINGS.filter(({ path }) => path.at(-1) === key).map(({ path }) => path.join('.'));
  const path = written([...above, key]);
  const meant = sibling === undefined ? elsewhere[0] : written([...above, sibling]);
  return `unknown key '${path}'${meant === undefined ? '' : `, did you mean '${meant}'?`} (${place})`;
}

function allowedAt(path: Path): string {
  if (path[0] === 'apiVersion') return CONFIG_API_VERSION;
  if (path[0] === 'kind') return CONFIG_KIND;
  const line = lineAt(path);
  if (line === undefined || !isSetting(line)) return 'a mapping';
  return line.kind === 'choice' ? (line.values ?? []).join(', ') : ALLOWED[line.kind];
}

/** The table's line for a path; for an item of a list, the list's. */
function lineAt(path: Path): Setting | Section | undefined {
  let line: Setting | Section | undefined = SETTINGS;
  for (const key of path) {
    if (line === undefined || isSetting(line)) return line;
    line = Object.hasOwn(line, key) ? line[String(key)] : undefined;
  }
  return line;
}

function written(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
