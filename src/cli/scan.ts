/** `floe-secrets scan`: what `strict` would refuse of everything that runs, and pods that missed their injection. */
import { setImmediate as breathe } from 'node:timers/promises';
import type { Survey } from '../cluster/survey.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import type { Mode } from '../contract/keys.ts';
import { KEYS } from '../contract/keys.ts';
import { controllersOf } from '../kube/controllers.ts';
import type { JsonObject } from '../kube/json.ts';
import { asObject, get } from '../kube/json.ts';
import { NAMESPACE, controllerOf, isSameKind, labelsOf, nameOf, namespaceOf } from '../kube/object.ts';
import { isOver } from '../kube/pod.ts';
import { isFinished } from '../kube/workload.ts';
import type { World } from '../kube/world.ts';
import { present } from '../kube/world.ts';
import { isOptedIn, policyOf } from '../review/policy.ts';
import { createReviewer } from '../review/review.ts';
import type { Settings } from '../review/settings.ts';
import { settingsOf } from '../review/settings.ts';
import type { Subject } from './bundle.ts';
import { manifestOf, subjectsOf } from './bundle.ts';
import { reportFailures } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption, textOption } from './options.ts';
import type { Format } from './print.ts';
import { painter, structured, symbols } from './print.ts';
import type { Progress } from './progress.ts';
import { withProgress } from './progress.ts';
import type { Judge } from './review-subject.ts';
import { judgeOver, reviewSubject, validateAsIs } from './review-subject.ts';
import type { Scan, Scanned } from './scan-report.ts';
import { isTrouble, scanDocument, scanText } from './scan-report.ts';
import type { Surveyed } from './surveyed.ts';
import { withSurvey } from './surveyed.ts';
import type { Terminal } from './terminal.ts';
import { EXIT, guarded, worstExit } from './terminal.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** Exit code 5 where something would be refused or missed its injection; 4 or 8 where not everything was seen. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const { env, cwd, stdout } = terminal;
    const config = loadConfig({ file: textOption(options, 'config'), env, cwd, flags: {} });
    const { scan, codes } = await withProgress(terminal, async (progress) =>
      scanWith({ config, progress }, options, terminal),
    );
    const style = { paint: painter(stdout, env), symbols: symbols(env) };
    stdout.write(format === 'text' ? scanText(scan, style) : structured(format, scanDocument(scan)));
    return worstExit(scan.items.some(isTrouble) ? [...codes, EXIT.findings] : codes);
  });
}

interface Terms {
  readonly config: Config;
  readonly progress: Progress;
}

interface Outcome {
  readonly scan: Scan;
  readonly codes: readonly number[];
}

async function scanWith({ config, progress }: Terms, options: Options, terminal: Terminal): Promise<Outcome> {
  const settings = settingsOf(config);
  const everywhere = flagOption(options, 'allNamespaces');
  const chosen = everywhere ? undefined : textOption(options, 'namespace');
  const onProgress = (read: number): void => progress.say(`${read} objects read`);
  const terms = { settings, scope: () => chosen, secrets: true, onProgress };
  return withSurvey(options, terminal, terms, async (surveyed) => {
    const { survey, live } = surveyed;
    const places = placesOf(surveyed.survey, settings, { chosen, everywhere });
    const scan = await scanOf({ surveyed, places, config, progress });
    return { scan, codes: reportFailures([...survey.failures, ...live.failures()], terminal) };
  });
}

/** Today's mode of each namespace that is looked at; undefined where it is not opted in. */
type Places = ReadonlyMap<string, Mode | undefined>;

interface Choice {
  readonly chosen: string | undefined;
  readonly everywhere: boolean;
}

