/** Writes a story's objects to a real API server, and remembers what it named them. */
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { CUSTOM_KINDS } from '../../tools/control-plane/crds.ts';
import { asShort, textOf } from '../stories/manifest.ts';
import type { Manifest } from '../stories/manifest.ts';
import { render } from '../stories/rendering.ts';
import type { Stage } from '../stories/rendering.ts';

/** The path of a kind's collection in the object's namespace. */
export function collectionOf(object: Manifest): string {
  const apiVersion = String(object['apiVersion']);
  const kind = String(object['kind']);
  const namespace = asShort(object['metadata'])['namespace'];
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const custom = CUSTOM_KINDS.find((one) => one.kind === kind);
  const plural = custom?.plural ?? `${kind.toLowerCase()}s`.replace(/ys$/, 'ies');
  return namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${textOf(namespace)}/${plural}`;
}

export function pathOf(object: Manifest): string {
  return `${collectionOf(object)}/${String(asShort(object['metadata'])['name'])}`;
}

/** What the API server makes itself is not written. */
export function writable(object: Manifest): Manifest {
  const {
    uid: _uid,
    resourceVersion: _resourceVersion,
    creationTimestamp: _creationTimestamp,
    generation: _generation,
    managedFields: _managedFields,
    ...metadata
  } = asShort(object['metadata']);
  return { ...object, metadata };
}

/** Creates the objects, owners first, and gives the uids that they got, by `Kind/name`. */
export async function createWorld(
  api: ApiClient,
  objects: readonly Manifest[],
  stage: Stage,
): Promise<ReadonlyMap<string, string>> {
  const uids = new Map<string, string>();
  const known: Stage = { ...stage, uid: (kindAndName) => uids.get(kindAndName) };
  const names = new Set(objects.map(nameOf));
  let left = objects;
  while (left.length > 0) {
    const ready = left.filter((object) =>
      ownersOf(object).every((owner) => !names.has(owner) || uids.has(owner)),
    );
    if (ready.length === 0) throw new Error('owners in a circle');
    for (const object of ready) uids.set(nameOf(object), await createOne(api, render(object, known)));
    left = left.filter((object) => !ready.includes(object));
  }
  return uids;
}

/** As the story says it, before its names are made unique. */
function nameOf(object: Manifest): string {
  return `${String(object['kind'])}/${String(asShort(object['metadata'])['name'])}`;
}

function ownersOf(object: Manifest): readonly string[] {
  const owners = asShort(object['metadata'])['ownerReferences'];
  const list: readonly unknown[] = Array.isArray(owners) ? owners : [];
  return list.map((owner) => `${String(asShort(owner)['kind'])}/${String(asShort(owner)['name'])}`);
}

async function createOne(api: ApiClient, object: Manifest): Promise<string> {
  const { namespace } = asShort(object['metadata']);
  if (namespace !== undefined) await ensureNamespace(api, textOf(namespace));
  const { status, ...rest } = writable(object);
  const created = await create(api, rest);
  const edited = await edit(api, created, Number(asShort(object['metadata'])['generation'] ?? 1));
  if (status !== undefined) await api.request('PUT', `${pathOf(object)}/status`, { ...edited, status });
  return textOf(asShort(created['metadata'])['uid']);
}

/**
 * Namespaces that stories share may be there already. Written as by a person with kubectl: any other writer of a
 * Secret's data is taken for its operator.
 */
async function create(api: ApiClient, object: Manifest): Promise<Manifest> {
  const path = `${collectionOf(object)}?fieldManager=kubectl-create`;
  const { status, body } = await api.send<Manifest>('POST', path, object);
  if (status === 409 && object['kind'] === 'Namespace') {
    return api.request<Manifest>('PATCH', pathOf(object), { metadata: object['metadata'] });
  }
  if (status >= 400) throw new Error(`${pathOf(object)}: ${status} ${JSON.stringify(body)}`);
  return body;
}

async function ensureNamespace(api: ApiClient, name: string): Promise<void> {
  const { status, body } = await api.send('POST', '/api/v1/namespaces', { metadata: { name } });
  if (status !== 201 && status !== 409) throw new Error(`namespace ${name}: ${JSON.stringify(body)}`);
}

/** Each write of the spec is a generation. */
async function edit(api: ApiClient, created: Manifest, generation: number): Promise<Manifest> {
  let current = created;
  for (let count = 2; count <= generation; count++) {
    const spec = { ...asShort(current['spec']), touched: count };
    current = await api.request<Manifest>('PUT', pathOf(current), { ...current, spec });
  }
  return current;
}
