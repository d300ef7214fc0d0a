/** `floe-secrets validate`: does every Secret that a floe manifest refers to exist, with its keys? */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AskUpstream } from './ask-upstream.ts';
import { saysNo, withUpstream } from './ask-upstream.ts';
import { loadConfig } from '../config/load.ts';
import type { PlainDocument } from '../kube/yaml.ts';
import { parseDocuments } from '../kube/yaml.ts';
import { settingsOf } from '../review/settings.ts';
import { floeNamespace, floeReferences } from './floe-references.ts';
import { reportFailures, withWorld } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption, listOption, textOption } from './options.ts';
import type { Format } from './print.ts';
import { painter, structured, symbols } from './print.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, guarded, worstExit } from './terminal.ts';
import type { Validation } from './validate-report.ts';
import { isWrong, validateDocument, validateText } from './validate-report.ts';
import type { Located, Validated } from './validate-secrets.ts';
import { groupReferences, validateSecrets } from './validate-secrets.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** The older name is still found in the field. */
const MANIFESTS = ['manifest.yaml', 'platform-manifest.yaml'] as const;

/** Exit code 5 where a Secret or a key of it is not there; 4 or 8 where that could not be found out. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const manifest = await readManifest(options, terminal);
    const settings = settingsOf(loadConfig({ env: terminal.env, cwd: terminal.cwd, flags: {} }));
    return withWorld(cluster(options, manifest), terminal, settings, async (live) => {
      const namespace = live.home;
      const wanted = groupReferences(manifest.references, namespace);
      const environment = terminal.env['FLOE_ENV'] || undefined;
      const judged = await validateSecrets(wanted, live, { settings, namespace, environment });
      const secrets = flagOption(options, 'upstream')
        ? await withUpstream(settings.config.upstream, terminal, async (ask) => askedUpstream(judged, ask))
        : judged;
      const validation = { file: manifest.file, namespace, secrets };
      terminal.stdout.write(printed(format, validation, terminal));
      const codes = [...reportFailures(live.failures(), terminal), ...upstreamCodes(secrets)];
      return worstExit(secrets.some(isWrong) ? [...codes, EXIT.findings] : codes);
    });
  });
}

function printed(format: Format, validation: Validation, { stdout, env }: Terminal): string {
  if (format !== 'text') return structured(format, validateDocument(validation));
  return validateText(validation, { paint: painter(stdout, env), symbols: symbols(env) });
}

async function askedUpstream(secrets: readonly Validated[], ask: AskUpstream): Promise<readonly Validated[]> {
  return Promise.all(
    secrets.map(async (secret) => {
      const keys = [...new Set(secret.places.flatMap(({ reference }) => reference.keys))];
      return { ...secret, upstream: await ask({ objects: secret.syncResources, keys }) };
    }),
  );
}

/** Of stores that could not be asked; what they answered is a finding. */
function upstreamCodes(secrets: readonly Validated[]): readonly number[] {
  const errors = secrets.flatMap(({ upstream = [] }) => upstream.flatMap(({ error }) => error ?? []));
  return errors.filter((error) => !saysNo(error)).map(({ exitCode }) => exitCode);
}

/** Without `--world` the cluster is asked; the manifest's own namespace stands in for `-n`. */
function cluster(options: Options, { namespace }: Manifest): Options {
  const live = listOption(options, 'world').length === 0;
  return { ...options, live, namespace: textOption(options, 'namespace') ?? namespace };
}

interface Manifest {
  readonly file: string;
  /** The one that its secrets plugin works in. */
  readonly namespace: string | undefined;
  readonly references: readonly Located[];
}

/** The manifest, and the files of `--artifacts`: they alone where no manifest was named. */
async function readManifest(options: Options, { cwd }: Terminal): Promise<Manifest> {
  const chosen = textOption(options, 'config');
  const artifacts = listOption(options, 'artifacts');
  const read = async (files: readonly string[]): Promise<Manifest> => manifestOf(await firstOf(files, cwd));
  const named = chosen === undefined ? [] : [await read([chosen])];
  const others = await Promise.all(artifacts.map(async (file) => read([file])));
  const all = [...named, ...others];
  const manifests = all.length === 0 ? [await read(MANIFESTS)] : all;
  return {
    file: manifests.map(({ file }) => file).join(', '),
    namespace: manifests.map(({ namespace }) => namespace).find((namespace) => namespace !== undefined),
    references: manifests.flatMap(({ references }) => references),
  };
}

function manifestOf({ file, content }: { readonly file: string; readonly content: string }): Manifest {
  const documents = parseDocuments(content, file);
  const namespaces = documents.map(({ value }) => floeNamespace(value));
  return {
    file,
    namespace: namespaces.find((namespace) => namespace !== undefined),
    references: documents.flatMap((document) => located(document, file)),
  };
}

function located(document: PlainDocument, file: string): readonly Located[] {
  return floeReferences(document.value).map((reference) => ({
    reference,
    file,
    line: document.lineOf(reference.path),
  }));
}

async function firstOf(files: readonly string[], cwd: string): Promise<{ file: string; content: string }> {
  for (const file of files) {
    try {
      return { file, content: await readFile(resolve(cwd, file), 'utf8') };
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      // Who named a file hears of that file.
      if (!isMissing || files.length === 1) throw error;
    }
  }
  throw new CommandError(
    `no ${files.join(' and no ')} here: name the manifest with -c FILE`,
    EXIT.fileNotFound,
  );
}
