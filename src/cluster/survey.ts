/** Everything that runs and what it is judged by, in one look: for commands that go over a whole cluster. */
import type { JsonObject } from '../kube/json.ts';
import { asObject, get, text } from '../kube/json.ts';
import type { KubeObject, ResourceKind } from '../kube/object.ts';
import { JOB, POD, SERVICE_ACCOUNT, apiVersionOf, groupOf } from '../kube/object.ts';
import type { ReadFailure } from '../kube/world.ts';
import type { WorkloadObject } from '../kube/workload.ts';
import { WORKLOADS, workloadKind } from '../kube/workload.ts';
import type { SyncKind } from '../plugins/plugin.ts';
import { errorOfFault } from './api-error.ts';
import type { Client } from './client.ts';
import { isServed } from './discovery.ts';
import { failureOf } from './failure.ts';
import type { DatedManifest } from './manifest-files.ts';
import { collectionPath, resourceName } from './paths.ts';
import { reduceObject } from './reduce.ts';
import type { Snapshot } from './snapshot.ts';
import { readNamespaces, readSnapshot, readSyncResources } from './snapshot.ts';
import type { WorldContents } from './world-files.ts';
import { contentsOf } from './world-files.ts';

export interface Survey {
  readonly contents: WorldContents;
  readonly pods: readonly JsonObject[];
  readonly workloads: readonly WorkloadObject[];
  /** By resource name: the kinds of which all objects were seen, so that what is not among them is not there. */
  readonly whole: ReadonlySet<string>;
  readonly failures: readonly ReadFailure[];
}

interface View {
  readonly kinds: readonly SyncKind[];
  /** undefined: all of them. */
  readonly namespace?: string;
  /** Whether to list Secrets; where few of them matter, each is better read when it is wanted. */
  readonly secrets: boolean;
  /** Whether to list what runs; for the wiring alone nothing of it matters. */
  readonly running: boolean;
  /** Told how many objects were read so far. */
  readonly onProgress?: (read: number) => void;
}

/** Reads with the rights of whoever asks; what may not be listed is a failure, and the rest is there. */
export async function readSurvey(client: Client, view: View): Promise<Survey> {
  let count = 0;
  const onPage = (items: number): void => view.onProgress?.((count += items));
  const list = async <K extends ResourceKind>(kind: K): Promise<Listing<K>> =>
    listAll(client, kind, { namespace: view.namespace, onPage });
  const [snapshot, pods, accounts, workloads] = await Promise.all([
    view.secrets ? readSnapshot(client, view) : readWithoutSecrets(client, view),
    view.running ? list(POD) : NO_PODS,
    list(SERVICE_ACCOUNT),
    view.running ? Promise.all(WORKLOADS.map(list)) : [],
  ]);
  const jobs = workloads.filter(({ kind }) => kind.group === JOB.group);
  const listings = [pods, accounts, ...workloads];
  return {
    contents: {
      ...snapshot,
      objects: [...snapshot.objects, ...objectsOf(accounts), ...jobs.flatMap(objectsOf)],
    },
    pods: pods.items,
    workloads: workloads.flatMap(({ kind, items }) => items.map((raw) => ({ kind, raw }))),
    whole: new Set([
      ...snapshot.whole,
      ...listings.filter(({ failure }) => failure === undefined).map(({ kind }) => resourceName(kind)),
    ]),
    failures: [
      ...snapshot.failures,
      // No cluster is without namespaces: who sees none may not list them.
      ...(view.namespace === undefined && snapshot.objects.length === 0 ? [NO_NAMESPACES] : []),
      ...listings.flatMap(({ failure }) => (failure === undefined ? [] : [failure])),
    ],
  };
}

const NO_PODS: Listing = { kind: POD, items: [] };

const NO_NAMESPACES: ReadFailure = {
  reason: 'forbidden',
  message: 'cannot list namespaces (RBAC); name one with -n',
};

async function readWithoutSecrets(client: Client, view: View): Promise<Snapshot> {
  const [sync, objects] = await Promise.all([readSyncResources(client, view), readNamespaces(client, view)]);
  return { ...sync, objects, secrets: [], whole: new Set() };
}

interface Listing<K extends ResourceKind = ResourceKind> {
  readonly kind: K;
  readonly items: readonly JsonObject[];
  readonly failure?: ReadFailure;
}

interface Scope {
  readonly namespace: string | undefined;
  readonly onPage: (items: number) => void;
}

/** A kind that is not served has no objects: Argo's Rollouts are an add-on. */
async function listAll<K extends ResourceKind>(
  client: Client,
  kind: K,
  { namespace, onPage }: Scope,
): Promise<Listing<K>> {
  const type = { apiVersion: apiVersionOf(kind), kind: kind.kind };
  const items: JsonObject[] = [];
  try {
    for await (const page of client.list(collectionPath(kind, namespace))) {
      items.push(...page.items.map((item) => ({ ...type, ...reduceObject(kind, asObject(item)).raw })));
      onPage(page.items.length);
    }
    return { kind, items };
  } catch (fault) {
    const { status } = errorOfFault(fault);
    if (status === 404) return { kind, items: [] };
    if (status !== 403) throw fault;
    if (!(await isServed(client, kind))) return { kind, items: [] };
    const attempt = { verb: 'list', kind, ...(namespace === undefined ? {} : { namespace }) };
    return { kind, items: [], failure: failureOf(fault, attempt) };
  }
}

function objectsOf({ kind, items }: Listing): readonly KubeObject[] {
  return items.map((raw) => ({ kind, raw }));
}

/** The same of manifests: they are all there is. */
export function surveyOfManifests(manifests: readonly DatedManifest[], kinds: readonly SyncKind[]): Survey {
  const raws = manifests.map(({ raw }) => raw);
  return {
    contents: contentsOf(manifests, kinds),
    pods: raws.filter((raw) => isKind(raw, POD)),
    workloads: raws.flatMap((raw) => {
      const kind = workloadKind(groupOf(text(raw, 'apiVersion') ?? ''), text(raw, 'kind') ?? '');
      return kind === undefined ? [] : [{ kind, raw }];
    }),
    whole: new Set(),
    failures: [],
  };
}

function isKind(raw: JsonObject, kind: ResourceKind): boolean {
  return get(raw, 'kind') === kind.kind && groupOf(text(raw, 'apiVersion') ?? '') === kind.group;
}
