/** `floe-secrets gates list` and `gates open`: pods that wait, and letting them go without the controller. */
import { errorOfFault } from '../cluster/api-error.ts';
import type { Client } from '../cluster/client.ts';
import { openGate } from '../cluster/open-gate.ts';
import { collectionPath } from '../cluster/paths.ts';
import { podPath } from '../cluster/regarding.ts';
import type { JsonObject } from '../kube/json.ts';
import { formatAge } from '../kube/duration.ts';
import { isObject } from '../kube/json.ts';
import { POD, createdAt, nameOf, namespaceOf } from '../kube/object.ts';
import { isDnsSubdomain } from '../kube/names.ts';
import { hasGate } from '../review/gate.ts';
import { withClient } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption, textOption } from './options.ts';
import type { Column, Format } from './print.ts';
import { listDocument, structured, tableFor } from './print.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, exitCodeOf, guarded, messageOf, worstExit } from './terminal.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** Exit code 0, whether pods wait or not. */
export async function list(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const pods = await withClient(options, terminal, async (client) =>
      gatedPods(client, scopeOf(options, client)),
    );
    const everywhere = flagOption(options, 'allNamespaces');
    if (format !== 'text') terminal.stdout.write(structured(format, documentOf(pods.map(waiting), false)));
    else if (pods.length > 0) terminal.stdout.write(tableFor(terminal, columnsOf(everywhere), pods));
    else terminal.stderr.write('No pod waits behind a gate.\n');
    return EXIT.ok;
  });
}

/** Exit code 0 where no gate is left that was meant; else that of the first failure. */
export async function open(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const name = podOption(options);
    const format = formatOption(options, FORMATS);
    const dryRun = flagOption(options, 'dryRun');
    const opened = await withClient(options, terminal, async (client) => {
      return openEach(client, await meantPods(client, options, name), dryRun);
    });
    if (format === 'text') printOpened(opened, dryRun, terminal);
    else terminal.stdout.write(structured(format, documentOf(opened, dryRun)));
    return worstExit(opened.flatMap(({ exitCode = 0 }) => exitCode));
  });
}

/** One after the other; what fails is in the result. */
export async function openEach(
  client: Client,
  pods: readonly JsonObject[],
  dryRun: boolean,
): Promise<readonly Opened[]> {
  const done: Opened[] = [];
  for (const pod of pods) done.push(await openOne(client, pod, dryRun));
  return done;
}

export function printOpened(opened: readonly Opened[], dryRun: boolean, terminal: Terminal): void {
  if (opened.length === 0) terminal.stderr.write('No pod waits behind a gate.\n');
  else terminal.stdout.write(tableFor(terminal, openedColumns(dryRun), opened));
}

/** The pod that is named, or undefined with `--all`: one of both must be there. */
function podOption(options: Options): string | undefined {
  const name = textOption(options, 'pod');
  const all = flagOption(options, 'all');
  if (all === (name !== undefined)) throw new CommandError('name a pod, or give --all', EXIT.usage);
  if (name !== undefined && !isDnsSubdomain(name))
    throw new CommandError(`'${name}' is no name of a pod`, EXIT.usage);
  return name;
}

async function meantPods(
  client: Client,
  options: Options,
  name: string | undefined,
): Promise<readonly JsonObject[]> {
  const namespace = textOption(options, 'namespace');
  if (name === undefined) return gatedPods(client, namespace);
  const place = namespace ?? client.namespace;
  try {
    const pod = await client.get(podPath({ metadata: { namespace: place, name } }));
    return hasGate(pod) ? [pod] : [];
  } catch (fault) {
    if (errorOfFault(fault).status !== 404) throw fault;
    throw new CommandError(`there is no pod '${name}' in namespace ${place}`, EXIT.general);
  }
}

/** undefined: all namespaces. */
function scopeOf(options: Options, client: Client): string | undefined {
  if (flagOption(options, 'allNamespaces')) return undefined;
  return textOption(options, 'namespace') ?? client.namespace;
}

/** Without a namespace those of all. */
export async function gatedPods(client: Client, namespace?: string): Promise<readonly JsonObject[]> {
  const pods: JsonObject[] = [];
  for await (const { items } of client.list(collectionPath(POD, namespace))) {
    pods.push(...items.filter(isObject).filter(hasGate));
  }
  return pods;
}

export interface Opened {
  readonly pod: JsonObject;
  readonly action: 'waiting' | 'opened' | 'gone' | 'failed';
  readonly reason?: string;
  readonly exitCode?: number;
}

async function openOne(client: Client, pod: JsonObject, dryRun: boolean): Promise<Opened> {
  try {
    return { pod, action: (await openGate(client, pod, { dryRun })) ? 'opened' : 'gone' };
  } catch (error) {
    return { pod, action: 'failed', reason: messageOf(error), exitCode: exitCodeOf(error) };
  }
}

function waiting(pod: JsonObject): Opened {
  return { pod, action: 'waiting' };
}

function columnsOf(everywhere: boolean): readonly Column<JsonObject>[] {
  const namespace: Column<JsonObject> = { header: 'NAMESPACE', cell: namespaceOf };
  return [
    ...(everywhere ? [namespace] : []),
    { header: 'POD', cell: nameOf },
    { header: 'WAITS SINCE', cell: sinceOf },
  ];
}

function sinceOf(pod: JsonObject): string {
  const created = createdAt(pod);
  return created === undefined ? '-' : `${formatAge(Date.now() - created)} ago`;
}

function openedColumns(dryRun: boolean): readonly Column<Opened>[] {
  const words = {
    waiting: 'closed',
    opened: dryRun ? 'would open' : 'opened',
    gone: 'gone',
    failed: 'failed',
  };
  return [
    { header: 'NAMESPACE', cell: ({ pod }) => namespaceOf(pod) },
    { header: 'POD', cell: ({ pod }) => nameOf(pod) },
    { header: 'GATE', cell: ({ action }) => words[action] },
    { header: 'REASON', cell: ({ reason }) => reason ?? '-' },
  ];
}

/** The same for pods that only wait: `gates list` has no other form. */
function documentOf(pods: readonly Opened[], dryRun: boolean): object {
  const count = (wanted: Opened['action']): number => pods.filter(({ action }) => action === wanted).length;
  const items = pods.map(({ pod, action, reason }) => ({
    namespace: namespaceOf(pod),
    pod: nameOf(pod),
    since: timeText(createdAt(pod)),
    action,
    reason: reason ?? null,
  }));
  return listDocument('GatesList', items, {
    dryRun,
    waiting: count('waiting'),
    opened: count('opened'),
    gone: count('gone'),
    failed: count('failed'),
  });
}

function timeText(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
