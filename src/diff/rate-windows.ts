import type { WindowedCount } from './statistics/rate-test.ts';
import type { WatchedTime } from './watched-time.ts';

/** Windows that a test looks at, at most. */
const MOST_WINDOWS = 32;
/** Events per window that say something about burstiness. */
const PER_WINDOW = 3;

/**
 * How many events came in each window of the time that was watched; windows wide enough for their variance to be
 * known.
 *
 * @param startsNs when, in any order
 * @param weight events that each of them stands for
 */
export function windowedCount(startsNs: Float64Array, weight: number, watched: WatchedTime): WindowedCount {
  const wanted = Math.max(1, Math.min(MOST_WINDOWS, Math.floor((startsNs.length * weight) / PER_WINDOW)));
  const widthNs = Math.max(1, watched.totalNs / wanted);
  const inWindow = new Map<number, number>();
  for (const startNs of startsNs) {
    const index = Math.floor(startNs / widthNs);
    inWindow.set(index, (inWindow.get(index) ?? 0) + weight);
  }
  const counts: number[] = [];
  const watchedNs: number[] = [];
  let waiting = 0;
  let waitingNs = 0;
  for (const [index, ns] of watched.byWindow(widthNs)) {
    waiting += inWindow.get(index) ?? 0;
    waitingNs += ns;
    // The ends of a capture cut windows; a sliver of one would weigh as much as the others.
    if (waitingNs < widthNs / 2) continue;
    counts.push(waiting);
    watchedNs.push(waitingNs);
    waiting = 0;
    waitingNs = 0;
  }
  const total = startsNs.length * weight;
  if (counts.length === 0) return { counts: [total], watchedNs: [watched.totalNs] };
  // What is left belongs to the last window, also events at the very edge, which was watched for no time at all.
  const seen = counts.reduce((sum, count) => sum + count, 0);
  counts[counts.length - 1] += total - seen;
  watchedNs[watchedNs.length - 1] += waitingNs;
  return { counts, watchedNs };
}
