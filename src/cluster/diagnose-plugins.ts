/** Whether the operators that plugins build on are there and at work, and which namespaces take part. */
import { KEYS, MODES } from '../contract/keys.ts';
import { formatDuration } from '../kube/duration.ts';
import type { KubeObject } from '../kube/object.ts';
import { NAMESPACE, createdAt, label, nameOf } from '../kube/object.ts';
import type { Plugin, SyncKind } from '../plugins/plugin.ts';
import { settingsOf } from '../review/settings.ts';
import { wordsOf } from './failure.ts';
import type { Finding, Patient } from './patient.ts';
import { unknown } from './patient.ts';
import { resourceName } from './paths.ts';
import { readSyncResources } from './snapshot.ts';
import { syncKindOf } from './watched-kinds.ts';

export async function examinePlugins(patient: Patient): Promise<readonly Finding[]> {
  const settings = settingsOf(patient.config);
  const { syncResources, kindStates, failures } = await readSyncResources(patient.client, {
    kinds: settings.kinds,
  });
  const isServed = ({ resource }: SyncKind): boolean =>
    kindStates.get(resourceName(resource))?.state === 'known';
  const isUnseen = ({ resource }: SyncKind): boolean =>
    kindStates.get(resourceName(resource))?.state === 'failed';
  const chain = patient.config.plugins.default;
  return [
    ...wordsOf(failures).map((words) => unknown('operators', words)),
    ...settings.enabled.flatMap((plugin) => {
      const isAsked = isNamed(plugin, chain) && !plugin.kinds.some(isUnseen);
      return installed(plugin, { isServed, isAsked });
    }),
    ...atWork(syncResources, settings.kinds, patient),
    ...(await namespaces(patient, settings.exemptNamespaces)),
  ];
}

function isNamed(plugin: Plugin, chain: readonly string[]): boolean {
  return [plugin.id, ...plugin.aliases].some((id) => chain.includes(id));
}

function installed(
  { id, kinds }: Plugin,
  { isServed, isAsked }: { readonly isServed: (kind: SyncKind) => boolean; readonly isAsked: boolean },
): readonly Finding[] {
  const check = 'operators';
  if (kinds.length === 0) return [];
  const served = kinds.filter(isServed).map(({ resource }) => resource.kind);
  if (served.length > 0) return [{ check, outcome: 'ok', message: `${id}: ${served.join(', ')}` }];
  if (!isAsked) return [];
  const message = `plugins.default has ${id}, and none of its CRDs is installed`;
  return [
    { check, outcome: 'warning', message, fix: `install its operator, or take ${id} out of plugins.default` },
  ];
}

/** An operator that runs has written a status into its resources. */
function atWork(
  resources: readonly KubeObject[],
  kinds: readonly SyncKind[],
  { config, now }: Patient,
): readonly Finding[] {
  const grace = config.sync.pendingGrace;
  const isSilent = (object: KubeObject): boolean => object.raw['status'] === undefined;
  const isOld = ({ raw }: KubeObject): boolean => now - (createdAt(raw) ?? now) > grace;
  return [...Map.groupBy(resources, (object) => syncKindOf(kinds, object))].flatMap(([kind, objects]) => {
    const due = objects.filter(isOld);
    if (kind === undefined || due.length === 0 || !due.every(isSilent)) return [];
    const name = resourceName(kind.resource);
    const message = `no operator has written a status into any of ${due.length} ${name}, for ${formatDuration(grace)} and longer`;
    const fix = `look at the operator of ${kind.resource.group}: does it run, and may it watch these namespaces?`;
    return [{ check: 'operators', outcome: 'failed' as const, message, fix }];
  });
}

async function namespaces(patient: Patient, exempt: ReadonlySet<string>): Promise<readonly Finding[]> {
  const check = 'namespaces';
  const all = await patient.list(NAMESPACE);
  if (all.state !== 'read') return [unknown(check, all.state === 'failed' ? all.why : 'no namespaces')];
  const optedIn = all.value.filter((one) => label(one, KEYS.injection) === 'enabled');
  const lost = optedIn.map(nameOf).filter((name) => exempt.has(name));
  const odd = optedIn.filter((one) => !isKnownMode(label(one, KEYS.enforcement)));
  const findings: Finding[] = [];
  if (lost.length > 0) {
    const message = `${lost.join(', ')} is opted in, and exempt all the same`;
    findings.push({ check, outcome: 'warning', message, fix: 'see enforcement.exempt.namespaces' });
  }
  if (odd.length > 0) {
    const message = `${odd.map(nameOf).join(', ')} has a mode that is none, which is read as strict`;
    findings.push({
      check,
      outcome: 'warning',
      message,
      fix: `${KEYS.enforcement} is one of ${MODES.join(', ')}`,
    });
  }
  if (optedIn.length === 0) {
    const fix = `kubectl label namespace NAME ${KEYS.injection}=enabled`;
    findings.push({ check, outcome: 'warning', message: 'no namespace is opted in', fix });
  }
  if (findings.length > 0) return findings;
  return [{ check, outcome: 'ok', message: `${optedIn.length} opted in` }];
}

function isKnownMode(written: string | undefined): boolean {
  return written === undefined || written === 'off' || MODES.some((mode) => mode === written);
}
