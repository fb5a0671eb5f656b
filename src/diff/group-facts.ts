import { nearestRank } from '../report/percentile.ts';
import { type GroupSide, known, shareOf } from './group-side.ts';
import { isClientError, isError } from './status-code.ts';

/** What one side has of a group, for people to read. */
export interface GroupFacts {
  readonly requests: number;
  /** Requests per second; null: the time is not known. */
  readonly rate: number | null;
  /** 5xx or no answer, 4xx: shares from 0 to 1. */
  readonly errorShare: number;
  readonly clientErrorShare: number;
  /** Of the metric, in ns, in the order of the percentiles asked for; null: no duration is known. */
  readonly percentilesNs: readonly (number | null)[];
  /** Median of the responses' heads and bodies; null: there is none. */
  readonly responseBytes: number | null;
  /** The numbers above, but for `requests`, come from a sample. */
  readonly sampled: boolean;
}

export function factsOf(side: GroupSide, percentiles: readonly number[], watchedNs: number): GroupFacts {
  const durations = known(side.durationsNs).sort();
  const bytes = known(side.responseBytes).sort();
  return {
    requests: side.requests,
    rate: watchedNs > 0 ? (side.requests * 1e9) / watchedNs : null,
    errorShare: shareOf(side, isError),
    clientErrorShare: shareOf(side, isClientError),
    percentilesNs: percentiles.map((percent) => ranked(durations, percent)),
    responseBytes: ranked(bytes, 50),
    sampled: side.stride > 1,
  };
}

function ranked(sorted: Float64Array, percent: number): number | null {
  return sorted.length === 0 ? null : sorted[nearestRank(percent, sorted.length) - 1];
}
