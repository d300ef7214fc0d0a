/** `floe-secrets usage SECRET`: who uses this Secret, and which pods still run an older version of it. */
import { loadConfig } from '../config/load.ts';
import type { ReadFailure, Want } from '../kube/world.ts';
import { settingsOf } from '../review/settings.ts';
import { reportFailures } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption, secretOption } from './options.ts';
import type { Column, Format } from './print.ts';
import { counted, listDocument, structured, tableFor } from './print.ts';
import { withProgress } from './progress.ts';
import { withSurvey } from './surveyed.ts';
import type { Terminal } from './terminal.ts';
import { EXIT, guarded, worstExit } from './terminal.ts';
import type { Freshness, SecretUser } from './users.ts';
import { unusedWords, usersOf } from './users.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** Exit code 1 where the Secret is neither there nor used by anything. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const secret = secretOption(options);
    const settings = settingsOf(loadConfig({ env: terminal.env, cwd: terminal.cwd, flags: {} }));
    const everywhere = flagOption(options, 'allNamespaces');
    const scope = (home: string): string | undefined => (everywhere ? undefined : home);
    const usage = await withProgress(terminal, async (progress) => {
      const onProgress = (read: number): void => progress.say(`${read} objects read`);
      const terms = { settings, scope, onProgress };
      return withSurvey(options, terminal, terms, async ({ survey, live, ...surveyed }) => {
        const users = await usersOf({ survey, live, ...surveyed }, { settings, secret, ...surveyed });
        const places = new Set([live.home, ...users.map(({ namespace }) => namespace)]);
        await live.read([...places].map((namespace) => wantOf(namespace, secret)));
        const exists = [...places].some((place) => live.world.secret(place, secret).state === 'present');
        const failures = [...survey.failures, ...live.failures()];
        return { users, exists, failures, namespace: surveyed.namespace };
      });
    });
    const codes = reportFailures(usage.failures, terminal);
    if (format === 'text') printUsers({ ...usage, secret }, terminal);
    else terminal.stdout.write(structured(format, usageDocument(secret, usage.users)));
    const isUnknown = usage.users.length === 0 && !usage.exists;
    return worstExit(isUnknown ? [...codes, EXIT.general] : codes);
  });
}

function wantOf(namespace: string, name: string): Want {
  return { what: 'secret', namespace, name, full: false };
}

interface Printed {
  readonly secret: string;
  readonly users: readonly SecretUser[];
  readonly exists: boolean;
  readonly failures: readonly ReadFailure[];
  readonly namespace: string | undefined;
}

const WORDS: Readonly<Record<Freshness, string>> = {
  current: 'current',
  older: 'older',
  follows: 'files follow by themselves',
  'next run': 'at its next run',
  unknown: '-',
};

const COLUMNS: readonly Column<SecretUser>[] = [
  { header: 'KIND', cell: ({ kind }) => kind },
  { header: 'NAME', cell: ({ name }) => name },
  { header: 'VERSION', cell: ({ freshness }) => WORDS[freshness] },
  { header: 'USED BY', cell: ({ uses }) => uses.map(({ words }) => words).join(', ') },
];

/** The table is the result; what to do about it is said beside it. */
function printUsers({ secret, users, exists, failures, namespace }: Printed, terminal: Terminal): void {
  const { stdout, stderr } = terminal;
  const where = namespace === undefined ? 'in any namespace' : `in namespace ${namespace}`;
  if (users.length === 0) {
    stderr.write(unusedWords({ secret, exists, failures, namespace }));
    return;
  }
  const place: readonly Column<SecretUser>[] =
    namespace === undefined ? [{ header: 'NAMESPACE', cell: (row) => row.namespace }] : [];
  stdout.write(tableFor(terminal, [...place, ...COLUMNS], users));
  if (!exists && failures.length === 0) stderr.write(`Warning: there is no Secret ${secret} ${where}\n`);
  const older = users.filter(({ freshness }) => freshness === 'older').length;
  if (older === 0) return;
  const here = namespace === undefined ? '' : ` -n ${namespace}`;
  stderr.write(
    `${counted(older, 'pod')} with an older version. Run 'floe-secrets restart ${secret}${here}' to roll.\n`,
  );
}

function usageDocument(secret: string, users: readonly SecretUser[]): object {
  const pods = users.filter(({ kind }) => kind === 'Pod');
  const older = pods.filter(({ freshness }) => freshness === 'older').length;
  const summary = { secret, workloads: users.length - pods.length, pods: pods.length, older };
  return listDocument('UsageList', users.map(usageItem), summary);
}

function usageItem({ kind, namespace, name, owner, uses, version, freshness }: SecretUser): object {
  return {
    kind,
    namespace,
    name,
    owner: owner ?? null,
    uses: uses.map(({ container, field }) => ({ container: container ?? null, field })),
    version: version ?? null,
    freshness,
  };
}
