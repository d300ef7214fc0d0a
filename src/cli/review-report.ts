/** The results of `review` as people and as scripts read them. */
import type { Mode } from '../contract/keys.ts';
import type { JsonObject } from '../kube/json.ts';
import { correctInfisicalSecret } from '../plugins/infisical-shape.ts';
import type { Finding, PatchOperation, Verdict } from '../review/decision.ts';
import type { Subject } from './bundle.ts';
import { fingerprintOf } from './fingerprint.ts';
import { lineOf } from './positions.ts';
import { unifiedDiff } from './diff.ts';
import type { Paint, Symbols } from './print.ts';
import { counted, printable, yaml } from './print.ts';

/** What became of one object: both doors' decisions as one. */
export interface Result {
  readonly subject: Subject;
  readonly allowed: boolean;
  /** undefined where nothing was judged. */
  readonly mode?: Mode;
  readonly plugin: string;
  readonly findings: readonly Finding[];
  readonly warnings: readonly string[];
  readonly patch: readonly PatchOperation[];
  readonly injected: readonly string[];
  /** What became of each Secret. */
  readonly verdicts: readonly Verdict[];
  /** The pod with its injection. */
  readonly patched?: JsonObject;
}

/** A finding in its place. */
export interface ReviewedFinding {
  readonly finding: Finding;
  readonly line: number;
  readonly fingerprint: string;
  /** It is in the baseline, and fails nothing. */
  readonly isKnown: boolean;
}

/** Every finding with its place; `known` are the fingerprints of a baseline. */
export function reviewedFindings(
  { subject, findings }: Pick<Result, 'subject' | 'findings'>,
  known: ReadonlySet<string>,
): readonly ReviewedFinding[] {
  return findings.map((finding) => {
    const fingerprint = fingerprintOf(subject, finding);
    return { finding, line: lineOf(subject, finding), fingerprint, isKnown: known.has(fingerprint) };
  });
}

/** Denied, and not for known reasons alone. */
export function isFailed({ allowed, reviewed }: Reviewed): boolean {
  return !allowed && reviewed.some(({ finding, isKnown }) => finding.severity === 'error' && !isKnown);
}

/** Refused for nothing but what could not be looked at: with more rights it may be allowed. */
export function isUnknown({ allowed, findings }: Pick<Result, 'allowed' | 'findings'>): boolean {
  return !allowed && findings.every(({ code, severity }) => severity !== 'error' || UNSEEN.includes(code));
}

const UNSEEN: readonly Finding['code'][] = ['FLOE-E820', 'FLOE-E821'];

/** As scripts read it: null where it is not known. */
export function allowedOf(result: Pick<Result, 'allowed' | 'findings'>): boolean | null {
  return isUnknown(result) ? null : result.allowed;
}

/** The sign before what is said of an object. */
export function markOf(result: Pick<Result, 'allowed' | 'findings'>, { paint, symbols }: Style): string {
  if (isUnknown(result)) return paint('yellow', '?');
  return result.allowed ? paint('green', symbols.good) : paint('red', symbols.bad);
}

/** A result with its findings in their places. */
export interface Reviewed extends Result {
  readonly reviewed: readonly ReviewedFinding[];
}

/** The contract's JSON; the keys of a result are always there, those of a finding where it has them. */
export function reviewDocument(results: readonly Reviewed[]): object {
  return { results: results.map(resultItem), summary: summaryOf(results) };
}

function resultItem(result: Reviewed): object {
  const { subject, mode, plugin, reviewed, warnings, patch, injected } = result;
  const { file } = subject.manifest;
  return {
    kind: subject.kind,
    namespace: subject.namespace,
    name: subject.name,
    allowed: allowedOf(result),
    mode: mode ?? null,
    plugin,
    findings: reviewed.map(({ finding, line, fingerprint, isKnown }) => ({
      ...findingItem(finding),
      file,
      line,
      fingerprint,
      ...(isKnown ? { baseline: true } : {}),
    })),
    warnings,
    patch,
    injected,
  };
}

