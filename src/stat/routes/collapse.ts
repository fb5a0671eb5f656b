import { isName, looksLikeFile, type Place, standsAlone } from './place.ts';
import { PlaceSums } from './place-sums.ts';
import type { RouteLimits } from './route-limits.ts';

/** A name is kept beside a parameter when it takes this part of the requests that pass the place. */
const FREQUENT_SHARE = 0.25;
/** … and at least so many times what a name of its place takes on average. */
const FREQUENT_TIMES_MEAN = 4;
/** A name is kept when at least so many names follow it that follow no other name of its place … */
const OWN_NAMES = 2;
/** … and when no more than this part of the names are like that. */
const UNUSUAL_SHARE = 0.1;

/** A place of the templates: what became of one or many places of the paths. */
export interface TemplatePlace {
  /** Template from the first slash up to here. */
  readonly text: string;
  readonly children: Map<string, TemplatePlace>;
  /** Where every segment goes that is not among the children; null: the place is no parameter. */
  any: TemplatePlace | null;
  /** Requests that ended here. */
  requests: number;
  /** Positions of the leaves that became this place. */
  readonly leaves: number[];
  /** What the place is called in the end: its text, or `/…` beyond the limit of routes. */
  route: string;
}

/**
 * Makes templates of the paths below `roots`, which are one place. Depends on the set of paths and on how often each
 * was requested, not on the order in which they came; see RouteLearner.
 */
export function collapse(roots: readonly Place[], limits: RouteLimits, isPath: boolean): TemplatePlace {
  const top = templatePlace('');
  fill(top, roots, { limits, sums: new PlaceSums() }, isPath ? '/' : '', isPath ? '{slug}' : '{authority}');
  return top;
}

/** What one run goes by. */
interface Knowing {
  readonly limits: RouteLimits;
  readonly sums: PlaceSums;
}

function templatePlace(text: string): TemplatePlace {
  return { text, children: new Map(), any: null, requests: 0, leaves: [], route: text };
}

function fill(
  into: TemplatePlace,
  places: readonly Place[],
  knowing: Knowing,
  slash: string,
  parameter: string,
): void {
  const { limits, sums } = knowing;
  const groups = new Map<string, Place[]>();
  const beyond: Place[] = [];
  let beyondAreFiles = true;
  for (const place of places) {
    if (place.leaf !== null) {
      into.requests += place.leaf.requests;
      into.leaves.push(place.leaf.index);
    }
    for (const [segment, child] of place.children) {
      const group = groups.get(segment);
      if (group === undefined) groups.set(segment, [child]);
      else group.push(child);
    }
    if (place.beyond !== null) {
      beyond.push(place.beyond);
      beyondAreFiles &&= place.beyondAreFiles;
    }
  }
  const names = [...groups.keys()].filter(isName);
  const tooMany = beyond.length > 0 || names.length > limits.namesPerPlace;
  let kept: ReadonlySet<string> | null = null;
  if (tooMany) kept = new Set();
  else if (names.length > limits.budget) kept = keptNames(names, groups, limits.budget, sums);
  const merged: Place[] = [...beyond];
  const mergedSegments: string[] = [];
  for (const [segment, group] of groups) {
    if (kept !== null && !standsAlone(segment) && !kept.has(segment)) {
      for (const place of group) merged.push(place);
      mergedSegments.push(segment);
      continue;
    }
    const child = templatePlace(`${into.text}${slash}${segment}`);
    into.children.set(segment, child);
    fill(child, group, knowing, '/', '{slug}');
  }
  if (kept === null) return;
  const files = beyondAreFiles && mergedSegments.every(looksLikeFile);
  const name = files && parameter === '{slug}' ? '{file}' : parameter;
  into.any = templatePlace(`${into.text}${slash}${name}`);
  fill(into.any, merged, knowing, '/', '{slug}');
}

/**
 * Names of a parameter's place that stay names: those that the server knows if these alone keep the budget, otherwise
 * those much asked for, or with another tree below them.
 */
function keptNames(
  names: readonly string[],
  groups: ReadonlyMap<string, readonly Place[]>,
  budget: number,
  sums: PlaceSums,
): ReadonlySet<string> {
  const found = names.filter((name) => groups.get(name)?.some((place) => sums.found(place)));
  if (found.length <= budget) return new Set(found);
  const through = new Map<string, number>();
  let total = 0;
  for (const [segment, group] of groups) {
    const requests = group.reduce((sum, place) => sum + sums.through(place), 0);
    through.set(segment, requests);
    total += requests;
  }
  const requestsOf = (name: string): number => through.get(name) ?? 0;
  const byRequests = (a: string, b: string): number => requestsOf(b) - requestsOf(a) || (a < b ? -1 : 1);
  const least = total * Math.max(FREQUENT_SHARE, FREQUENT_TIMES_MEAN / names.length);
  const frequent = names.filter((name) => requestsOf(name) >= least);
  const unusual = unusualNames(names, groups);
  const kept = new Set(frequent.sort(byRequests).slice(0, budget));
  const room = Math.min(budget - kept.size, Math.floor(names.length * UNUSUAL_SHARE));
  const further = unusual.filter((name) => !kept.has(name));
  if (further.length <= room) for (const name of further) kept.add(name);
  return kept;
}

/** Names below which stand at least OWN_NAMES names that stand below no other name. */
function unusualNames(
  names: readonly string[],
  groups: ReadonlyMap<string, readonly Place[]>,
): readonly string[] {
  const below = new Map<string, Set<string>>();
  const owners = new Map<string, number>();
  for (const [segment, group] of groups) {
    const following = new Set<string>();
    for (const { children } of group) {
      for (const [child] of children) if (isName(child)) following.add(child);
    }
    below.set(segment, following);
    for (const child of following) owners.set(child, (owners.get(child) ?? 0) + 1);
  }
  return names.filter((name) => {
    let own = 0;
    for (const child of below.get(name) ?? []) if (owners.get(child) === 1) own += 1;
    return own >= OWN_NAMES;
  });
}

/** Every place at which a request ended. */
export function ends(top: TemplatePlace): TemplatePlace[] {
  const found: TemplatePlace[] = [];
  const visit = (place: TemplatePlace): void => {
    if (place.leaves.length > 0) found.push(place);
    for (const child of place.children.values()) visit(child);
    if (place.any !== null) visit(place.any);
  };
  visit(top);
  return found;
}
