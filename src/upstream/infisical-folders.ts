/** Folders of Infisical: whether one is there, and making it. */
import type { Call } from './infisical-call.ts';
import type { Place } from './store.ts';
import { isUpstream } from './upstream-error.ts';

interface Step {
  readonly name: string;
  /** The folder that it stands in: '/', '/compute'. */
  readonly parent: string;
}

/** The folders from the root to the place's own; none for the root, which is always there. */
function stepsTo(path: string): readonly Step[] {
  const names = path.split('/').filter((name) => name !== '');
  return names.map((name, index) => ({ name, parent: `/${names.slice(0, index).join('/')}` }));
}

export async function folderExists(call: Call, place: Place): Promise<boolean> {
  const own = stepsTo(place.path).at(-1);
  if (own !== undefined) return hasStep(call, place, own);
  // The root is in every environment; a recursive list is what tells of a missing one on every server.
  await call(place, async (sdk, folder) =>
    sdk.secrets().listSecrets({ ...folder, recursive: true, viewSecretValue: false }),
  );
  return true;
}

/** Makes the folders on the way that are not there. */
export async function ensureFolder(call: Call, place: Place): Promise<void> {
  for (const step of stepsTo(place.path)) {
    if (!(await hasStep(call, place, step))) await makeStep(call, place, step);
  }
}

async function hasStep(call: Call, place: Place, { name, parent }: Step): Promise<boolean> {
  return (await foldersAt(call, place, parent)).includes(name);
}

/** The names of the folders in one; none where it is not there itself. */
export async function foldersAt(call: Call, place: Place, path: string): Promise<readonly string[]> {
  const folders = await call(place, async (sdk, { projectId, environment }) =>
    sdk.folders().listFolders({ projectId, environment, path }),
  );
  return folders.map(({ name }) => name);
}

async function makeStep(call: Call, place: Place, { name, parent }: Step): Promise<void> {
  try {
    await call(place, async (sdk, { projectId, environment }) =>
      sdk.folders().create({ projectId, environment, name, path: parent }),
    );
  } catch (error) {
    // Somebody else was quicker, or the SDK sent it twice.
    if (!isUpstream(error, 'exists')) throw error;
  }
}
