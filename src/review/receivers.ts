/** Which containers of a pod receive what is injected. */
import type { ContainerEntry } from '../contract/grammar.ts';
import { KEYS } from '../contract/keys.ts';
import type { Container } from '../kube/pod.ts';
import { containersOfType } from '../kube/pod.ts';
import type { Draft } from './findings.ts';
import { excerpt, fieldOf, invalid } from './findings.ts';
import type { Settings } from './settings.ts';

const SHOWN_NAMES = 20;
/** An object of the API server is at most 1.5 MiB long. */
const MOST_ADDED = 10_000;

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
  const [fromInit, fromRegular] = [pick(init, chosen, true), pick(regular, chosen, false)];
  return {
    containers: [...fromInit.picked, ...fromRegular.picked],
    absent: [...fromInit.absent, ...fromRegular.absent],
  };
}

/** Of one list of containers those that the entries name, and the entries that name none. */
function pick(
  there: readonly Container[],
  chosen: readonly ContainerEntry[],
  init: boolean,
): { readonly picked: readonly Container[]; readonly absent: readonly Draft[] } {
  const wanted = new Set(chosen.filter((entry) => entry.init === init).map(({ name }) => name));
  const names = new Set(there.map(({ name }) => name));
  const missing = [...wanted].filter((name) => name !== '*' && !names.has(name));
  return {
    picked: wanted.has('*') ? there : there.filter(({ name }) => wanted.has(name)),
    absent: missing.length === 0 ? [] : absentOf(missing, names, init),
  };
}

function absentOf(missing: readonly string[], names: ReadonlySet<string>, init: boolean): readonly Draft[] {
  const kind = init ? 'init container' : 'container';
  const shown = [...names].slice(0, SHOWN_NAMES).map((name) => `'${excerpt(name)}'`);
  if (names.size > SHOWN_NAMES) shown.push('…');
  const suggestion = names.size === 0 ? `the pod has no ${kind}s` : `its ${kind}s are ${shown.join(', ')}`;
  return missing.map((name) => ({
    ...invalid(
      `annotation ${KEYS.containers} names the ${kind} '${name}'${init ? ` (init:${name})` : ''}, which this pod does not have`,
    ),
    field: fieldOf(KEYS.containers),
    suggestion,
  }));
}

/** E805 where more would be added than any object of the API server could hold. */
export function excessOf(entries: number, { containers }: Receivers): Draft | undefined {
  if (entries * containers.length <= MOST_ADDED) return undefined;
  return {
    ...invalid(
      `${entries} entries in each of ${containers.length} containers are asked for; at most ${MOST_ADDED} are added to a pod`,
    ),
    field: 'metadata.annotations',
    suggestion: `name the containers that need them (${KEYS.containers}), or refer to whole Secrets (${KEYS.inject})`,
  };
}
