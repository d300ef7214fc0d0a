/** `floe-secrets export`: everything that a restore of the secrets' wiring needs, and no value of any Secret. */
import type { WorldContents } from '../cluster/world-files.ts';
import { loadConfig } from '../config/load.ts';
import { settingsOf } from '../review/settings.ts';
import { reportFailures } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption } from './options.ts';
import type { Format } from './print.ts';
import { listDocument, structured, yaml } from './print.ts';
import { withSurvey } from './surveyed.ts';
import type { Terminal } from './terminal.ts';
import { guarded, worstExit } from './terminal.ts';
import type { Wire } from './wiring.ts';
import { wiringOf } from './wiring.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** Text is manifests for `restore`, or for kubectl. Exit code 4 or 8 where not everything was seen. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const { env, cwd, stdout, stderr } = terminal;
    const settings = settingsOf(loadConfig({ env, cwd, flags: {} }));
    const scope = (home: string): string | undefined =>
      flagOption(options, 'allNamespaces') ? undefined : home;
    const terms = { settings, scope, running: false };
    return withSurvey(options, terminal, terms, async ({ survey, namespace }) => {
      const wires = wiringOf(survey.contents, namespace);
      const codes = reportFailures(survey.failures, terminal);
      if (wires.length === 0) {
        const none = codes.length > 0 ? 'No wiring could be seen here' : 'There is no wiring here';
        stderr.write(`${none}: no sync resources and no opt-ins.\n`);
      }
      if (format === 'text') stdout.write(wires.map(({ object }) => yaml(object)).join('---\n'));
      else stdout.write(structured(format, exportDocument(wires, survey.contents)));
      return worstExit(codes);
    });
  });
}

function exportDocument(wires: readonly Wire[], { syncResources }: WorldContents): object {
  const summary = { objects: wires.length, syncResources: syncResources.length };
  return listDocument(
    'ExportList',
    wires.map(({ object }) => object),
    summary,
  );
}
