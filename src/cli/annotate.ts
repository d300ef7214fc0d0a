/** `floe-secrets annotate`: what compiled artifacts say of Secrets, as annotations of the pods that need them. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv, parseInject } from '../contract/grammar.ts';
import { KEYS } from '../contract/keys.ts';
import { parseDocuments } from '../kube/yaml.ts';
import type { Entry } from './artifact-entries.ts';
import { artifactEntries } from './artifact-entries.ts';
import type { Options } from './options.ts';
import { formatOption, textOption } from './options.ts';
import type { Format } from './print.ts';
import { listDocument, structured, yaml } from './print.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, guarded } from './terminal.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** Text is the `metadata` of a pod template. What cannot be an annotation is named on stderr, with exit code 5. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const file = textOption(options, 'artifacts') ?? '';
    const content = await readFile(resolve(terminal.cwd, file), 'utf8');
    const entries = parseDocuments(content, file).flatMap(({ value }) => artifactEntries(value));
    const namespace = textOption(options, 'namespace');
    const problems = new Set(entries.flatMap((entry) => problemsOf(entry, namespace)));
    for (const problem of problems) terminal.stderr.write(`Warning: ${file}: ${problem}\n`);
    if (entries.length === 0) {
      throw new CommandError(`${file} names no Secret that pods could be given`, EXIT.general);
    }
    const annotations = annotationsOf(entries);
    const document = listDocument('AnnotateList', entries.map(entryItem), { annotations });
    terminal.stdout.write(
      format === 'text' ? yaml({ metadata: { annotations } }) : structured(format, document),
    );
    return problems.size === 0 ? EXIT.ok : EXIT.findings;
  });
}

/** An entry of a variable is for `env`, a whole Secret for `inject`. */
function annotationsOf(entries: readonly Entry[]): Readonly<Record<string, string>> {
  const written = (wanted: boolean): string =>
    [...new Set(entries.filter(({ key }) => (key !== undefined) === wanted).map(textOf))].join(',');
  return Object.fromEntries(
    [
      [KEYS.inject, written(false)],
      [KEYS.env, written(true)],
    ].filter(([, value]) => value !== ''),
  ) as Record<string, string>;
}

function textOf({ secret, key, variable }: Entry): string {
  if (key === undefined) return secret;
  return variable === undefined ? `${secret}/${key}` : `${variable}=${secret}/${key}`;
}

/** What a pod could not be given: by the annotation's grammar, or from another namespace. */
function problemsOf(entry: Entry, namespace: string | undefined): readonly string[] {
  const { mistakes } = entry.key === undefined ? parseInject(textOf(entry)) : parseEnv(textOf(entry));
  const elsewhere = entry.namespace !== undefined && namespace !== undefined && entry.namespace !== namespace;
  return [
    ...mistakes.map(({ why }) => `${entry.field}: ${why}`),
    ...(elsewhere
      ? [
          `${entry.field}: Secret '${entry.secret}' is in namespace '${entry.namespace}', and pods of '${namespace}' cannot refer to it`,
        ]
      : []),
  ];
}

function entryItem({ secret, key, variable, namespace, field }: Entry): object {
  return {
    secret,
    key: key ?? null,
    variable: variable ?? null,
    namespace: namespace ?? null,
    field,
  };
}
