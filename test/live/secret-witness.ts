/** Watches a Secret from beginning to end: whether it was ever gone, and whether its data was ever another. */
import type { ApiClient } from '../../tools/control-plane/api-client.ts';

interface Seen {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

export interface Witness {
  /** What happened to it that should not have, in the order in which it did. */
  readonly incidents: readonly string[];
  /** How many writes were seen. */
  writes(): number;
  stop(): Promise<void>;
}

/** Of a Secret that is there. */
export async function watchSecret(api: ApiClient, namespace: string, name: string): Promise<Witness> {
  const collection = `/api/v1/namespaces/${namespace}/secrets`;
  const first = await api.request<Seen>('GET', `${collection}/${name}`);
  const data = (secret: Seen): string =>
    Object.entries(secret.data ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .toSorted()
      .join();
  const incidents: string[] = [];
  let writes = 0;
  const ending = new AbortController();
  const query = `watch=true&fieldSelector=metadata.name%3D${name}&resourceVersion=${first.metadata.resourceVersion}`;
  const watching = (async () => {
    for await (const { type, object } of api.watch<Seen>(`${collection}?${query}`, ending.signal)) {
      if (type === 'BOOKMARK') continue;
      writes += 1;
      if (type !== 'MODIFIED') incidents.push(type);
      else if (object.metadata.uid !== first.metadata.uid) incidents.push('another Secret');
      else if (data(object) !== data(first))
        incidents.push(`keys ${Object.keys(object.data ?? {}).join(', ')}`);
    }
  })().catch((error: unknown) => {
    if (!ending.signal.aborted) incidents.push(`the watch failed: ${String(error)}`);
  });
  return {
    incidents,
    writes: () => writes,
    async stop() {
      // The last writes may be on their way.
      await new Promise((resolve) => setTimeout(resolve, 300));
      ending.abort();
      await watching;
    },
  };
}
