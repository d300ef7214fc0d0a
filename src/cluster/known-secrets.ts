/** Which Secrets of a namespace there is reason to look at, where none may be listed. */
import { annotationsOf } from '../kube/object.ts';
import { wishedUses } from '../review/wished.ts';
import type { ControllerParts } from './controller.ts';

/** What sync resources target, what pods and templates name, what workloads and the Namespace ask for. */
export function knownSecrets(
  { world, running }: Pick<ControllerParts, 'world' | 'running'>,
  namespace: string,
): ReadonlySet<string> {
  const object = world.namespace(namespace);
  const wishes = object.state === 'present' ? [annotationsOf(object.value.raw)] : [];
  const named = [...world.targetsIn(namespace), ...running.secretsIn(namespace)];
  for (const workload of running.workloads()) {
    if (workload.namespace !== namespace) continue;
    named.push(...workload.templateUses.map(({ secret }) => secret));
    wishes.push(workload.annotations, workload.templateAnnotations);
  }
  const wished = wishes.flatMap((annotations) => wishedUses([{ name: 'Pod', annotations }]));
  return new Set([...named, ...wished.map(({ secret }) => secret)]);
}
