/** `floe-secrets explain`: what a pod gets and why, where each Secret comes from, why the pod was refused. */
import type { DatedManifest } from '../cluster/manifest-files.ts';
import { newestRefusal } from '../cluster/refusals.ts';
import { contentsOf } from '../cluster/world-files.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { controllersOf } from '../kube/controllers.ts';
import type { JsonObject } from '../kube/json.ts';
import { nameOf } from '../kube/object.ts';
import { isOver } from '../kube/pod.ts';
import { createReviewer } from '../review/review.ts';
import { explanationOf } from '../review/explanation.ts';
import type { Inquiry } from '../review/inquiry.ts';
import type { Settings } from '../review/settings.ts';
import { settingsOf } from '../review/settings.ts';
import type { Subject } from './bundle.ts';
import { admitted, impliedObjects, manifestOf, subjectsOf } from './bundle.ts';
import { bundleWorldOf } from './bundle-world.ts';
import { readBundle } from './bundle-files.ts';
import type { Explained } from './explain-report.ts';
import { explainDocument, explainText, isRefused } from './explain-report.ts';
import { notedRefusal, targetOf, uidsOf } from './explain-target.ts';
import type { LiveWorld } from './live-world.ts';
import { reportFailures } from './observe.ts';
import type { Options } from './options.ts';
import { formatOption, listOption, textOption } from './options.ts';
import type { Format } from './print.ts';
import { painter, structured, symbols } from './print.ts';
import { withProgress } from './progress.ts';
import { judgeOver, reviewSubject, validateAsIs } from './review-subject.ts';
import type { Surveyed } from './surveyed.ts';
import { withSurvey } from './surveyed.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, guarded, worstExit } from './terminal.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** Exit code 5 where the pod is refused or runs without its injection. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const { env, cwd, stdout } = terminal;
    const config = loadConfig({ file: textOption(options, 'config'), env, cwd, flags: {} });
    const { explained, codes } = await withProgress(terminal, async (progress) => {
      progress.say('looking');
      return explainAll(config, options, terminal);
    });
    const style = { paint: painter(stdout, env), symbols: symbols(env) };
    const now = Date.now();
    if (format === 'text')
      stdout.write(explained.map((one) => explainText(one, { style, terminal, now })).join('\n'));
    else stdout.write(structured(format, explainDocument(explained)));
    return worstExit(explained.some(isRefused) ? [...codes, EXIT.findings] : codes);
  });
}

interface Outcome {
  readonly explained: readonly Explained[];
  readonly codes: readonly number[];
}

async function explainAll(config: Config, options: Options, terminal: Terminal): Promise<Outcome> {
  const settings = settingsOf(config);
  const files = listOption(options, 'filename').length > 0;
  const asked = textOption(options, 'pod');
  if (files === (asked !== undefined)) {
    throw new CommandError('name a pod, KIND/NAME of a workload, or manifests with -f', EXIT.usage);
  }
  const terms = { settings, scope: (home: string) => home };
  return withSurvey(options, terminal, terms, async (surveyed) => {
    const desk = { config, settings, surveyed };
    const explained =
      asked === undefined
        ? await explainFiles(desk, await readBundle(options, terminal))
        : [await explainTarget(desk, asked, terminal)];
    return { explained, codes: reportFailures(surveyed.live.failures(), terminal) };
  });
}

interface Desk {
  readonly config: Config;
  readonly settings: Settings;
  readonly surveyed: Surveyed;
}

/** What the bundle declares counts as present, as in `review`. */
async function explainFiles(
  { config, settings, surveyed }: Desk,
  written: readonly DatedManifest[],
): Promise<readonly Explained[]> {
  const { kinds } = settings;
  const { live } = surveyed;
  const manifests = admitted(written, { namespace: live.home, kinds });
  const contents = contentsOf([...manifests, ...impliedObjects(manifests)], kinds);
  const { world } = bundleWorldOf({ contents, kinds, assume: 'strict' }, live.world);
  const explained: Explained[] = [];
  for (const subject of subjectsOf(manifests, [])) {
    explained.push(await explainSubject({ config, settings, live: { ...live, world } }, subject, false));
  }
  if (explained.length === 0)
    throw new CommandError('no pod and no workload in these manifests', EXIT.general);
  return explained;
}

async function explainTarget(desk: Desk, asked: string, { stderr }: Terminal): Promise<Explained> {
  const { survey, live, client } = desk.surveyed;
  const target = targetOf(asked, { survey, namespace: live.home });
  if (target.instead !== undefined) stderr.write(`${target.instead}\n`);
  const [subject] = subjectsOf([manifestOf(target.raw)], []);
  if (subject === undefined) throw new CommandError(`${asked} has no pod template`, EXIT.general);
  const isPod = subject.kind === 'Pod';
  const controllers = controllersOf(survey.workloads);
  const owner = controllers.topOf(target.raw);
  const explained = await explainSubject({ ...desk, live }, subject, isPod);
  if (isPod) {
    return {
      ...explained,
      ...(owner === undefined ? {} : { owner: { kind: owner.kind.kind, name: nameOf(owner.raw) } }),
    };
  }
  const noted = notedRefusal(target, survey);
  const told =
    client === undefined ? undefined : await newestRefusal(client, live.home, uidsOf(target, survey));
  const refusal = noted ?? told;
  const pods = survey.pods.filter((pod) => !isOver(pod) && controllers.topOf(pod)?.raw === target.raw);
  return { ...explained, running: pods.map(nameOf), ...(refusal === undefined ? {} : { refusal }) };
}

interface Bench {
  readonly config: Config;
  readonly settings: Settings;
  readonly live: LiveWorld;
}

/** A pod that runs is judged as it stands, everything else as it would be made. */
async function explainSubject(
  { config, settings, live }: Bench,
  subject: Subject,
  runs: boolean,
): Promise<Explained> {
  const reviewer = createReviewer(config);
  const judge = judgeOver(live, (request) => reviewer(request, live.world, Date.now()));
  const result = await (runs ? validateAsIs(subject, judge) : reviewSubject(subject, judge));
  const { namespace } = subject;
  const pod: JsonObject = runs ? subject.manifest.raw : (subject.pod ?? {});
  for (;;) {
    const inquiry: Inquiry = { settings, world: live.world, now: Date.now(), namespace, wanted: [] };
    const read = live.world.namespace(namespace);
    const judged = result.mode !== undefined && read.state === 'present';
    const explanation = judged ? explanationOf(inquiry, pod, read.value) : undefined;
    if (await live.read(inquiry.wanted)) continue;
    return { result, runs, ...(explanation === undefined ? {} : { explanation }) };
  }
}
