/** What a request's URL asks for: where to, and within which time. */
import { parseDuration } from '../kube/duration.ts';
import type { Door } from '../review/request.ts';

export interface Route {
  /** A door, or the question whether anybody is there. */
  readonly to: Door | 'reachable';
  /** Of the `?timeout=` that the API server adds, in milliseconds. */
  readonly timeoutMs: number;
}

/** The API server's own default and bound for `?timeout=`. */
const DEFAULT_TIMEOUT = 10_000;
const LONGEST_TIMEOUT = 30_000;

const PLACES = ['mutate', 'validate', 'reachable'] as const;

/** An API server sends the URL of its webhook configuration, the same each time. */
const REMEMBERED = 16;

/** Reads URLs; undefined where nothing is at that path. */
export function createRoutes(): (url: string) => Route | undefined {
  const known = new Map<string, Route>();
  return (url) => {
    const remembered = known.get(url);
    if (remembered !== undefined) return remembered;
    const route = routeOf(url);
    if (route !== undefined && known.size < REMEMBERED) known.set(url, route);
    return route;
  };
}

function routeOf(url: string): Route | undefined {
  const end = url.indexOf('?');
  const path = end === -1 ? url : url.slice(0, end);
  const to = PLACES.find((place) => path === `/${place}`);
  if (to === undefined) return undefined;
  const query = new URLSearchParams(end === -1 ? '' : url.slice(end));
  return { to, timeoutMs: timeoutOf(query.get('timeout')) };
}

function timeoutOf(written: string | null): number {
  const asked = written === null ? undefined : parseDuration(written);
  return asked === undefined || asked <= 0 ? DEFAULT_TIMEOUT : Math.min(asked, LONGEST_TIMEOUT);
}
