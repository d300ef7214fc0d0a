/** `floe-secrets sync NAME`: makes the operator sync now, waits for its pass, and shows what came of it. */
import type { Client } from '../cluster/client.ts';
import { resync } from '../cluster/resync.ts';
import { loadConfig } from '../config/load.ts';
import { formatDuration, parseDuration } from '../kube/duration.ts';
import type { KubeObject } from '../kube/object.ts';
import { nameOf, namespaceOf } from '../kube/object.ts';
import type { Nudge, Resync } from '../plugins/resync.ts';
import { resyncOf } from '../plugins/resync.ts';
import type { Settings } from '../review/settings.ts';
import { settingsOf } from '../review/settings.ts';
import { interruptible } from './interrupt.ts';
import { openLiveWorld } from './live-world.ts';
import { withClient } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption, secretOption, textOption } from './options.ts';
import type { Format } from './print.ts';
import { counted, listDocument, painter, printable, structured, symbols } from './print.ts';
import { withProgress } from './progress.ts';
import type { Outcome, SyncSubject } from './sync-subject.ts';
import { outcomeOf, subjectOf } from './sync-subject.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, guarded } from './terminal.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

const INTERRUPTED = 'what was written to wake the operator is as it was; it may sync all the same';

/** What became of one sync resource. */
interface Synced {
  readonly object: KubeObject;
  readonly method: Nudge['how'];
  /** Whether a pass of the operator was seen. */
  readonly seen: boolean;
  /** Why not, or why not for certain. */
  readonly note?: string;
}

/** Exit code 5 where no pass was seen, or the Secret is not synced after it. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const terms = { name: secretOption(options), ...termsOf(options) };
    const settings = settingsOf(loadConfig({ env: terminal.env, cwd: terminal.cwd, flags: {} }));
    const { synced, outcome } = await withProgress(terminal, async (progress) =>
      withClient(options, terminal, async (client) => {
        const namespace = textOption(options, 'namespace') ?? client.namespace;
        const subject = await look(client, settings, { namespace, name: terms.name });
        progress.say('waiting for the operator');
        const done = await interruptible(terminal, INTERRUPTED, async (signal) =>
          syncAll(client, subject, { ...terms, terminal, signal }),
        );
        const { secret } = subject;
        return {
          synced: done,
          outcome: outcomeOf(await look(client, settings, { namespace, name: secret })),
        };
      }),
    );
    if (format === 'text') terminal.stdout.write(text(synced, outcome, terminal));
    else terminal.stdout.write(structured(format, document(synced, outcome)));
    const good = outcome.state === 'Synced' && synced.every(({ seen }) => seen);
    return good ? EXIT.ok : EXIT.findings;
  });
}

interface Terms {
  readonly timeoutMs: number;
  readonly mayWriteSpec: boolean;
}

function termsOf(options: Options): Terms {
  if (flagOption(options, 'allNamespaces')) {
    throw new CommandError('a Secret is in one namespace: name it with -n instead of -A', EXIT.usage);
  }
  const written = textOption(options, 'timeout') ?? '60s';
  const timeoutMs = parseDuration(written);
  if (timeoutMs !== undefined) return { timeoutMs, mayWriteSpec: options['spec'] !== false };
  throw new CommandError(`--timeout ${written} is no duration such as 60s or 5m`, EXIT.usage);
}

async function look(
  client: Client,
  settings: Settings,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<SyncSubject> {
  return subjectOf(await openLiveWorld(client, settings, namespace), settings, name);
}

interface Manner extends Terms {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

async function syncAll(client: Client, subject: SyncSubject, manner: Manner): Promise<readonly Synced[]> {
  const asked = subject.objects.map((object) => {
    const how = resyncOf(object.kind.kind);
    return { object, how, nudge: nudgeOf(object, how, manner) };
  });
  if (asked.every(({ nudge }) => nudge.how === 'none')) {
    const [first] = asked;
    const why = first?.nudge.how === 'none' ? first.nudge.why : '';
    throw new CommandError(`${titleOf(subject.objects[0])} cannot be synced on demand: ${why}`, EXIT.general);
  }
  const settled = await Promise.allSettled(asked.map(async (one) => syncOne(client, one, manner)));
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

function nudgeOf(object: KubeObject, how: Resync | undefined, { mayWriteSpec }: Manner): Nudge {
  const nudge = how?.nudge(object) ?? { how: 'none', why: 'no way is known to make its operator sync now' };
  if (nudge.how !== 'spec' || mayWriteSpec) return nudge;
  return {
    how: 'none',
    why: `its operator looks at its spec alone, and --no-spec forbids to write ${nudge.field}`,
  };
}

interface Asked {
  readonly object: KubeObject;
  readonly how: Resync | undefined;
  readonly nudge: Nudge;
}

async function syncOne(client: Client, { object, how, nudge }: Asked, manner: Manner): Promise<Synced> {
  if (nudge.how === 'none' || how === undefined) {
    return { object, method: 'none', seen: false, ...(nudge.how === 'none' ? { note: nudge.why } : {}) };
  }
  if (nudge.how === 'spec') {
    manner.terminal.stderr.write(
      `Note: ${nudge.field} of ${titleOf(object)} is written otherwise and back: tools of GitOps may see a moment of drift (--no-spec refuses instead)\n`,
    );
  }
  const { timeoutMs, signal } = manner;
  const terms = { timeoutMs, signal, now: new Date() };
  const { seen, hint } = await resync(client, object, { resync: how, nudge }, terms);
  if (seen) return { object, method: nudge.how, seen };
  const silence = `no sign of a sync within ${formatDuration(timeoutMs)}: is its operator running?`;
  return { object, method: nudge.how, seen, note: hint === undefined ? silence : `${silence} (${hint})` };
}

function titleOf(object: KubeObject | undefined): string {
  return object === undefined ? 'nothing' : `${object.kind.kind} '${nameOf(object.raw)}'`;
}

function text(synced: readonly Synced[], outcome: Outcome, { stdout, env }: Terminal): string {
  const paint = painter(stdout, env);
  const marks = symbols(env);
  const good = paint('green', marks.good);
  const bad = paint('red', marks.bad);
  const lines = synced.map(
    ({ object, seen, note }) =>
      `${seen ? good : bad} ${printable(`${titleOf(object)}: ${seen ? 'asked, and done' : (note ?? '')}`)}`,
  );
  const reason = outcome.reason === undefined ? '' : ` (${outcome.reason})`;
  const keys = outcome.keys === undefined ? '' : `, ${counted(outcome.keys, 'key')}`;
  const state = printable(`Secret '${outcome.name}': ${outcome.state}${keys}${reason}`);
  return [...lines, `${outcome.state === 'Synced' ? good : bad} ${state}`, ''].join('\n');
}

function document(synced: readonly Synced[], outcome: Outcome): object {
  const items = synced.map(({ object, method, seen, note }) => ({
    syncResource: { kind: object.kind.kind, namespace: namespaceOf(object.raw), name: nameOf(object.raw) },
    method,
    seen,
    note: note ?? null,
  }));
  const { namespace, name, state, keys, reason } = outcome;
  return listDocument('SyncList', items, {
    namespace,
    name,
    state,
    keys: keys ?? null,
    reason: reason ?? null,
  });
}
