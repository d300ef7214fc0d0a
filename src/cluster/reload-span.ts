/** The span of one restart for changed Secrets. */
import type { WorkloadRecord } from '../kube/running.ts';
import type { Outcome, Restart } from '../reload/schedule.ts';
import type { BeginSpan } from './spans.ts';
import { traced } from './spans.ts';

export interface Reload {
  readonly workload: WorkloadRecord;
  readonly restart: Restart;
  readonly strategy: string;
}

/** Restarts within a span that says of what, and what came of it. */
export async function tracedReload(
  begin: BeginSpan | undefined,
  { workload: { kind, namespace, name }, restart, strategy }: Reload,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  const attributes = {
    'secrets.operation': 'reload',
    'secrets.namespace': namespace,
    'floe.namespace': namespace,
    'secrets.kind': kind.kind,
    'secrets.name': name,
    'secrets.strategy': strategy,
    'secrets.count': restart.causes.length,
  };
  return traced(begin, 'secrets.reload', attributes, async (span) => {
    const outcome = await work();
    span?.set({ 'secrets.result': outcome });
    if (outcome === 'failed' || outcome === 'refused') span?.fail(outcome, 'the workload was not restarted');
    return outcome;
  });
}
