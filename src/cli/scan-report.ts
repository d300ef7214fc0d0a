/** The results of `scan` as people and as scripts read them. */
import type { Mode } from '../contract/keys.ts';
import { counted, listDocument, printable } from './print.ts';
import type { Result, Style } from './review-report.ts';
import { allowedOf, findingItem, findingLine, isUnknown, markOf } from './review-report.ts';

/** One pod or workload. */
export interface Scanned {
  /** The verdict that `strict` would give. */
  readonly result: Result;
  /** The workload behind a pod. */
  readonly owner?: { readonly kind: string; readonly name: string };
  /** The pod runs without the injection that it asked for. */
  readonly missed: boolean;
  /** Today's mode; undefined where the namespace is not opted in. */
  readonly today?: Mode;
}

export interface Scan {
  readonly namespaces: number;
  readonly items: readonly Scanned[];
}

/** What is an exit code of its own. */
export function isTrouble({ result, missed }: Scanned): boolean {
  return missed || !result.allowed;
}

/** What there is something to say about, and a line that sums up. */
export function scanText(scan: Scan, style: Style): string {
  const { items } = scan;
  const workloads = new Map(items.map((item) => [keyOf(item.result.subject), item]));
  const pods = new Map<string, number>();
  for (const { owner, result } of items) {
    if (owner === undefined) continue;
    const key = keyOf({ ...result.subject, ...owner });
    pods.set(key, (pods.get(key) ?? 0) + 1);
  }
  const lines = items
    .filter((item) => !isSaidAlready(item, workloads))
    .flatMap((item) => itemLines(item, pods.get(keyOf(item.result.subject)) ?? 0, style));
  return [...lines, ...(lines.length === 0 ? [] : ['']), sumLine(scan), ''].join('\n');
}

/** The pods of a workload repeat what is said of it, unless they missed their injection. */
function isSaidAlready({ owner, missed, result }: Scanned, workloads: ReadonlyMap<string, Scanned>): boolean {
  if (missed || owner === undefined) return false;
  const above = workloads.get(keyOf({ ...result.subject, ...owner }));
  return above !== undefined && above.result.allowed === result.allowed;
}

interface Named {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

function keyOf({ kind, namespace, name }: Named): string {
  return `${kind} ${namespace}/${name}`;
}

function itemLines(item: Scanned, pods: number, style: Style): readonly string[] {
  const { result, missed } = item;
  if (result.findings.length === 0) return [];
  const { paint, symbols } = style;
  const warned = paint('yellow', symbols.warning);
  const mark = missed ? paint('red', symbols.bad) : result.allowed ? warned : markOf(result, style);
  const title = paint('bold', printable(keyOf(result.subject)));
  const running = pods === 0 ? '' : ` (${counted(pods, 'pod')})`;
  const words = [
    ...(missed ? ['runs without the injection that it asked for'] : []),
    ...(result.allowed ? [] : [refusalOf(item)]),
  ];
  return [
    `${mark} ${title}${running}: ${words.length === 0 ? 'allowed, with warnings' : words.join('; ')}`,
    ...result.findings.map((finding) => findingLine(finding, style)),
  ];
}

function refusalOf({ result, today }: Scanned): string {
  if (isUnknown(result)) return 'whether strict would refuse it is not known';
  const what = result.subject.kind === 'Pod' ? 'it' : 'its pods';
  return `strict ${today === 'strict' ? 'refuses' : 'would refuse'} ${what}`;
}

function sumLine(scan: Scan): string {
  const { scanned, namespaces, refused, unknown, missed, warnings } = summaryOf(scan);
  const unseen = unknown === 0 ? '' : `${unknown} not known, `;
  return (
    `${counted(scanned, 'object')} in ${counted(namespaces, 'namespace')} scanned: ` +
    `${refused} would be refused by strict, ${unseen}${missed} missed the injection, ${counted(warnings, 'warning')}.`
  );
}

interface Summary {
  readonly namespaces: number;
  readonly scanned: number;
  readonly allowed: number;
  readonly refused: number;
  readonly unknown: number;
  readonly missed: number;
  readonly warnings: number;
}

function summaryOf({ namespaces, items }: Scan): Summary {
  const allowed = items.filter(({ result }) => result.allowed).length;
  const unknown = items.filter(({ result }) => isUnknown(result)).length;
  return {
    namespaces,
    scanned: items.length,
    allowed,
    refused: items.length - allowed - unknown,
    unknown,
    missed: items.filter(({ missed }) => missed).length,
    warnings: items.flatMap(({ result }) => result.findings).filter(({ severity }) => severity === 'warning')
      .length,
  };
}

/** The contract's document: every object, also those with nothing to say. */
export function scanDocument(scan: Scan): object {
  return listDocument('ScanList', scan.items.map(scanItem), summaryOf(scan));
}

function scanItem({ result, owner, missed, today }: Scanned): object {
  const { subject, plugin, findings } = result;
  const { kind, namespace, name } = subject;
  return {
    kind,
    namespace,
    name,
    owner: owner ?? null,
    allowed: allowedOf(result),
    missed,
    mode: today ?? null,
    plugin,
    findings: findings.map(findingItem),
  };
}
