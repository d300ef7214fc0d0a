// A remembered plan is the plan that would be made, of any pod and whoever asked before.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import type { Level } from '../../src/review/levels.ts';
import { levelOf } from '../../src/review/levels.ts';
import type { Plan } from '../../src/review/plan.ts';
import { planOf } from '../../src/review/plan.ts';
import { createPlanner } from '../../src/review/planner.ts';
import { policyOf } from '../../src/review/policy.ts';
import { settingsOf } from '../../src/review/settings.ts';
import { asOnTheWire, pods } from './any-pod.ts';
import { namespace, pod } from './setup.ts';

const settings = settingsOf(defaultConfig());
const policies = [{}, { 'secrets.floe.dev/plugin': 'k8s' }].map((annotations) =>
  policyOf(settings, namespace(annotations)),
);
const [policy = policyOf(settings, namespace())] = policies;

function levels(given: JsonObject, ...above: readonly Level[]): readonly Level[] {
  return [levelOf('Pod', given), ...above];
}

describe('a remembered plan', () => {
  it('is the one that would be made, of any pods in any order', () => {
    const planner = createPlanner(settings);
    fc.assert(
      fc.property(pods, pods, fc.constantFrom(...policies), (one, other, asked) => {
        // Each pod's annotations stand once on the pod and once above another's.
        const asks: readonly (readonly [JsonObject, readonly Level[]])[] = [
          [one, levels(one)],
          [other, levels(other)],
          [other, levels(other, levelOf('Job', one))],
          [other, levels(other, levelOf('ServiceAccount', one))],
          [one, levels(one)],
        ];
        for (const [given, all] of asks) {
          expect(planner(asked, given, all)).toEqual(planOf(settings, asked, given, all));
        }
      }),
      { seed: 20_261_123, numRuns: 300 },
    );
  });

  it('is made once for the pods of one workload', () => {
    const planner = createPlanner(settings);
    const plan = (name: string): Plan => {
      const given = { ...pod({ 'secrets.floe.dev/inject': 'db' }), status: { name } };
      return planner(policy, given, levels(given));
    };
    expect(plan('a')).toBe(plan('b'));
    expect(plan('a').groups.map(({ secret }) => secret)).toEqual(['db']);
  });

  it('holds nothing of the pod that it was made for', () => {
    const literal = 'literal-of-the-first-pod';
    const given = asOnTheWire(pod({ 'secrets.floe.dev/inject': 'db' }));
    const container = { name: 'dbt', env: [{ name: 'TOKEN', value: literal }] };
    const carrying = { ...given, spec: { containers: [container] } };
    const plan = createPlanner(settings)(policy, carrying, levels(carrying));
    expect(plan.containers).toHaveLength(1);
    expect(JSON.stringify(plan)).not.toContain(literal);
  });

  it('is made anew where the namespace changed, and where files take their modes from the pod', () => {
    const planner = createPlanner(settings);
    const asking = pod({ 'secrets.floe.dev/inject': 'db' });
    const changed = policyOf(settings, namespace());
    expect(planner(policy, asking, levels(asking))).not.toBe(planner(changed, asking, levels(asking)));
    const files = pod({ 'secrets.floe.dev/files': 'db' });
    const asGroup = { ...files, spec: { ...(files['spec'] as JsonObject), securityContext: { fsGroup: 1 } } };
    const modes = [files, asGroup].map(
      (given) => planner(policy, given, levels(given)).volumes[0]?.defaultMode,
    );
    expect(modes).toEqual([0o444, 0o440]);
  });
});
