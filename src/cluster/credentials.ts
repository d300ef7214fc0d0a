/** Where the API server is and who asks: read anew from time to time, since tokens and certificates rotate. */

/** TLS as Node's `tls.connect` takes it. */
export interface Tls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface Endpoint {
  /** Scheme, host and port: 'https://10.0.0.1:443'. */
  readonly origin: string;
  /** What stands before `/api`; '' for most, '/k8s/clusters/c-1' behind a management server. */
  readonly basePath: string;
  /** `authorization` and, where it is so configured, `impersonate-user`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Tls;
  /** URL of an HTTP proxy. */
  readonly proxy?: string;
}

export interface Credentials {
  /** `renew`: the last ones were answered 401, so read them again whatever their age. */
  current(renew?: boolean): Promise<Endpoint>;
}

const DEFAULT_MAX_AGE = 60_000;

/** Credentials that are read at most once a minute; while a later reading fails, the last good one stays. */
export function refreshed(read: () => Promise<Endpoint>, maxAgeMs: number = DEFAULT_MAX_AGE): Credentials {
  let last: Endpoint | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<Endpoint> | undefined;
  async function readNow(): Promise<Endpoint> {
    try {
      last = await read();
    } catch (error) {
      if (last === undefined) throw error;
    } finally {
      readAt = performance.now();
      reading = undefined;
    }
    return last;
  }
  return {
    async current(renew = false) {
      if (last !== undefined && !renew && performance.now() - readAt < maxAgeMs) return last;
      reading ??= readNow();
      return reading;
    },
  };
}

/** Endpoint of a server's URL. */
export function endpointOf(
  server: string,
  parts: { readonly headers: Readonly<Record<string, string>>; readonly tls: Tls; readonly proxy?: string },
): Endpoint {
  const url = new URL(server);
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, ''), ...parts };
}
