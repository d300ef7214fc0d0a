/** The result of `explain` as people and as scripts read it. */
import type { Refusal } from '../cluster/refusals.ts';
import { formatAge } from '../kube/duration.ts';
import { nameOf } from '../kube/object.ts';
import { splitEntries } from '../contract/grammar.ts';
import type { Claim } from '../review/claims.ts';
import type { ExplainedSecret, Explanation, InjectedEntry } from '../review/explanation.ts';
import { cleanWords } from '../review/findings.ts';
import { hasGate } from '../review/gate.ts';
import type { LevelName } from '../review/levels.ts';
import type { Column } from './print.ts';
import { counted, listDocument, printable, tableFor } from './print.ts';
import type { Result, Style } from './review-report.ts';
import { allowedOf, findingItem, findingLine, isUnknown, markOf } from './review-report.ts';
import { lastSyncOf, syncResourceOf, tellingClaims } from './secret-rows.ts';
import type { Terminal } from './terminal.ts';

export interface Explained {
  readonly result: Result;
  /** It is judged as it stands; else as it would be made. */
  readonly runs: boolean;
  /** Absent where nothing is judged: not opted in, or exempt. */
  readonly explanation?: Explanation;
  /** The workload behind a pod. */
  readonly owner?: { readonly kind: string; readonly name: string };
  /** The pods of a workload that are there. */
  readonly running?: readonly string[];
  /** What its controller was told when its last pod was refused. */
  readonly refusal?: Refusal;
}

interface Page {
  readonly style: Style;
  readonly terminal: Terminal;
  readonly now: number;
}

/** What is an exit code of its own: a refusal, or an injection that is not there. */
export function isRefused({ result, runs }: Explained): boolean {
  return !result.allowed || (runs && result.findings.some(isMissed));
}

function isMissed({ code, severity }: Result['findings'][number]): boolean {
  return code === 'FLOE-E807' && severity === 'error';
}

