/**
 * How often one source may be refused with reasons. Who is not known could else ask as fast as the network carries
 * which Secrets there are. What is over the rate is refused all the same, without a word about Secrets.
 */
import { LRUCache } from 'lru-cache';

/** Whether this source may be told why it is refused, now. */
export type MayTell = (source: string) => boolean;

interface Bucket {
  tokens: number;
  /** When they were counted, on the monotonic clock. */
  at: number;
}

const SOURCES = 1_000;
/** How many seconds' worth may come at once. */
const BURST = 2;

/** At most so many a second from each source; 0 is no bound. */
export function createRefusals(perSecond: number, now: () => number = () => performance.now()): MayTell {
  if (perSecond === 0) return () => true;
  const most = perSecond * BURST;
  const buckets = new LRUCache<string, Bucket>({ max: SOURCES });
  return (source) => {
    const time = now();
    const bucket = buckets.get(source) ?? { tokens: most, at: time };
    bucket.tokens = Math.min(most, bucket.tokens + ((time - bucket.at) / 1000) * perSecond);
    bucket.at = time;
    buckets.set(source, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  };
}
