/** Which containers of a pod receive what is injected. */
import type { ContainerEntry } from '../contract/grammar.ts';
import { KEYS } from '../contract/keys.ts';
import type { Container } from '../kube/pod.ts';
import { containersOfType } from '../kube/pod.ts';
import type { Draft } from './findings.ts';
import { fieldOf, invalid } from './findings.ts';
import type { Settings } from './settings.ts';

export interface Receivers {
  readonly containers: readonly Container[];
  /** Containers that are named and not there. */
  readonly absent: readonly Draft[];
}

/** The containers that were chosen; without a choice every regular one but those of `injection.skipContainers`. */
export function receiversOf(
  settings: Settings,
  pod: unknown,
  chosen: readonly ContainerEntry[] | undefined,
): Receivers {
  const regular = containersOfType(pod, 'container');
  if (chosen === undefined)
    return { containers: regular.filter(({ name }) => !settings.skipContainers.has(name)), absent: [] };
  const init = containersOfType(pod, 'init');
  const picked = new Set<Container>();
  const absent: Draft[] = [];
  for (const entry of chosen) {
    const found = (entry.init ? init : regular).filter(
      ({ name }) => entry.name === '*' || entry.name === name,
    );
    found.forEach((container) => picked.add(container));
    if (found.length === 0 && entry.name !== '*')
      absent.push(noSuchContainer(entry, entry.init ? init : regular));
  }
  return { containers: [...init, ...regular].filter((container) => picked.has(container)), absent };
}

function noSuchContainer(entry: ContainerEntry, there: readonly Container[]): Draft {
  const kind = entry.init ? 'init container' : 'container';
  const names = there.map(({ name }) => `'${name}'`).join(', ');
  const address = entry.init ? ` (init:${entry.name})` : '';
  return {
    ...invalid(
      `annotation ${KEYS.containers} names the ${kind} '${entry.name}'${address}, which this pod does not have`,
    ),
    field: fieldOf(KEYS.containers),
    suggestion: names === '' ? `the pod has no ${kind}s` : `its ${kind}s are ${names}`,
  };
}
