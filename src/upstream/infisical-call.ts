/** How everything is asked of Infisical's SDK. */
import type { InfisicalSDK } from '@infisical/sdk';
import type { Place } from './store.ts';

/** A place as the SDK wants it. */
export interface Folder {
  readonly projectId: string;
  readonly environment: string;
  readonly secretPath: string;
}

/** One call on a folder: logged in, within the time, its failure put into words. `doubt`: of a write. */
export type Call = <T>(
  place: Place,
  work: (sdk: InfisicalSDK, folder: Folder) => Promise<T>,
  doubt?: string,
) => Promise<T>;
