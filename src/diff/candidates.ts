import { nearestRank } from '../report/percentile.ts';
import { type Candidate, relativeChange } from './finding.ts';
import { type GroupSide, known, marksOf, shareOf } from './group-side.ts';
import { windowedCount } from './rate-windows.ts';
import { percentileInterval } from './statistics/percentile-interval.ts';
import { percentileTest } from './statistics/percentile-test.ts';
import { rateTest } from './statistics/rate-test.ts';
import { shareTest } from './statistics/share-test.ts';
import { shiftTest } from './statistics/shift-test.ts';
import { isClientError, isError } from './status-code.ts';
import type { WatchedTime } from './watched-time.ts';

export interface CandidateOptions {
  readonly percentiles: readonly number[];
  /** 0.99 for 99 %. */
  readonly confidence: number;
  readonly statusCodes: number;
}

/** Everything that is compared of one group that both sides have. */
export function candidatesOf(before: GroupSide, after: GroupSide, options: CandidateOptions): Candidate[] {
  return [
    ...durationCandidates(before, after, options),
    ...shareCandidates(before, after, options),
    ...sizeCandidates(before, after, options),
  ];
}

function durationCandidates(
  before: GroupSide,
  after: GroupSide,
  { percentiles, confidence }: CandidateOptions,
): Candidate[] {
  const first = known(before.durationsNs);
  const second = known(after.durationsNs);
  if (first.length === 0 || second.length === 0) return [];
  const list = percentiles.map((percent) =>
    percentileCandidate(`p${percent}`, [first, second], percent, confidence, 'worse'),
  );
  const { shift, ...test } = shiftTest(first, second, confidence);
  const sorted = first.slice().sort();
  const median = sorted[nearestRank(50, sorted.length) - 1];
  const range = { low: shift.low, high: shift.high };
  list.push({
    kind: 'shift',
    status: null,
    before: 0,
    after: shift.estimate,
    change: relativeChange(median, median + shift.estimate),
    countBefore: first.length,
    countAfter: second.length,
    pValue: test.pValue,
    smallestP: test.smallestP,
    dispersion: test.dispersion,
    more: 'worse',
    intervals: { before: { low: 0, high: 0 }, after: range },
  });
  return list;
}

function percentileCandidate(
  kind: Candidate['kind'],
  samples: readonly [before: Float64Array, after: Float64Array],
  percent: number,
  confidence: number,
  more: Candidate['more'],
): Candidate {
  const test = percentileTest(samples[0], samples[1], percent);
  const [first, second] = samples.map((values) => {
    const sorted = values.slice().sort();
    return {
      value: sorted[nearestRank(percent, sorted.length) - 1],
      range: percentileInterval(sorted, percent, confidence, test.dispersion),
    };
  });
  // The test compares shares above a common cut. Where ties or thin tails make it point the other way than the
  // percentiles do, nothing can be claimed.
  const shares = test.markedAfter / samples[1].length - test.markedBefore / samples[0].length;
  const agrees = Math.sign(shares) === Math.sign(second.value - first.value);
  return {
    kind,
    status: null,
    before: first.value,
    after: second.value,
    change: relativeChange(first.value, second.value),
    countBefore: samples[0].length,
    countAfter: samples[1].length,
    pValue: agrees ? test.pValue : 1,
    smallestP: test.smallestP,
    dispersion: test.dispersion,
    more,
    intervals: { before: first.range, after: second.range },
  };
}

function shareCandidate(
  kind: Candidate['kind'],
  [before, after]: readonly [GroupSide, GroupSide],
  isMarked: (code: number) => boolean,
  more: Candidate['more'],
  status: number | null = null,
): Candidate {
  const test = shareTest(marksOf(before, isMarked), marksOf(after, isMarked));
  const shares = [before, after].map((side) => shareOf(side, isMarked));
  return {
    kind,
    status,
    before: shares[0],
    after: shares[1],
    change: relativeChange(shares[0], shares[1]),
    countBefore: before.requests,
    countAfter: after.requests,
    pValue: test.pValue,
    smallestP: test.smallestP,
    dispersion: test.dispersion,
    more,
    intervals: null,
  };
}

function shareCandidates(
  before: GroupSide,
  after: GroupSide,
  { statusCodes }: CandidateOptions,
): Candidate[] {
  const both = [before, after] as const;
  const counts = new Map<number, number>();
  for (const side of both)
    for (const code of side.statuses) counts.set(code, (counts.get(code) ?? 0) + side.stride);
  const codes = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([code]) => code);
  // A code that is the only one of its kind would say the same thing again.
  const alone = (code: number): boolean =>
    [isError, isClientError].some(
      (isKind) => isKind(code) && codes.filter((other) => isKind(other)).length === 1,
    );
  return [
    shareCandidate('errors', both, isError, 'worse'),
    shareCandidate('client-errors', both, isClientError, 'worse'),
    ...codes
      .slice(0, statusCodes)
      .filter((code) => !alone(code))
      .map((code) => shareCandidate('status', both, (other) => other === code, 'different', code)),
  ];
}

function sizeCandidates(before: GroupSide, after: GroupSide, { confidence }: CandidateOptions): Candidate[] {
  const first = known(before.responseBytes);
  const second = known(after.responseBytes);
  if (first.length === 0 || second.length === 0) return [];
  return [percentileCandidate('size', [first, second], 50, confidence, 'different')];
}

/** Requests per second; undefined where the time of one side is not known. Either side may have none of them. */
export function rateCandidate(
  kind: 'rate' | 'new' | 'gone',
  before: GroupSide | null,
  after: GroupSide | null,
  watched: readonly [before: WatchedTime, after: WatchedTime],
): Candidate | undefined {
  if (watched.some(({ totalNs }) => totalNs <= 0)) return undefined;
  const [first, second] = [before, after].map((side, index) =>
    side === null
      ? { counts: [0], watchedNs: [watched[index].totalNs] }
      : windowedCount(side.startsNs, side.stride, watched[index]),
  );
  const test = rateTest(first, second);
  const counts = [before, after].map((side) => side?.requests ?? 0);
  const rates = counts.map((count, index) => (count * 1e9) / watched[index].totalNs);
  return {
    kind,
    status: null,
    before: rates[0],
    after: rates[1],
    change: relativeChange(rates[0], rates[1]),
    countBefore: counts[0],
    countAfter: counts[1],
    pValue: test.pValue,
    smallestP: test.smallestP,
    dispersion: test.dispersion,
    more: 'different',
    intervals: null,
  };
}
