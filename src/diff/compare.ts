import { candidatesOf, rateCandidate } from './candidates.ts';
import type { DiffSide } from './diff-side.ts';
import { type Candidate, type Finding, isSignificant, VERDICT_ORDER, type Verdict } from './finding.ts';
import type { GroupName } from './grouping.ts';
import type { DiffLimits } from './limits.ts';
import { type MatchedGroup, matchGroups } from './matched-groups.ts';
import { adjustedForCount } from './statistics/false-discovery.ts';
import { WatchedTime } from './watched-time.ts';

export interface CompareOptions {
  readonly percentiles: readonly number[];
  /** From 0.5 to below 1; 0.99 for 99 %. */
  readonly confidence: number;
  /** Smallest change that matters, relative: 0.1 for 10 %. */
  readonly threshold: number;
  readonly limits: DiffLimits;
}

export interface GroupComparison extends MatchedGroup {
  readonly findings: readonly Finding[];
  /** The first of VERDICT_ORDER among the findings. */
  readonly verdict: Verdict;
}

export interface Comparison {
  /** All requests of each side together. */
  readonly all: GroupComparison;
  /** What needs attention first; then by the number of requests. */
  readonly groups: readonly GroupComparison[];
  /** Tests made over all groups, for which the p-values are adjusted. */
  readonly tests: number;
  readonly watchedNs: readonly [before: number, after: number];
  /** Answers without a request; they are not compared. */
  readonly orphans: readonly [before: number, after: number];
  /** Requests compared as `(other)` because there were too many groups to hold. */
  readonly crowdedOut: readonly [before: number, after: number];
}

interface Draft extends MatchedGroup {
  readonly candidates: readonly Candidate[];
}

/** Compares what two inputs held. Both sinks have finished; `finalName` comes from their Grouping. */
export function compareSides(
  before: DiffSide,
  after: DiffSide,
  finalName: (name: GroupName) => GroupName,
  options: CompareOptions,
): Comparison {
  const watched = [new WatchedTime(before.captures), new WatchedTime(after.captures)] as const;
  const matched = matchGroups(before, after, finalName, options.limits);
  const drafts = [matched.all, ...matched.groups].map(
    (group): Draft => ({
      ...group,
      candidates: draftOf(group, watched, options),
    }),
  );
  const alpha = 1 - options.confidence;
  // A test that cannot reject whatever happens takes no part: it would only make the others weaker (Tarone 1990).
  // It goes by the numbers of requests alone, never by what they show.
  const able = drafts.flatMap(({ candidates }) => candidates.filter(({ smallestP }) => smallestP <= alpha));
  const adjusted = adjustedForCount(able.map(({ pValue }) => pValue));
  const adjustedBy = new Map(able.map((candidate, index) => [candidate, adjusted[index]]));
  const [all, ...groups] = drafts.map((draft) => concluded(draft, adjustedBy, alpha, options.threshold));
  return {
    all,
    groups: groups.sort(byAttention),
    tests: able.length,
    watchedNs: [watched[0].totalNs, watched[1].totalNs],
    orphans: [before.orphans, after.orphans],
    crowdedOut: [before.crowdedOut, after.crowdedOut],
  };
}

function draftOf(
  { before, after }: MatchedGroup,
  watched: readonly [WatchedTime, WatchedTime],
  { percentiles, confidence, limits }: CompareOptions,
): readonly Candidate[] {
  if (before === null && after === null) return [];
  const kind = before === null ? 'new' : after === null ? 'gone' : 'rate';
  const rate = rateCandidate(kind, before, after, watched);
  const others =
    before === null || after === null
      ? []
      : candidatesOf(before, after, { percentiles, confidence, statusCodes: limits.statusCodes });
  return rate === undefined ? others : [...others, rate];
}

function concluded(
  { candidates, ...group }: Draft,
  adjustedBy: ReadonlyMap<Candidate, number>,
  alpha: number,
  threshold: number,
): GroupComparison {
  const findings = candidates.map((candidate): Finding => {
    const { smallestP, more, ...rest } = candidate;
    const adjustedP = adjustedBy.get(candidate);
    // Where both sides show the same there is no difference that more requests could have made sure of.
    const isMute = adjustedP === undefined && candidate.change !== 0;
    const significant = adjustedP !== undefined && adjustedP <= alpha;
    const verdict = isMute ? 'too-few' : verdictOf(candidate, significant, threshold);
    return { ...rest, adjustedP: adjustedP ?? 1, verdict };
  });
  return { ...group, findings, verdict: verdictOfGroup(findings) };
}

/** Zero errors on both sides of a handful of requests are no sign that nothing changed: durations decide. */
function verdictOfGroup(findings: readonly Finding[]): Verdict {
  const found = VERDICT_ORDER.find(
    (one) => one !== 'same' && one !== 'too-few' && findings.some(({ verdict }) => verdict === one),
  );
  if (found !== undefined) return found;
  const durations = findings.filter(({ kind }) => kind === 'shift');
  const telling = durations.length > 0 ? durations : findings;
  return telling.every(({ verdict }) => verdict === 'too-few') ? 'too-few' : 'same';
}

function verdictOf({ change, more }: Candidate, significant: boolean, threshold: number): Verdict {
  if (!significant || change === null || change === 0) return 'same';
  if (Math.abs(change) < threshold) return 'small';
  if (more === 'different') return 'different';
  return change > 0 ? 'worse' : 'better';
}

/** Requests on both sides. */
export function requestsOf({ before, after }: Pick<GroupComparison, 'before' | 'after'>): number {
  return (before?.requests ?? 0) + (after?.requests ?? 0);
}

function byAttention(a: GroupComparison, b: GroupComparison): number {
  return VERDICT_ORDER.indexOf(a.verdict) - VERDICT_ORDER.indexOf(b.verdict) || requestsOf(b) - requestsOf(a);
}

/** How many groups have a significant finding of that verdict. */
export function groupsWith({ groups }: Comparison, verdict: Verdict): number {
  return groups.filter(({ findings }) => findings.some((finding) => finding.verdict === verdict)).length;
}

/** Everything that differs, in all requests and in the groups. */
export function significantFindings({ all, groups }: Comparison): Finding[] {
  return [all, ...groups].flatMap(({ findings }) => findings.filter(isSignificant));
}
