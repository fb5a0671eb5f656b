import type { DiffSide } from './diff-side.ts';
import { type GroupSide, groupSides } from './group-side.ts';
import { ALL, type GroupName, keyOf, OTHER } from './grouping.ts';
import type { DiffLimits } from './limits.ts';

/** A group with what each side has of it; null: no request. */
export interface MatchedGroup {
  readonly name: GroupName;
  readonly before: GroupSide | null;
  readonly after: GroupSide | null;
}

export interface MatchedGroups {
  /** All requests of each side. */
  readonly all: MatchedGroup;
  readonly groups: readonly MatchedGroup[];
}

/**
 * The groups of both sides by their final names. `finalName` comes from Grouping.finish. Beyond the limit of groups
 * the rarer ones are one group, on both sides the same.
 */
export function matchGroups(
  before: DiffSide,
  after: DiffSide,
  finalName: (name: GroupName) => GroupName,
  limits: DiffLimits,
): MatchedGroups {
  const sides = [before, after];
  const requests = new Map<string, number>();
  const names = new Map<string, GroupName>();
  const keys = sides.map(({ names: provisional, log }) =>
    provisional.map((name, place) => {
      const final = name === OTHER ? OTHER : finalName(name);
      const key = keyOf(final);
      names.set(key, final);
      requests.set(key, (requests.get(key) ?? 0) + log.requests[place]);
      return key;
    }),
  );
  const kept = mostFrequent(requests, limits.groups);
  if (kept.size < requests.size) kept.set(keyOf(OTHER), kept.get(keyOf(OTHER)) ?? kept.size);
  const other = kept.get(keyOf(OTHER)) ?? -1;
  const [first, second] = sides.map(({ log }, index) =>
    groupSides(
      log,
      Int32Array.from(keys[index], (key) => kept.get(key) ?? other),
      kept.size,
    ),
  );
  const [allFirst, allSecond] = sides.map(
    ({ log }) => groupSides(log, new Int32Array(log.requests.length), 1)[0],
  );
  return {
    all: { name: ALL, before: allFirst, after: allSecond },
    groups: [...kept].map(([key, group]) => ({
      name: names.get(key) ?? OTHER,
      before: first[group],
      after: second[group],
    })),
  };
}

/** Number from 0 of each of the keys with the most requests; in the order of the keys' first appearance. */
function mostFrequent(requests: ReadonlyMap<string, number>, limit: number): Map<string, number> {
  const order = [...requests];
  const chosen =
    order.length <= limit ? order : order.sort((a, b) => b[1] - a[1]).slice(0, Math.max(0, limit - 1));
  return new Map(chosen.map(([key], index) => [key, index]));
}
