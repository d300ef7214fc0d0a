/** `floe-secrets policy`: admission policies that give the basic injection, and the net under it, without the webhook. */
import { isDiscovered } from '../cluster/discovery.ts';
import { loadConfig } from '../config/load.ts';
import type { JsonObject } from '../kube/json.ts';
import type { ResourceKind } from '../kube/object.ts';
import { indexOf } from '../review/secret-index.ts';
import type { Settings } from '../review/settings.ts';
import { settingsOf } from '../review/settings.ts';
import { observe, reportFailures, withClient } from './observe.ts';
import type { Options } from './options.ts';
import { flagOption, formatOption, listOption, textOption } from './options.ts';
import { indexPolicies, injectionPolicies, netPolicies } from './policy-objects.ts';
import type { Format } from './print.ts';
import { listDocument, structured, yaml } from './print.ts';
import { secretRows } from './secret-rows.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT, exitCodeOf, guarded, worstExit } from './terminal.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

const MUTATING_POLICY: ResourceKind = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  namespaced: false,
};

/** Text is what `kubectl apply -f -` takes. */
export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const { env, cwd, stdout } = terminal;
    const settings = settingsOf(loadConfig({ file: textOption(options, 'config'), env, cwd, flags: {} }));
    const mutating = await wantsMutating(options, terminal);
    const index = flagOption(options, 'index')
      ? await indexObjects(settings, options, terminal)
      : { objects: [], codes: [] };
    const objects = [
      ...(mutating ? injectionPolicies(settings) : []),
      ...netPolicies(settings),
      ...index.objects,
    ];
    if (format === 'text') stdout.write(objects.map(yaml).join('---\n'));
    else stdout.write(structured(format, listDocument('PolicyList', objects, { mutating })));
    return worstExit(index.codes);
  });
}

/** As it was asked for; else whether the cluster serves it. Without a cluster it is left out, and that is said. */
async function wantsMutating(options: Options, terminal: Terminal): Promise<boolean> {
  const asked = options['mutating'];
  if (typeof asked === 'boolean') return asked;
  if (listOption(options, 'world').length > 0) return false;
  try {
    return await withClient(options, terminal, async (client) => isDiscovered(client, MUTATING_POLICY));
  } catch (error) {
    // Who names a kubeconfig or a context means it.
    const named = ['kubeconfig', 'context'].some((name) => textOption(options, name) !== undefined);
    const mistakes: readonly number[] = [EXIT.fileNotFound, EXIT.usage];
    if (named && mistakes.includes(exitCodeOf(error))) throw error;
    terminal.stderr.write(
      'No cluster to ask whether it serves MutatingAdmissionPolicy: printed without it. ' +
        'Use --mutating or --no-mutating to say so yourself.\n',
    );
    return false;
  }
}

interface Index {
  readonly objects: readonly JsonObject[];
  readonly codes: readonly number[];
}

async function indexObjects(settings: Settings, options: Options, terminal: Terminal): Promise<Index> {
  const { contents, failures, namespace } = await observe(options, terminal, settings.kinds);
  if (namespace === undefined) {
    throw new CommandError('an index is of one namespace: name it with -n instead of -A', EXIT.usage);
  }
  const rows = secretRows(contents, { settings, now: Date.now(), namespace });
  return {
    objects: [...indexPolicies(settings), indexOf(namespace, rows)],
    codes: reportFailures(failures, terminal),
  };
}
