/** Bounds of what is learned about routes. Memory depends on these, never on the size of a capture. */
export interface RouteLimits {
  /** Names that may stand at one place of a path, under one parent; with more of them the place is a parameter. */
  readonly budget: number;
  /** Routes of one host; the requests of the rarest ones beyond it are counted as `/…`. */
  readonly routesPerHost: number;
  /** Names told apart at one place. Above it the place is a parameter without exceptions. At least `budget`. */
  readonly namesPerPlace: number;
  /** Places of all paths together; paths that would need more are counted as `/…` and reported as given up. */
  readonly places: number;
  /** Targets whose place is remembered; then the memory starts anew. Costs time, never a result. */
  readonly targetsRemembered: number;
  /** Distinct paths remembered where they are counted (RouteLearnerOptions.countPaths); beyond: "at least". */
  readonly pathsCounted: number;
}

export const ROUTE_LIMITS: RouteLimits = Object.freeze({
  budget: 30,
  routesPerHost: 500,
  namesPerPlace: 2_000,
  places: 250_000,
  targetsRemembered: 65_536,
  pathsCounted: 200_000,
});

/** The defaults with some of them replaced; `namesPerPlace` grows with the budget. */
export function routeLimits(parts: Partial<RouteLimits> = {}): RouteLimits {
  const limits = { ...ROUTE_LIMITS, ...parts };
  return { ...limits, namesPerPlace: Math.max(limits.namesPerPlace, limits.budget) };
}
