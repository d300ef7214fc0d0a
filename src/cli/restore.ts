/** `floe-secrets restore FILE`: applies what `export` wrote, and tells of each object what that changes. */
import { isDeepStrictEqual } from 'node:util';
import { errorOfFault } from '../cluster/api-error.ts';
import type { Client } from '../cluster/client.ts';
import { readManifestsAt } from '../cluster/manifest-files.ts';
import { APPLY } from '../cluster/media-types.ts';
import { objectPath } from '../cluster/paths.ts';
import { readObject } from '../cluster/read-object.ts';
import { companionsOf } from '../cluster/watched-kinds.ts';
import { loadConfig } from '../config/load.ts';
import type { JsonObject } from '../kube/json.ts';
import { asObject, get, text } from '../kube/json.ts';
import { NAMESPACE, SERVICE_ACCOUNT, groupOf, nameOf, namespaceOf } from '../kube/object.ts';
import { settingsOf } from '../review/settings.ts';
import { withClient } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption, listOption } from './options.ts';
import type { Column, Format } from './print.ts';
import { listDocument, structured, tableFor } from './print.ts';
import { withProgress } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, exitCodeOf, guarded, messageOf, worstExit } from './terminal.ts';
import type { Wire } from './wiring.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** Fields that a restore brought back are told from those of people and operators. */
const MANAGER = 'floe-secrets-restore';

interface Restored {
  readonly wire: Wire;
  readonly change: 'create' | 'change' | 'none' | 'failed';
  readonly reason?: string;
  readonly exitCode?: number;
}

/** Exit code 0 where everything is as the files say; else that of the first failure. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const wires = await readWires(options, terminal);
    const manner = { dryRun: flagOption(options, 'dryRun'), force: flagOption(options, 'force') };
    const restored = await withProgress(terminal, async (progress) =>
      withClient(options, terminal, async (client) => {
        const done: Restored[] = [];
        for (const wire of wires) {
          progress.say(`${done.length} of ${wires.length} objects`);
          done.push(await restore(client, wire, manner));
        }
        return done;
      }),
    );
    const { stdout } = terminal;
    if (format === 'text') stdout.write(tableFor(terminal, columnsOf(manner.dryRun), restored));
    else stdout.write(structured(format, restoreDocument(restored, manner.dryRun)));
    return worstExit(restored.flatMap(({ exitCode = EXIT.ok }) => exitCode));
  });
}

/** Only what `export` writes: a file that holds more is refused whole. */
async function readWires(options: Options, { env, cwd }: Terminal): Promise<readonly Wire[]> {
  const { kinds } = settingsOf(loadConfig({ env, cwd, flags: {} }));
  const known = [
    NAMESPACE,
    SERVICE_ACCOUNT,
    ...companionsOf(kinds),
    ...kinds.map(({ resource }) => resource),
  ];
  const manifests = await readManifestsAt(listOption(options, 'files'), cwd);
  return manifests.map(({ raw, file, line }) => {
    const group = groupOf(text(raw, 'apiVersion') ?? '');
    const kind = known.find((one) => one.kind === get(raw, 'kind') && one.group === group);
    if (kind !== undefined) return { kind, object: raw };
    throw new CommandError(
      `${file}:${line}: ${text(raw, 'kind')} is no wiring: only what export wrote is restored`,
      EXIT.usage,
    );
  });
}

interface Manner {
  readonly dryRun: boolean;
  readonly force: boolean;
}

async function restore(client: Client, wire: Wire, { dryRun, force }: Manner): Promise<Restored> {
  const { kind, object } = wire;
  try {
    const path = objectPath(kind, namespaceOf(object), nameOf(object));
    if (path === undefined) throw new CommandError(`no ${kind.kind} can have this name`, EXIT.usage);
    const before = await readObject(client, path);
    const query = `fieldManager=${MANAGER}${force ? '&force=true' : ''}${dryRun ? '&dryRun=All' : ''}`;
    const after = await client.send('PATCH', `${path}?${query}`, object, { contentType: APPLY });
    if (before === undefined) return { wire, change: 'create' };
    return { wire, change: isDeepStrictEqual(written(before), written(after)) ? 'none' : 'change' };
  } catch (error) {
    const conflict = errorOfFault(error).status === 409;
    const reason = conflict ? 'others have written it differently: --force takes over' : messageOf(error);
    return { wire, change: 'failed', reason, exitCode: exitCodeOf(error) };
  }
}

/** What somebody wrote, without what the API server counts. */
function written(object: JsonObject): JsonObject {
  const { status: _status, metadata, ...rest } = object;
  const { labels, annotations } = asObject(metadata);
  return { ...rest, metadata: { labels, annotations } };
}

function columnsOf(dryRun: boolean): readonly Column<Restored>[] {
  const words = {
    create: dryRun ? 'would be created' : 'created',
    change: dryRun ? 'would change' : 'changed',
    none: 'as it is',
    failed: 'failed',
  };
  return [
    { header: 'KIND', cell: ({ wire }) => wire.kind.kind },
    { header: 'NAMESPACE', cell: ({ wire }) => namespaceOf(wire.object) || '-' },
    { header: 'NAME', cell: ({ wire }) => nameOf(wire.object) },
    { header: 'RESULT', cell: ({ change }) => words[change] },
    { header: 'REASON', cell: ({ reason }) => reason ?? '-' },
  ];
}

function restoreDocument(restored: readonly Restored[], dryRun: boolean): object {
  const count = (change: Restored['change']): number =>
    restored.filter((one) => one.change === change).length;
  const items = restored.map(({ wire, change, reason }) => ({
    kind: wire.kind.kind,
    namespace: namespaceOf(wire.object) || null,
    name: nameOf(wire.object),
    change,
    reason: reason ?? null,
  }));
  const summary = {
    dryRun,
    create: count('create'),
    change: count('change'),
    none: count('none'),
    failed: count('failed'),
  };
  return listDocument('RestoreList', items, summary);
}
