/** A PolicyReport (wgpolicyk8s.io) for each namespace with syncs, where that CRD is installed. */
import { PROGRAM } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import type { ResourceKind } from '../kube/object.ts';
import { SECRET, apiVersionOf } from '../kube/object.ts';
import { printable } from '../review/findings.ts';
import type { SyncState } from '../review/sync-state.ts';
import { errorOfFault } from './api-error.ts';
import type { ControllerParts } from './controller.ts';
import { isServed } from './discovery.ts';
import { objectPath } from './paths.ts';

const POLICY_REPORT: ResourceKind = {
  group: 'wgpolicyk8s.io',
  version: 'v1alpha2',
  kind: 'PolicyReport',
  plural: 'policyreports',
  namespaced: true,
};

type Reported = SyncState & { readonly namespace: string };

/** Between two looks whether the CRD is there. */
const PROBE_EVERY = 60_000;
/** Results of one report: an object has its limit. */
const MOST = 1_000;
/** Reports that are written in one round; the others follow in the next ones. */
const MOST_WRITES = 20;
const APPLY = 'application/apply-patch+yaml';

/** Writes the reports that have changed. Never rejects: what fails is told of and tried in the next round. */
export function createReporter(
  parts: Pick<ControllerParts, 'client' | 'tell'>,
): (states: readonly Reported[], signal: AbortSignal) => Promise<void> {
  const written = new Map<string, string>();
  let probedAt = Number.NEGATIVE_INFINITY;
  let served = false;
  let trouble = '';
  return async (states, signal) => {
    try {
      if (performance.now() - probedAt > PROBE_EVERY) {
        served = await isServed(parts.client, POLICY_REPORT);
        probedAt = performance.now();
      }
      if (served) await writeChanged(parts.client, { states, written, signal });
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
  readonly states: readonly Reported[];
  /** What stands in the report of each namespace. */
  readonly written: Map<string, string>;
  readonly signal: AbortSignal;
}

async function writeChanged(
  client: ControllerParts['client'],
  { states, written, signal }: Round,
): Promise<void> {
  const byNamespace = Map.groupBy(states, ({ namespace }) => namespace);
  const due = [...byNamespace].map(([namespace, syncs]) => [namespace, reportOf(namespace, syncs)] as const);
  const changed = due.filter(([namespace, report]) => written.get(namespace) !== JSON.stringify(report));
  for (const [namespace, report] of changed.slice(0, MOST_WRITES)) {
    const path = objectPath(POLICY_REPORT, namespace, PROGRAM);
    if (path === undefined) continue;
    const query = `?fieldManager=${PROGRAM}&force=true`;
    await client.send('PATCH', path + query, report, { contentType: APPLY, signal });
    written.set(namespace, JSON.stringify(report));
  }
  for (const namespace of written.keys()) {
    if (byNamespace.has(namespace)) continue;
    const path = objectPath(POLICY_REPORT, namespace, PROGRAM);
    written.delete(namespace);
    if (path !== undefined) await client.send('DELETE', path, undefined, { signal }).catch(ignoreAbsent);
  }
}

function ignoreAbsent(error: unknown): JsonObject {
  if (errorOfFault(error).status === 404) return {};
  throw error;
}

const RESULTS = { good: 'pass', failing: 'fail', unclaimed: 'skip' } as const;

/** Without times: a report that says the same is not written again. */
function reportOf(namespace: string, syncs: readonly Reported[]): JsonObject {
  // A Secret that nobody syncs is nobody's finding.
  const told = syncs.filter(({ health }) => health !== 'unclaimed').slice(0, MOST);
  const results = told.map(({ secret, health, why, plugin }) => ({
    policy: 'secrets.floe.dev',
    rule: 'sync',
    source: PROGRAM,
    category: 'Secrets',
    severity: 'medium',
    result: RESULTS[health],
    scored: true,
    message: printable(why ?? `Secret '${secret}' is synced by ${plugin}`),
    resources: [{ apiVersion: apiVersionOf(SECRET), kind: SECRET.kind, namespace, name: secret }],
  }));
  const count = (wanted: string): number => results.filter(({ result }) => result === wanted).length;
  return {
    apiVersion: apiVersionOf(POLICY_REPORT),
    kind: POLICY_REPORT.kind,
    metadata: { namespace, name: PROGRAM, labels: { 'app.kubernetes.io/managed-by': PROGRAM } },
    summary: { pass: count('pass'), fail: count('fail'), warn: 0, error: 0, skip: 0 },
    results,
  };
}
