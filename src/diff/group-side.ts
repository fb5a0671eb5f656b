import type { RequestLog } from './request-log.ts';

/** The requests of one group on one side. Lists are in the order of time, of the rows that were kept. */
export interface GroupSide {
  /** All requests. */
  readonly requests: number;
  /** One of so many requests is in the lists below; 1: all are. */
  readonly stride: number;
  readonly startsNs: Float64Array;
  /** NaN: not known. */
  readonly durationsNs: Float64Array;
  /** NaN: no response. */
  readonly responseBytes: Float64Array;
  readonly statuses: Int16Array;
}

/** The values that are known. */
export function known(values: Float64Array): Float64Array {
  return values.filter((value) => !Number.isNaN(value));
}

/** 1 for each request whose status is one of those, else 0. */
export function marksOf({ statuses }: GroupSide, isMarked: (code: number) => boolean): Float64Array {
  return Float64Array.from(statuses, (code) => (isMarked(code) ? 1 : 0));
}

/** Share of the requests whose status is one of those. */
export function shareOf({ statuses }: GroupSide, isMarked: (code: number) => boolean): number {
  let count = 0;
  for (const code of statuses) if (isMarked(code)) count += 1;
  return count / statuses.length;
}

/**
 * Puts the rows of a log together by group. Places of one group may have been thinned out differently; all of them
 * are brought to the widest stride, so that every request counts the same.
 *
 * @param groupOf group of each place, from 0; -1: none
 */
export function groupSides(log: RequestLog, groupOf: Int32Array, groups: number): (GroupSide | null)[] {
  const strides = new Int32Array(groups).fill(1);
  const requests = new Float64Array(groups);
  groupOf.forEach((group, place) => {
    if (group < 0) return;
    strides[group] = Math.max(strides[group], log.strides[place]);
    requests[group] += log.requests[place];
  });
  const taken = takenRows(log, groupOf, strides);
  const sizes = new Int32Array(groups);
  for (const row of taken) sizes[groupOf[log.places[row]]] += 1;
  const sides = Array.from({ length: groups }, (_, group): GroupSide | null =>
    requests[group] === 0
      ? null
      : {
          requests: requests[group],
          stride: strides[group],
          startsNs: new Float64Array(sizes[group]),
          durationsNs: new Float64Array(sizes[group]),
          responseBytes: new Float64Array(sizes[group]),
          statuses: new Int16Array(sizes[group]),
        },
  );
  const next = new Int32Array(groups);
  for (const row of taken) {
    const group = groupOf[log.places[row]];
    const side = sides[group];
    if (side === null) continue;
    const at = next[group];
    side.startsNs[at] = log.startsNs[row];
    side.durationsNs[at] = log.durationsNs[row];
    side.responseBytes[at] = log.responseBytes[row];
    side.statuses[at] = log.statuses[row];
    next[group] += 1;
  }
  return sides;
}

/** Rows that remain when each place is thinned out as far as its group is. */
function takenRows(log: RequestLog, groupOf: Int32Array, strides: Int32Array): Int32Array {
  const seen = new Float64Array(groupOf.length);
  const rows = new Int32Array(log.length);
  let count = 0;
  for (let row = 0; row < log.length; row += 1) {
    const place = log.places[row];
    const group = groupOf[place];
    if (group < 0) continue;
    if (seen[place] % (strides[group] / log.strides[place]) === 0) {
      rows[count] = row;
      count += 1;
    }
    seen[place] += 1;
  }
  return rows.subarray(0, count);
}
