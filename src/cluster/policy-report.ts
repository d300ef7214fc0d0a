/** A PolicyReport (wgpolicyk8s.io) for each namespace with something to report, where that CRD is installed. */
import { PROGRAM } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import type { ResourceKind } from '../kube/object.ts';
import { SECRET, apiVersionOf } from '../kube/object.ts';
import { printable } from '../review/findings.ts';
import type { SyncState } from '../review/sync-state.ts';
import { errorOfFault } from './api-error.ts';
import type { ControllerParts } from './controller.ts';
import { isServed } from './discovery.ts';
import { APPLY } from './media-types.ts';
import { objectPath } from './paths.ts';
import type { Reported } from './report-board.ts';

const POLICY_REPORT: ResourceKind = {
  group: 'wgpolicyk8s.io',
  version: 'v1alpha2',
  kind: 'PolicyReport',
  plural: 'policyreports',
  namespaced: true,
};

type Sync = SyncState & { readonly namespace: string };

/** Between two looks whether the CRD is there. */
const PROBE_EVERY = 60_000;
/** Results of one report, and characters of one's message: an object has its limit. */
const MOST = 1_000;
const LONGEST = 400;
/** Reports that are written in one round; the others follow in the next ones. */
const MOST_WRITES = 20;

/** Writes the reports that have changed. Never rejects: what fails is told of and tried in the next round. */
export function createReporter(
  parts: Pick<ControllerParts, 'client' | 'tell' | 'world' | 'isWatched'>,
): (syncs: readonly Sync[], found: Iterable<Reported>, signal: AbortSignal) => Promise<void> {
  const written = new Map<string, string>();
  const known = new Set<string>();
  let probedAt = Number.NEGATIVE_INFINITY;
  let served = false;
  let trouble = '';
  return async (syncs, found, signal) => {
    try {
      if (performance.now() - probedAt > PROBE_EVERY) {
        served = await isServed(parts.client, POLICY_REPORT);
        probedAt = performance.now();
      }
      if (!served) return;
      const results = resultsOf(syncs, found);
      const namespaces = [...parts.world.namespaces()].filter(parts.isWatched);
      await writeChanged(parts.client, { results, namespaces, written, known, signal });
    } catch (error) {
      const { status, message } = errorOfFault(error);
      if (status === 404) served = false;
      // One trouble is one line, however often it comes.
      else if (!signal.aborted && message !== trouble) parts.tell('policy report not written', { error });
      trouble = message;
    }
  };
}

interface Round {
  readonly results: readonly Result[];
  /** What stands in the report of each namespace. */
  readonly written: Map<string, string>;
  /** All that may have one, and those of which this process knows whether they have. */
  readonly namespaces: readonly string[];
  readonly known: Set<string>;
  readonly signal: AbortSignal;
}

async function writeChanged(
  client: ControllerParts['client'],
  { results, namespaces, written, known, signal }: Round,
): Promise<void> {
  const byNamespace = Map.groupBy(results, ({ resources: [{ namespace }] }) => namespace);
  const due = [...byNamespace].map(([namespace, all]) => [namespace, reportOf(namespace, all)] as const);
  const changed = due.filter(([namespace, report]) => written.get(namespace) !== JSON.stringify(report));
  for (const [namespace, report] of changed.slice(0, MOST_WRITES)) {
    const path = objectPath(POLICY_REPORT, namespace, PROGRAM);
    if (path === undefined) continue;
    const query = `?fieldManager=${PROGRAM}&force=true`;
    await client.send('PATCH', path + query, report, { contentType: APPLY, signal });
    written.set(namespace, JSON.stringify(report));
    known.add(namespace);
  }
  // The leader before this one may have left a report of what is not so any more.
  const empty = [...written.keys(), ...namespaces.filter((namespace) => !known.has(namespace))];
  for (const namespace of empty.filter((one) => !byNamespace.has(one)).slice(0, MOST_WRITES)) {
    const path = objectPath(POLICY_REPORT, namespace, PROGRAM);
    if (path !== undefined) await client.send('DELETE', path, undefined, { signal }).catch(ignoreAbsent);
    written.delete(namespace);
    known.add(namespace);
  }
}

function ignoreAbsent(error: unknown): JsonObject {
  if (errorOfFault(error).status === 404) return {};
  throw error;
}

const RESULTS = { good: 'pass', failing: 'fail', unclaimed: 'skip' } as const;

type Verdict = (typeof RESULTS)[keyof typeof RESULTS];

/** One result, without times: a report that says the same is not written again. */
function resultOf(
  rule: 'sync' | Reported['rule'],
  result: Verdict,
  { message, resource }: Omit<Reported, 'rule'>,
) {
  return {
    policy: 'secrets.floe.dev',
    rule,
    source: PROGRAM,
    category: 'Secrets',
    severity: 'medium',
    result,
    scored: true,
    message: printable(message).slice(0, LONGEST).toWellFormed(),
    resources: [resource],
  } as const;
}

type Result = ReturnType<typeof resultOf>;

/** What fails first: where there is no room for all of them, that counts. */
function resultsOf(syncs: readonly Sync[], found: Iterable<Reported>): readonly Result[] {
  // A Secret that nobody syncs is nobody's finding.
  const told = syncs.filter(({ health }) => health !== 'unclaimed');
  const all = [
    ...[...found].map((one) => resultOf(one.rule, 'fail', one)),
    ...told.map(({ namespace, secret, health, why, plugin }) =>
      resultOf('sync', RESULTS[health], {
        message: why ?? `Secret '${secret}' is synced by ${plugin}`,
        resource: { apiVersion: apiVersionOf(SECRET), kind: SECRET.kind, namespace, name: secret },
      }),
    ),
  ];
  return all.toSorted((one, other) => Number(one.result !== 'fail') - Number(other.result !== 'fail'));
}

function reportOf(namespace: string, all: readonly Result[]): JsonObject {
  const results = all.slice(0, MOST);
  const count = (wanted: string): number => results.filter(({ result }) => result === wanted).length;
  return {
    apiVersion: apiVersionOf(POLICY_REPORT),
    kind: POLICY_REPORT.kind,
    metadata: { namespace, name: PROGRAM, labels: { 'app.kubernetes.io/managed-by': PROGRAM } },
    summary: { pass: count('pass'), fail: count('fail'), warn: 0, error: 0, skip: 0 },
    results,
  };
}
