/** `floe-secrets review`: judges manifests as the webhook would, without a cluster or with a live one. */
import { contentsOf } from '../cluster/world-files.ts';
import { loadConfig } from '../config/load.ts';
import type { ReadFailure, World } from '../kube/world.ts';
import type { Decision } from '../review/decision.ts';
import type { Request } from '../review/request.ts';
import { createReviewer } from '../review/review.ts';
import type { Settings } from '../review/settings.ts';
import { settingsOf } from '../review/settings.ts';
import type { Admitted } from './bundle.ts';
import { admitted, impliedObjects, subjectsOf } from './bundle.ts';
import { readBaseline } from './baseline.ts';
import { bundlePaths, readBundle } from './bundle-files.ts';
import type { Assumption, BundleWorld } from './bundle-world.ts';
import { ASSUMPTIONS, bundleWorldOf } from './bundle-world.ts';
import type { LiveWorld } from './live-world.ts';
import { reportFailures, withWorld } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption, textOption } from './options.ts';
import { painter, structured, symbols } from './print.ts';
import { reviewJunit } from './review-junit.ts';
import type { Result, Reviewed } from './review-report.ts';
import { isFailed, reviewDiff, reviewDocument, reviewText, reviewedFindings } from './review-report.ts';
import { MOST_RESULTS, reviewSarif } from './review-sarif.ts';
import type { Judge } from './review-subject.ts';
import { reviewSubject } from './review-subject.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, guarded, worstExit } from './terminal.ts';

const FORMATS = ['text', 'json', 'yaml', 'diff', 'sarif', 'junit'] as const;
type Format = (typeof FORMATS)[number];

/** Exit code 5 where an object is denied for new reasons; 4 or 8 where `--live` could not read what it needed. */
export async function run(options: Options, terminal: Terminal, version?: string): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const baseline = textOption(options, 'baseline');
    const known = baseline === undefined ? new Set<string>() : await readBaseline(baseline, terminal.cwd);
    const { results, failures } = await reviewAll(options, terminal);
    const reviewed = results.map((result) => ({ ...result, reviewed: reviewedFindings(result, known) }));
    if (results.length === 0) terminal.stderr.write('No pods, workloads or sync resources to review.\n');
    terminal.stdout.write(printed(format, reviewed, { terminal, version }));
    const codes = reportFailures(failures, terminal);
    return worstExit(reviewed.some(isFailed) ? [...codes, EXIT.findings] : codes);
  });
}

function printed(
  format: Format,
  results: readonly Reviewed[],
  { terminal, version }: { readonly terminal: Terminal; readonly version: string | undefined },
): string {
  const { stdout, stderr, env, cwd } = terminal;
  if (format === 'diff') return reviewDiff(results);
  if (format === 'junit') return reviewJunit(results);
  if (format === 'text') return reviewText(results, { paint: painter(stdout, env), symbols: symbols(env) });
  if (format !== 'sarif') return structured(format, reviewDocument(results));
  const count = results.reduce((sum, { reviewed }) => sum + reviewed.length, 0);
  if (count > MOST_RESULTS)
    stderr.write(`Warning: ${count} findings, of which ${MOST_RESULTS} are written\n`);
  return structured('json', reviewSarif(results, { version, cwd }));
}

interface Review {
  readonly results: readonly Result[];
  readonly failures: readonly ReadFailure[];
}

async function reviewAll(options: Options, terminal: Terminal): Promise<Review> {
  const { env, cwd } = terminal;
  const config = loadConfig({ file: textOption(options, 'config'), env, cwd, flags: {} });
  const settings = settingsOf(config);
  const assume = assumptionOf(options);
  if (bundlePaths(options).length === 0) throw new CommandError('-f FILE, DIR or - is needed', EXIT.usage);
  const written = await readBundle(options, terminal);
  const reviewer = createReviewer(config);
  return withWorld(options, terminal, settings, async (below) => {
    // kubectl would apply them to the context's namespace; without a cluster it is `default`.
    const otherwise = flagOption(options, 'live') ? below.home : 'default';
    const namespace = textOption(options, 'namespace') ?? otherwise;
    const manifests = admitted(written, { namespace, kinds: settings.kinds });
    const bundle = bundleOf(manifests, below.world, { settings, assume });
    const judge = settled(bundle, below, (request) => reviewer(request, bundle.world, Date.now()));
    const results: Result[] = [];
    for (const subject of subjectsOf(manifests, settings.kinds))
      results.push(await reviewSubject(subject, judge));
    return { results, failures: below.failures() };
  });
}

interface Terms {
  readonly settings: Settings;
  readonly assume: Assumption;
}

function bundleOf(manifests: readonly Admitted[], below: World, { settings, assume }: Terms): BundleWorld {
  const { kinds } = settings;
  const contents = contentsOf([...manifests, ...impliedObjects(manifests)], kinds);
  return bundleWorldOf({ contents, kinds, assume }, below);
}

/**
 * Judges until nothing new comes to light. What the judgement wants is read. A Secret that the bundle's own sync
 * resource will write has keys that nobody knows yet: each key that is found missing is presumed.
 */
function settled(bundle: BundleWorld, below: LiveWorld, judge: (request: Request) => Decision): Judge {
  return async (request) => {
    for (;;) {
      const decision = judge(request);
      if (await below.read(decision.wanted)) continue;
      const missing = decision.findings.filter(({ code }) => code === 'FLOE-E802');
      const presumed = missing.filter(({ secret = '', key = '' }) =>
        bundle.presume(request.namespace, secret, key),
      );
      if (presumed.length === 0) return decision;
    }
  };
}

function assumptionOf(options: Options): Assumption {
  const written = textOption(options, 'assumeNamespace') ?? 'strict';
  const assume = ASSUMPTIONS.find((one) => one === written);
  if (assume !== undefined) return assume;
  throw new CommandError(`--assume-namespace ${written}: use one of ${ASSUMPTIONS.join(', ')}`, EXIT.usage);
}
