/** The stores that values are copied to, each opened once and closed in the end. */
import type { CopyStore } from '../migrate/conversion.ts';
import type { Settings } from '../review/settings.ts';
import { openStore } from '../upstream/open.ts';
import type { Store } from '../upstream/store.ts';
import type { Terminal } from './terminal.ts';

export type OpenStore = (which: CopyStore) => Promise<Store>;

/** Nothing is sent before something is asked. Opening throws UpstreamError where there are no credentials. */
export async function withStores<Result>(
  { config }: Settings,
  { env, cwd }: Terminal,
  work: (open: OpenStore) => Promise<Result>,
): Promise<Result> {
  const opened = new Map<CopyStore, Promise<Store>>();
  const open = async (which: CopyStore): Promise<Store> => {
    const store = await openStore(which, { settings: config.upstream, env, cwd, namespace: '' });
    if (store === undefined) throw new Error(`${which} has no store`);
    return store;
  };
  try {
    return await work(async (which) => {
      const store = opened.get(which) ?? open(which);
      opened.set(which, store);
      return store;
    });
  } finally {
    await Promise.allSettled([...opened.values()].map(async (store) => (await store).close()));
  }
}