export function explainText(explained: Explained, page: Page): string {
  const { result, explanation, refusal } = explained;
  const { style } = page;
  const parts = [
    headLines(explained, style),
    ...(explanation === undefined
      ? []
      : [
          wishLines(explained, explanation, style),
          entryLines(explained, style),
          secretLines(explanation, result, page),
        ]),
    result.findings.length === 0
      ? []
      : [heading('Findings', style), ...result.findings.map((finding) => findingLine(finding, style))],
    refusal === undefined ? [] : refusalLines(refusal, page),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

/** An API server's message has 1,024 characters of ours, and words around them. */
const LONGEST = 2000;

function refusalLines({ message, at }: Refusal, { style, now }: Page): readonly string[] {
  const age = at === undefined ? '' : `, ${formatAge(now - at)} ago`;
  return [heading(`The controller's last refusal${age}`, style), `  ${printable(message.slice(0, LONGEST))}`];
}

function heading(words: string, { paint }: Style): string {
  return paint('bold', `${words}:`);
}

function headLines({ result, runs, owner, running }: Explained, style: Style): readonly string[] {
  const { subject, plugin } = result;
  const title = style.paint('bold', printable(`${subject.kind} ${subject.namespace}/${subject.name}`));
  const facts = [
    ...(owner === undefined ? [] : [`made by ${owner.kind} ${printable(owner.name)}`]),
    ...(runs && hasGate(subject.manifest.raw) ? ['waits behind its gate until its Secrets are there'] : []),
    ...(running === undefined ? [] : [`${counted(running.length, 'pod')} there`]),
    ...(plugin === '' ? [] : [`plugins ${plugin.replaceAll(',', ', ')}`]),
  ];
  return [
    `${markOf(result, style)} ${title}: ${verdictOf(result, runs)}`,
    ...facts.map((fact) => `  ${fact}`),
  ];
}

function verdictOf(result: Result, runs: boolean): string {
  const { allowed, mode, subject } = result;
  if (mode === undefined) return 'not judged: its namespace is not opted in, or is exempt';
  const isPod = subject.kind === 'Pod';
  if (isUnknown(result)) {
    const now = runs
      ? 'runs; whether it would be allowed now'
      : `whether ${isPod ? 'it is' : 'its pods are'} allowed`;
    return `${now} is not known (${mode})`;
  }
  const who = isPod ? '' : 'its pods are ';
  if (allowed) return `${who}allowed (${mode})`;
  return runs ? `runs, and would be refused if it were made now (${mode})` : `${who}refused (${mode})`;
}

function wishLines(explained: Explained, { wishes }: Explanation, style: Style): readonly string[] {
  if (wishes.length === 0) return ['Nothing asks for an injection.'];
  const lines = wishes.map(
    ({ annotation, value, level }) =>
      `  ${annotation}: ${printable(splitEntries(value).join(', ') || '""')}  (on the ${placeOf(level, explained)})`,
  );
  return [heading('Asked for', style), ...lines];
}

function entryLines(explained: Explained, style: Style): readonly string[] {
  const { explanation, runs, result } = explained;
  const entries = explanation?.entries ?? [];
  if (entries.length === 0) return [];
  const { paint, symbols } = style;
  const title = runs ? 'Injected' : result.allowed ? 'Will be injected' : 'Would be injected';
  const lines = entries.map((entry) => {
    const words = printable(entryWords(entry, placeOf(entry.level, explained)));
    if (!runs) return `  ${words}`;
    if (entry.carried) return `  ${paint('green', symbols.good)} ${words}`;
    return `  ${paint('red', symbols.bad)} ${words}: the pod does not have it`;
  });
  return [heading(title, style), ...lines];
}

/** What a workload's pods will have stands on its template. */
function placeOf(level: LevelName, { result, runs }: Explained): string {
  return level === 'Pod' && !runs && result.subject.kind !== 'Pod' ? 'pod template' : level;
}

function entryWords({ container, field, secret, key, annotation }: InjectedEntry, place: string): string {
  const what = key === undefined ? secret : `${secret}/${key}`;
  return `container '${container}', ${field}: ${what}, by ${annotation} on the ${place}`;
}

function secretLines(
  { secrets }: Explanation,
  result: Result,
  { style, terminal, now }: Page,
): readonly string[] {
  if (secrets.length === 0) return [];
  const columns: readonly Column<ExplainedSecret>[] = [
    { header: 'SECRET', cell: ({ secret }) => secret },
    { header: 'STATE', cell: (one) => stateOf(one, result) },
    { header: 'SOURCE', cell: sourceWords },
    { header: 'LAST SYNC', cell: (one) => ageOf(one, now) },
    { header: 'USED BY', cell: ({ references }) => references.map(({ use }) => use.words).join(', ') },
  ];
  const why = secrets.flatMap(({ secret, resolution }) => {
    const words = resolution.why ?? resolution.failure?.message;
    return words === undefined ? [] : [`  ${printable(secret)}: ${printable(words)}`];
  });
  return [heading('Secrets', style), tableFor(terminal, columns, secrets).trimEnd(), ...why];
}

/** The judgement's word, which knows which keys are needed and what is optional; else what the Secret itself says. */
function stateOf({ secret, resolution }: ExplainedSecret, { verdicts }: Result): string {
  return verdicts.find((verdict) => verdict.secret === secret)?.state ?? resolution.state;
}

function sourceWords(one: ExplainedSecret): string {
  const [claim] = claimsOf(one);
  if (claim !== undefined) return `${claim.object.kind.kind} ${nameOf(claim.object.raw)}`;
  return one.resolution.record === undefined ? '-' : 'no sync resource';
}

function claimsOf({ resolution }: ExplainedSecret): readonly Claim[] {
  return tellingClaims(resolution);
}

function ageOf(one: ExplainedSecret, now: number): string {
  const last = lastSyncOf(claimsOf(one), one.resolution.record);
  return last === undefined ? '-' : `${formatAge(now - last.time)} ago`;
}

export function explainDocument(explained: readonly Explained[]): object {
  const unknown = explained.filter(({ result }) => isUnknown(result)).length;
  const refused = explained.filter(({ result }) => !result.allowed).length - unknown;
  const missed = explained.filter(({ result, runs }) => runs && result.findings.some(isMissed)).length;
  const summary = { explained: explained.length, refused, unknown, missed };
  return listDocument('ExplainList', explained.map(explainItem), summary);
}

function explainItem(explained: Explained): object {
  const { result, runs, explanation, owner, running, refusal } = explained;
  const { subject, mode, plugin, findings } = result;
  return {
    kind: subject.kind,
    namespace: subject.namespace,
    name: subject.name,
    owner: owner ?? null,
    runs,
    allowed: allowedOf(result),
    mode: mode ?? null,
    plugin,
    pods: running ?? null,
    asked: explanation?.wishes ?? [],
    injected: explanation?.entries ?? [],
    secrets: explanation?.secrets.map((one) => secretItem(one, result)) ?? [],
    findings: findings.map(findingItem),
    refusal: refusal === undefined ? null : cleanWords(refusal.message),
  };
}

function secretItem(one: ExplainedSecret, result: Result): object {
  const { secret, injected, references, resolution } = one;
  const { record, why, failure } = resolution;
  const [claim] = claimsOf(one);
  const last = lastSyncOf(claimsOf(one), record);
  return {
    secret,
    state: stateOf(one, result),
    reason: why ?? failure?.message ?? null,
    injected,
    syncResource: claim === undefined ? null : syncResourceOf(claim),
    lastSync: last === undefined ? null : new Date(last.time).toISOString(),
    lastSyncSource: last?.source ?? null,
    version: record?.resourceVersion ?? null,
    uses: references.map(({ use, keys, optional }) => ({
      container: use.container ?? null,
      field: use.field,
      keys,
      optional,
    })),
  };
}
