/** `floe-secrets restart SECRET`: rolls the workloads that use it. */
import type { Client } from '../cluster/client.ts';
import { restartWorkload } from '../cluster/restart.ts';
import { loadConfig } from '../config/load.ts';
import { dig, text } from '../kube/json.ts';
import { createdAt, groupOf, uidOf } from '../kube/object.ts';
import { workloadKind } from '../kube/workload.ts';
import { canRestart, restartTime } from '../reload/restart.ts';
import { settingsOf } from '../review/settings.ts';
import { reportFailures } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption, listOption, secretOption } from './options.ts';
import type { Column, Format } from './print.ts';
import { listDocument, structured, tableFor } from './print.ts';
import { withProgress } from './progress.ts';
import { withSurvey } from './surveyed.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, exitCodeOf, guarded, messageOf, worstExit } from './terminal.ts';
import type { SecretUser } from './users.ts';
import { unusedWords, usersOf } from './users.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** What became of one user of the Secret. */
interface Restart {
  readonly user: SecretUser;
  readonly action: 'restarted' | 'skipped' | 'failed';
  readonly reason?: string;
  readonly exitCode?: number;
}

/** Exit code 0 where every workload that can be rolled was; 1 where the Secret is neither there nor used. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const secret = secretOption(options);
    const dryRun = flagOption(options, 'dryRun');
    refuseWhatCannotBe(options, dryRun);
    const settings = settingsOf(loadConfig({ env: terminal.env, cwd: terminal.cwd, flags: {} }));
    const terms = { settings, scope: (home: string) => home };
    const { restarts, failures, home, exists } = await withProgress(terminal, async (progress) =>
      withSurvey(options, terminal, terms, async (surveyed) => {
        const { live, survey, client } = surveyed;
        const users = await usersOf(surveyed, { settings, secret, namespace: live.home });
        if (users.length === 0)
          await live.read([{ what: 'secret', namespace: live.home, name: secret, full: false }]);
        progress.say('restarting');
        const at = restartTime(Date.now(), users.filter(isPod).map(agedPod));
        const done: Restart[] = [];
        for (const user of users.filter(isOwn)) done.push(await restart(user, { client, at, dryRun }));
        return {
          restarts: done,
          failures: [...survey.failures, ...live.failures()],
          home: live.home,
          exists: live.world.secret(live.home, secret).state === 'present',
        };
      }),
    );
    const codes = reportFailures(failures, terminal);
    if (format !== 'text')
      terminal.stdout.write(structured(format, restartDocument(restarts, { secret, dryRun })));
    else if (restarts.length > 0) terminal.stdout.write(tableFor(terminal, columnsOf(dryRun), restarts));
    else terminal.stderr.write(unusedWords({ secret, exists, failures, namespace: home }));
    const isUnknown = restarts.length === 0 && !exists;
    const own = isUnknown ? [EXIT.general] : restarts.flatMap(({ exitCode = 0 }) => exitCode);
    return worstExit([...codes, ...own]);
  });
}

function refuseWhatCannotBe(options: Options, dryRun: boolean): void {
  if (flagOption(options, 'allNamespaces')) {
    throw new CommandError('a Secret is in one namespace: name it with -n instead of -A', EXIT.usage);
  }
  if (!dryRun && listOption(options, 'world').length > 0) {
    throw new CommandError('manifests of --world cannot be rolled: add --dry-run', EXIT.usage);
  }
}

function isPod({ kind }: SecretUser): boolean {
  return kind === 'Pod';
}

function agedPod({ raw }: SecretUser): { readonly createdAt?: number } {
  const created = createdAt(raw);
  return created === undefined ? {} : { createdAt: created };
}

/** Pods of a workload go with it. */
function isOwn({ owner }: SecretUser): boolean {
  return owner === undefined;
}

interface Manner {
  readonly client: Client | undefined;
  readonly at: Date;
  readonly dryRun: boolean;
}

async function restart(user: SecretUser, { client, at, dryRun }: Manner): Promise<Restart> {
  const kind = workloadKind(groupOf(text(user.raw, 'apiVersion') ?? ''), user.kind);
  const reason = kind !== undefined && canRestart(kind) ? pausedReason(user) : SKIPPED[user.kind];
  if (kind === undefined || reason !== undefined)
    return { user, action: 'skipped', ...(reason === undefined ? {} : { reason }) };
  try {
    if (client !== undefined)
      await restartWorkload(client, { ...user, kind, uid: uidOf(user.raw) }, { at, dryRun });
    return { user, action: 'restarted' };
  } catch (error) {
    return { user, action: 'failed', reason: messageOf(error), exitCode: exitCodeOf(error) };
  }
}

const SKIPPED: Readonly<Record<string, string>> = {
  Pod: 'nothing would make it anew: delete and create it',
  Job: 'a Job is never restarted: create it anew',
  CronJob: 'picks it up at its next run',
  ReplicaSet: 'does not replace its pods: delete them',
  ReplicationController: 'does not replace its pods: delete them',
};

function pausedReason({ raw }: SecretUser): string | undefined {
  return dig(raw, 'spec', 'paused') === true ? 'is paused' : undefined;
}

function columnsOf(dryRun: boolean): readonly Column<Restart>[] {
  const words = { restarted: dryRun ? 'would restart' : 'restarted', skipped: 'skipped', failed: 'failed' };
  return [
    { header: 'KIND', cell: ({ user }) => user.kind },
    { header: 'NAME', cell: ({ user }) => user.name },
    { header: 'ACTION', cell: ({ action }) => words[action] },
    { header: 'REASON', cell: ({ reason }) => reason ?? '-' },
  ];
}

function restartDocument(
  restarts: readonly Restart[],
  { secret, dryRun }: { readonly secret: string; readonly dryRun: boolean },
): object {
  const count = (wanted: Restart['action']): number =>
    restarts.filter(({ action }) => action === wanted).length;
  const items = restarts.map(({ user, action, reason }) => ({
    kind: user.kind,
    namespace: user.namespace,
    name: user.name,
    action,
    reason: reason ?? null,
  }));
  const summary = {
    secret,
    dryRun,
    restarted: count('restarted'),
    skipped: count('skipped'),
    failed: count('failed'),
  };
  return listDocument('RestartList', items, summary);
}
