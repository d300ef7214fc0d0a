/**
 * A login that many calls share: made once, made again when the store no longer takes it, and never made again with
 * credentials that were refused. Stores lock an identity after some failures, for everyone who uses it.
 */
import { UpstreamError, isUpstream } from './upstream-error.ts';

export interface Session<Login> {
  /** Does the work under the login; once more under a new one where the work fails with `expired`. */
  use<T>(work: (login: Login) => Promise<T>): Promise<T>;
}

export interface SessionOptions {
  /** For messages: 'Infisical'. */
  readonly who: string;
  /** Whether another login can give something else; a fixed token cannot. */
  readonly renewable: boolean;
}

export function createSession<Login>(login: () => Promise<Login>, options: SessionOptions): Session<Login> {
  let open: Login | undefined;
  let opening: Promise<Login> | undefined;
  let refused: UpstreamError | undefined;

  async function logIn(): Promise<Login> {
    try {
      open = await login();
      return open;
    } catch (error) {
      if (isUpstream(error, 'unauthorized', 'locked', 'forbidden')) refused = error;
      throw error;
    } finally {
      opening = undefined;
    }
  }

  async function current(): Promise<Login> {
    if (refused !== undefined) throw refused;
    if (open !== undefined) return open;
    opening ??= logIn();
    return opening;
  }

  return {
    async use(work) {
      const first = await current();
      try {
        return await work(first);
      } catch (error) {
        if (!isUpstream(error, 'expired')) throw error;
        if (!options.renewable) throw unauthorized(options, error);
      }
      // Somebody else may have logged in again already.
      if (open === first) open = undefined;
      return work(await current()).catch((error: unknown) => {
        throw isUpstream(error, 'expired') ? unauthorized(options, error) : error;
      });
    },
  };
}

function unauthorized({ who, renewable }: SessionOptions, { message }: Error): UpstreamError {
  const which = renewable ? 'a token that it had just given' : 'the token that was given';
  return new UpstreamError('unauthorized', `${who} does not take ${which}: ${message}`);
}
