/** From words to values: times, uids, and a namespace of its own for each case that shares a cluster. */
import { parseDuration } from '../../src/kube/duration.ts';
import { NAMESPACE, uidOf } from './manifest.ts';

/** Where a case is told. */
export interface Stage {
  readonly now: Date;
  /** Makes every name that holds `floe-jobs` unique; undefined where the case has a world of its own. */
  readonly number?: number;
  /** The uid of `Kind/name`: a real API server gives its own. */
  readonly uid?: (kindAndName: string) => string | undefined;
}

/** A copy of `value` with every word of a story filled in. */
export function render<T>(value: T, stage: Stage): T {
  return walk(value, stage) as T;
}

function walk(value: unknown, stage: Stage): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, stage));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [renderText(key, stage), walk(inner, stage)]),
    );
  }
  if (typeof value !== 'string') return value;
  return volumes(value) ?? unixTime(value, stage) ?? renderText(value, stage);
}

function renderText(text: string, stage: Stage): string {
  const time = /^now(?:([+-])(\w+))?$/.exec(text);
  if (time !== null) return timeOf(stage.now, time[1], time[2]);
  if (text.startsWith('uid:')) return stage.uid?.(text.slice(4)) ?? uidOf(text.slice(4));
  const full = text.replaceAll(/\{\{(.)\*(\d+)\}\}/g, (_, what: string, count: string) =>
    what.repeat(Number(count)),
  );
  return stage.number === undefined ? full : full.replaceAll(NAMESPACE, `${NAMESPACE}-${stage.number}`);
}

/** `{{volumes 101}}`: so many volumes, each of a Secret that is not there. */
function volumes(text: string): unknown {
  const count = /^\{\{volumes (\d+)\}\}$/.exec(text)?.[1];
  if (count === undefined) return undefined;
  return Array.from({ length: Number(count) }, (_, index) => ({
    name: `v${index}`,
    secret: { secretName: `missing-${index}` },
  }));
}

/** `unix:now-5m`: seconds since the epoch, as some operators write their times. */
function unixTime(text: string, { now }: Stage): number | undefined {
  const time = /^unix:now(?:([+-])(\w+))?$/.exec(text);
  return time === null ? undefined : Date.parse(timeOf(now, time[1], time[2])) / 1000;
}

function timeOf(now: Date, sign: string | undefined, span: string | undefined): string {
  const distance = span === undefined ? 0 : parseDuration(span);
  if (distance === undefined) throw new Error(`no duration: ${String(span)}`);
  const time = new Date(now.getTime() + (sign === '-' ? -distance : distance));
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}
