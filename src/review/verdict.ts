/** From findings to the answer: the contract's table, the message, the warnings. */
import type { Mode } from '../contract/keys.ts';
import type { Finding, Refusal } from './decision.ts';
import type { Draft } from './findings.ts';
import { errorsFirst, findingOf } from './findings.ts';

export interface Sentence {
  readonly allowed: boolean;
  readonly refusal?: Refusal;
  readonly findings: readonly Finding[];
  readonly warnings: readonly string[];
}

/** How the request may be refused. */
export interface Manner {
  readonly mode: Mode;
  /** Nobody tries again by itself: a pod without a controller. */
  readonly bare: boolean;
  readonly dryRun: boolean;
}

const MESSAGE_LIMIT = 1024;
const WARNING_ADVISED = 120;
const WARNING_LIMIT = 256;
const WARNINGS_TOTAL = 4096;
const RETRY_SECONDS = 1;

const NOTHING_TO_SAY: Sentence = Object.freeze({ allowed: true, findings: [], warnings: [] });

export function sentence(manner: Manner, drafts: readonly Draft[]): Sentence {
  if (drafts.length === 0) return NOTHING_TO_SAY;
  const sorted = errorsFirst(drafts);
  const findings = sorted.map(findingOf);
  const denied = manner.mode === 'strict' && sorted.some((one) => one.severity === 'error');
  if (!denied)
    return { allowed: true, findings, warnings: manner.mode === 'audit' ? [] : warningsOf(findings) };
  return { allowed: false, refusal: refusalOf(manner, sorted, findings), findings, warnings: [] };
}

function refusalOf(manner: Manner, drafts: readonly Draft[], findings: readonly Finding[]): Refusal {
  const message = messageOf(findings);
  const errors = drafts.filter((one) => one.severity === 'error');
  if (errors.some((one) => one.code === 'FLOE-E805')) return { code: 422, reason: 'Invalid', message };
  const passing = errors.every(
    (one) => one.state === 'Unknown' || (one.state === 'Pending' && !manner.dryRun),
  );
  if (!passing || !manner.bare) return { code: 403, reason: 'Forbidden', message };
  return { code: 429, reason: 'TooManyRequests', message, retryAfterSeconds: RETRY_SECONDS };
}

/** Whole findings, as many as fit, and how many did not. */
function messageOf(findings: readonly Finding[]): string {
  const more = (count: number): string => `… and ${count} more (kubectl floe-secrets explain)`;
  let message = '';
  for (const [index, finding] of findings.entries()) {
    const next = message === '' ? finding.message : `${message} ${finding.message}`;
    const rest = findings.length - index - 1;
    const room = MESSAGE_LIMIT - (rest === 0 ? 0 : more(rest).length + 1);
    if (next.length > room) {
      if (message !== '') return `${message} ${more(findings.length - index)}`;
      return rest === 0 ? cut(next, MESSAGE_LIMIT) : `${cut(next, room)} ${more(rest)}`;
    }
    message = next;
  }
  return message;
}

/** One line a finding: whole where it fits the advised length, else without its suggestion, cut at 256. */
function warningsOf(findings: readonly Finding[]): readonly string[] {
  const warnings: string[] = [];
  let total = 0;
  for (const finding of findings) {
    const line =
      finding.message.length <= WARNING_ADVISED ? finding.message : cut(finding.summary, WARNING_LIMIT);
    if (warnings.includes(line)) continue;
    const left = findings.length - warnings.length;
    const last = `… and ${left} more (kubectl floe-secrets explain)`;
    if (total + line.length > WARNINGS_TOTAL - last.length) return [...warnings, last];
    warnings.push(line);
    total += line.length;
  }
  return warnings;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}
