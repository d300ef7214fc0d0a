/** Puts a Decision together: the only place that makes one. */
import type { Decision, Finding, PatchOperation, Verdict } from './decision.ts';
import type { Draft } from './findings.ts';
import type { Inquiry } from './inquiry.ts';
import type { Manner } from './verdict.ts';
import { sentence } from './verdict.ts';

export interface Outcome {
  readonly drafts: readonly Draft[];
  readonly verdicts?: readonly Verdict[];
  readonly patch?: readonly PatchOperation[];
  readonly injected?: readonly string[];
  /** The plugin chain, as 'infisical,k8s'. */
  readonly plugin?: string;
  /** Whether the pod asked to wait for Secrets that are still to come. */
  readonly mayWait?: boolean;
}

const ASIDE: Decision = Object.freeze({
  allowed: true,
  plugin: '',
  mayWait: false,
  findings: [],
  warnings: [],
  patch: [],
  injected: [],
  verdicts: [],
  auditAnnotations: {},
  wanted: [],
  shared: true,
});

/** Not judged: exempt, not opted in, or nothing of ours. */
export function aside(): Decision {
  return ASIDE;
}

export function decide(inquiry: Inquiry, manner: Manner, outcome: Outcome): Decision {
  const { allowed, refusal, findings, warnings } = sentence(manner, outcome.drafts);
  const injected = allowed ? (outcome.injected ?? []) : [];
  const plugin = outcome.plugin ?? '';
  const decision: Decision = {
    allowed,
    mode: manner.mode,
    plugin,
    mayWait: outcome.mayWait ?? false,
    findings,
    warnings,
    patch: allowed ? (outcome.patch ?? []) : [],
    injected,
    verdicts: outcome.verdicts ?? [],
    auditAnnotations: annotationsOf(manner, plugin, injected, findings),
    wanted: inquiry.wanted,
  };
  return refusal === undefined ? decision : { ...decision, refusal };
}

/** What the API server's own audit log keeps of it. */
function annotationsOf(
  { mode }: Manner,
  plugin: string,
  injected: readonly string[],
  findings: readonly Finding[],
): Decision['auditAnnotations'] {
  const annotations: Record<string, string> = { mode };
  if (plugin !== '') annotations['plugin'] = plugin;
  if (injected.length > 0) annotations['injected'] = injected.join(',');
  if (findings.length > 0) annotations['findings'] = [...new Set(findings.map(({ code }) => code))].join(',');
  return annotations;
}
