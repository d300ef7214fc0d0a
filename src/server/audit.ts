/** Audit lines in the schema of floe's AuditEvent, on the logger `floe.audit`. Names and states, never values. */
import { get, text } from '../kube/json.ts';
import type { Decision, Finding, Verdict } from '../review/decision.ts';
import type { Request } from '../review/request.ts';

export interface Audit {
  /** One line for each Secret that the decision names, with the id of its trace; nothing in a dry run. */
  decided(request: Request, decision: Decision, traceId?: string): void;
  /** A review that was refused because of a fault of our own. */
  failed(request: Request, traceId?: string): void;
}

export interface AuditOptions {
  /** Takes whole lines, each with its newline. */
  readonly write: (line: string) => void;
  /** Whether callers had to show a client certificate. */
  readonly authenticated: boolean;
}

type Result = 'success' | 'denied' | 'error';
// structlog's names, as in floe's own audit lines.
const LEVELS = { success: 'info', denied: 'warning', error: 'error' } as const;

/** What one line says besides who asked. */
interface Entry {
  readonly secretPath: string;
  readonly result: Result;
  readonly plugin: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The same as JSON, in the three places of a line where it stands: members without their braces. */
interface Passage {
  readonly about: string;
  readonly metadata: string;
  readonly end: string;
}

export function createAudit({ write, authenticated }: AuditOptions): Audit {
  const passageOf = (request: Request, entry: Entry): Passage => {
    return writtenOf(request.namespace, entry, authenticated);
  };
  const passagesOf = remembered((request, decision) =>
    entriesOf(request, decision).map((entry) => passageOf(request, entry)),
  );
  return {
    decided(request, decision, traceId) {
      if (request.dryRun || (request.door === 'mutate' && decision.allowed)) return;
      for (const passage of passagesOf(request, decision)) write(lineOf(request, passage, traceId));
    },
    failed(request, traceId) {
      if (request.dryRun) return;
      const metadata = { error: 'the review failed; see the log of floe.secrets', codes: ['FLOE-E820'] };
      const secretPath = `${request.namespace}/-`;
      const passage = passageOf(request, { secretPath, result: 'error', plugin: '', metadata });
      write(lineOf(request, passage, traceId));
    },
  };
}

type PassagesOf = (request: Request, decision: Decision) => readonly Passage[];

/** Of a decision that requests share, only who asked and when differs from line to line. */
function remembered(make: PassagesOf): PassagesOf {
  const known = new WeakMap<
    Decision,
    { readonly namespace: string; readonly passages: readonly Passage[] }
  >();
  return (request, decision) => {
    if (decision.shared !== true) return make(request, decision);
    const last = known.get(decision);
    if (last?.namespace === request.namespace) return last.passages;
    const passages = make(request, decision);
    known.set(decision, { namespace: request.namespace, passages });
    return passages;
  };
}

function entriesOf(request: Request, decision: Decision): readonly Entry[] {
  const entries = decision.verdicts.map((verdict) => entryOf(request, decision, verdict));
  const isNamed = decision.allowed || decision.verdicts.some(({ denied }) => denied);
  return isNamed ? entries : [...entries, unnamedDenial(request, decision)];
}

function entryOf(request: Request, decision: Decision, verdict: Verdict): Entry {
  const finding = findingOf(decision, verdict);
  const result = resultOf(decision, verdict);
  const key = finding?.key === undefined ? '' : `/${finding.key}`;
  return {
    secretPath: `${request.namespace}/${verdict.secret}${key}`,
    result,
    plugin: verdict.plugin,
    metadata: {
      mode: decision.mode,
      state: verdict.state,
      codes: verdict.codes,
      injected: verdict.injected,
      denial_reason: result === 'denied' ? (finding?.message ?? decision.refusal?.message) : undefined,
      error: result === 'error' ? (finding?.message ?? verdict.state) : undefined,
    },
  };
}

/** A denial that no Secret stands for: an annotation that cannot be read, say. */
function unnamedDenial(request: Request, decision: Decision): Entry {
  return {
    secretPath: `${request.namespace}/-`,
    result: 'denied',
    plugin: decision.plugin,
    metadata: {
      mode: decision.mode,
      codes: [...new Set(decision.findings.map(({ code }) => code))],
      injected: false,
      denial_reason: decision.refusal?.message,
    },
  };
}

function findingOf(decision: Decision, verdict: Verdict): Finding | undefined {
  const about = decision.findings.filter(({ secret }) => secret === verdict.secret);
  return about.find(({ severity }) => severity === 'error') ?? about[0];
}

function resultOf(decision: Decision, verdict: Verdict): Result {
  if (verdict.state === 'Unknown') return 'error';
  return verdict.denied && !decision.allowed ? 'denied' : 'success';
}

/**
 * AuditEvent's fields, then the three that floe's logging adds, then the logger's name. What is undefined is not
 * written.
 */
function lineOf(request: Request, { about, metadata, end }: Passage, traceId: string | undefined): string {
  const who = membersOf({
    timestamp: new Date().toISOString(),
    requester_id: brief(request.user.username) || 'unknown',
    trace_id: traceId,
  });
  const what = membersOf({ request_uid: brief(request.uid), pod: brief(podOf(request)) });
  return `{${who},${about},"metadata":{${what},${metadata}},${end}}\n`;
}

function writtenOf(namespace: string, entry: Entry, authenticated: boolean): Passage {
  const { secretPath, result, plugin, metadata } = entry;
  return {
    about: membersOf({
      secret_path: secretPath.slice(0, 1024),
      operation: 'get',
      result,
      plugin_type: plugin || undefined,
      namespace: brief(namespace) || undefined,
    }),
    // Never nothing: an entry tells at least its codes.
    metadata: membersOf({ ...metadata, authenticated: authenticated ? undefined : false }),
    end: membersOf({ audit_event: true, event: 'audit_event', level: LEVELS[result], logger: 'floe.audit' }),
  };
}

/** No uid and no name of the API server is longer; a line is written for each Secret. */
function brief(written: string): string {
  return written.slice(0, 256);
}

/** An object's members as JSON. */
function membersOf(object: object): string {
  return JSON.stringify(object).slice(1, -1);
}

/** The name; before the API server makes it of `generateName`, that with a star. */
function podOf(request: Request): string {
  if (request.name !== '') return request.name;
  const metadata = get(request.object, 'metadata');
  return text(metadata, 'name') ?? `${text(metadata, 'generateName') ?? ''}*`;
}