/** Those that opted in; with `-n` or `-A` others too, but never what is exempt. */
function placesOf(survey: Survey, settings: Settings, { chosen, everywhere }: Choice): Places {
  const objects = survey.contents.objects.filter(({ kind }) => isSameKind(kind, NAMESPACE));
  const known = new Map(objects.map((object) => [nameOf(object.raw), object]));
  const used = [...survey.pods, ...survey.workloads.map(({ raw }) => raw)].map(namespaceOf);
  const places = new Map<string, Mode | undefined>();
  for (const name of chosen === undefined ? new Set([...known.keys(), ...used]) : [chosen]) {
    if (settings.exemptNamespaces.has(name)) continue;
    const object = known.get(name);
    const mode = object !== undefined && isOptedIn(object) ? policyOf(settings, object).mode : undefined;
    if (everywhere || chosen !== undefined || mode !== undefined) places.set(name, mode);
  }
  return places;
}

interface Scanning {
  readonly surveyed: Surveyed;
  readonly places: Places;
  readonly config: Config;
  readonly progress: Progress;
}

/** How many are judged before the terminal gets a turn. */
const BATCH = 200;

async function scanOf({ surveyed, places, config, progress }: Scanning): Promise<Scan> {
  const { survey, live } = surveyed;
  const world = asIfOptedIn(live.world);
  const reviewer = createReviewer(inStrict(config));
  const judge = judgeOver(live, (request) => reviewer(request, world, Date.now()));
  const controllers = controllersOf(survey.workloads);
  const subjects = subjectsOf([...dueWorkloads(survey), ...duePods(survey)].map(manifestOf), []).filter(
    ({ namespace }) => places.has(namespace),
  );
  const items: Scanned[] = [];
  for (const [index, subject] of subjects.entries()) {
    const today = places.get(subject.namespace);
    const owner = controllers.topOf(subject.manifest.raw);
    items.push({
      ...(await scanned(subject, judge, today !== undefined)),
      ...(owner === undefined ? {} : { owner: { kind: owner.kind.kind, name: nameOf(owner.raw) } }),
      ...(today === undefined ? {} : { today }),
    });
    if (index % BATCH > 0) continue;
    progress.say(`${index} of ${subjects.length} judged`);
    await breathe();
  }
  return { namespaces: places.size, items };
}

/** Those that will make pods, and that nothing else makes. */
function dueWorkloads({ workloads }: Survey): readonly JsonObject[] {
  return workloads.map(({ raw }) => raw).filter((raw) => controllerOf(raw) === undefined && !isFinished(raw));
}

function duePods({ pods }: Survey): readonly JsonObject[] {
  return pods.filter((pod) => !isOver(pod));
}

/** The verdict on what would be made anew; of a pod that runs, also whether it carries what it asked for. */
async function scanned(
  subject: Subject,
  judge: Judge,
  optedIn: boolean,
): Promise<Pick<Scanned, 'result' | 'missed'>> {
  if (subject.kind !== 'Pod') return { result: await reviewSubject(subject, judge), missed: false };
  const asIs = await validateAsIs(subject, judge);
  const lacks = asIs.findings.filter(({ code }) => code === 'FLOE-E807');
  if (lacks.length === 0) return { result: asIs, missed: false };
  const anew = await reviewSubject(subject, judge);
  const missed = optedIn && lacks.some(({ severity }) => severity === 'error');
  return { result: missed ? { ...anew, findings: [...lacks, ...anew.findings] } : anew, missed };
}

/** The namespaces as they would be with the label: whether they have it today is another question. */
function asIfOptedIn(world: World): World {
  return {
    ...world,
    namespace: (name) => {
      const read = world.namespace(name);
      if (read.state !== 'present' || isOptedIn(read.value)) return read;
      const { kind, raw } = read.value;
      const metadata = asObject(get(raw, 'metadata'));
      const labels = { ...labelsOf(raw), [KEYS.injection]: 'enabled' };
      return present({ kind, raw: { ...raw, metadata: { ...metadata, labels } } });
    },
  };
}

function inStrict(config: Config): Config {
  return { ...config, enforcement: { ...config.enforcement, minimum: 'strict' } };
}