/** A finding with the contract's fields alone. */
export function findingItem(finding: Finding): object {
  const { code, severity, secret, key, container, field, message, suggestion } = finding;
  return { code, severity, secret, key, container, field, message, suggestion };
}

interface Summary {
  readonly reviewed: number;
  readonly allowed: number;
  readonly denied: number;
  readonly unknown: number;
  readonly warnings: number;
}

function summaryOf(results: readonly Result[]): Summary {
  const allowed = results.filter((result) => result.allowed).length;
  const unknown = results.filter(isUnknown).length;
  return {
    reviewed: results.length,
    allowed,
    denied: results.length - allowed - unknown,
    unknown,
    warnings: results.flatMap(warningsOf).length,
  };
}

/** Who is denied gets no warnings; what was found besides is in the text all the same. */
function warningsOf({ allowed, warnings, findings }: Result): readonly unknown[] {
  return allowed ? warnings : findings.filter(({ severity }) => severity === 'warning');
}

export interface Style {
  readonly paint: Paint;
  readonly symbols: Symbols;
}

/** For people: a line an object, what was found below it, and a line that sums up. */
export function reviewText(results: readonly Reviewed[], style: Style): string {
  const { reviewed, allowed, denied, unknown, warnings } = summaryOf(results);
  const lines = results.flatMap((result) => resultLines(result, style));
  const unseen = unknown === 0 ? '' : `${unknown} not known, `;
  const sum = `${counted(reviewed, 'object')} reviewed: ${allowed} allowed, ${denied} denied, ${unseen}${counted(warnings, 'warning')}.`;
  return [...lines, '', sum, ''].join('\n');
}

function resultLines(result: Reviewed, style: Style): readonly string[] {
  const { subject, allowed, injected, reviewed } = result;
  const title = printable(`${subject.kind} ${subject.namespace}/${subject.name}`);
  const gains = allowed && injected.length > 0 ? `, injected ${injected.join(', ')}` : '';
  return [
    `${markOf(result, style)} ${style.paint('bold', title)}: ${verdictOf(result)}${gains}`,
    ...reviewed.flatMap((one) => reviewedLines(one, subject.manifest.file, style)),
    ...correctionLines(result, style),
  ];
}

function reviewedLines(
  { finding, line, isKnown }: ReviewedFinding,
  file: string,
  style: Style,
): readonly string[] {
  const known = isKnown ? ', in the baseline' : '';
  return [findingLine(finding, style), style.paint('dim', `    at ${printable(file)}:${line}${known}`)];
}

function verdictOf(result: Result): string {
  const { allowed, mode } = result;
  if (mode === undefined) return 'not judged (the namespace is not opted in, or exempt)';
  if (isUnknown(result)) return `not known (${mode})`;
  return `${allowed ? 'allowed' : 'denied'} (${mode})`;
}

/** A finding on a line of its own, indented under what it is about. */
export function findingLine(finding: Finding, { paint, symbols }: Style): string {
  const isError = finding.severity === 'error';
  const mark = isError ? paint('red', symbols.bad) : paint('yellow', symbols.warning);
  return `  ${mark} ${printable(finding.message)}`;
}

/** The form of floe's decision record is refused by the operator's CRD: show what it should be. */
function correctionLines({ subject }: Result, { paint }: Style): readonly string[] {
  if (subject.kind !== 'InfisicalSecret') return [];
  const corrected = correctInfisicalSecret(subject.manifest.written);
  if (corrected === undefined) return [];
  const lines = yaml(corrected).trimEnd().split('\n');
  return ['  As the operator reads it:', ...lines.map((line) => paint('cyan', `    ${printable(line)}`))];
}

/** What the injection changes, as a unified diff of YAML; empty where nothing changes. */
export function reviewDiff(results: readonly Result[]): string {
  return results
    .map(({ subject, patched }) => {
      if (subject.pod === undefined || patched === undefined) return '';
      const title = printable(`${subject.namespace}/${subject.kind}/${subject.name}`);
      return unifiedDiff(yaml(subject.pod), yaml(patched), { before: `a/${title}`, after: `b/${title}` });
    })
    .join('');
}
