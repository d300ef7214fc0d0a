/** What `scan`, `usage`, `restart` and `explain` look over: everything that runs, and the world it is judged in. */
import type { Client } from '../cluster/client.ts';
import { readManifestsAt } from '../cluster/manifest-files.ts';
import type { Survey } from '../cluster/survey.ts';
import { readSurvey, surveyOfManifests } from '../cluster/survey.ts';
import { contentsOf, worldOfContents } from '../cluster/world-files.ts';
import type { Settings } from '../review/settings.ts';
import { impliedObjects, manifestOf } from './bundle.ts';
import type { LiveWorld } from './live-world.ts';
import { openSurveyedWorld } from './live-world.ts';
import { homeOf, tellOfTypos, withClient, within } from './observe.ts';
import type { Options } from './options.ts';
import { listOption, textOption } from './options.ts';
import type { Terminal } from './terminal.ts';

/** What runs, and the world that it is judged in. */
export interface Surveyed {
  readonly survey: Survey;
  readonly live: LiveWorld;
  /** How the command may change what it looked at; a world in files stays as it is. */
  readonly client?: Client;
  /** undefined: all of them. */
  readonly namespace?: string;
}

interface SurveyTerms {
  readonly settings: Settings;
  /** The namespace to look over; undefined: all of them. `home` is that of `-n` or of the context. */
  readonly scope: (home: string) => string | undefined;
  /** Whether Secrets are listed, and not read one by one when they are wanted. */
  readonly secrets?: boolean;
  /** Whether pods and workloads are listed; by default they are. */
  readonly running?: boolean;
  readonly onProgress?: (read: number) => void;
}

/** Looks over everything that runs, in the cluster or in `--world`. */
export async function withSurvey<T>(
  options: Options,
  terminal: Terminal,
  { settings, scope, secrets = false, running = true, onProgress }: SurveyTerms,
  work: (surveyed: Surveyed) => Promise<T>,
): Promise<T> {
  const { kinds } = settings;
  const paths = listOption(options, 'world');
  if (paths.length > 0) {
    const survey = completed(surveyOfManifests(await readManifestsAt(paths, terminal.cwd), kinds));
    const home = textOption(options, 'namespace') ?? homeOf(survey.contents, kinds);
    const world = worldOfContents(survey.contents, kinds);
    const live = { world, home, read: async () => false, failures: () => [] };
    return work({ survey, live, ...within(scope(home)) });
  }
  return withClient(options, terminal, async (client) => {
    const home = textOption(options, 'namespace') ?? client.namespace;
    const place = within(scope(home));
    await tellOfTypos(client, options, terminal);
    const read = await readSurvey(client, {
      kinds,
      secrets,
      running,
      ...place,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    const survey = completed(read);
    return work({ survey, client, live: openSurveyedWorld(client, settings, { survey, home }), ...place });
  });
}

/** With the Jobs that CronJobs will make: their pods take after them. */
function completed(survey: Survey): Survey {
  const implied = impliedObjects(survey.workloads.map(({ raw }) => manifestOf(raw)));
  const { contents } = survey;
  const objects = [...contents.objects, ...contentsOf(implied, []).objects];
  return { ...survey, contents: { ...contents, objects } };
}
