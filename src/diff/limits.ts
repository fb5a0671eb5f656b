/** Bounds of a comparison. docs/diff.md lists them with what is seen when one is reached. */
export interface DiffLimits {
  /** Requests of each side whose times and sizes are kept, 30 bytes each; beyond, every second, fourth … of the most frequent groups. */
  readonly kept: number;
  /** Groups of each side before their routes are known; the requests of further ones are compared as `(other)`. */
  readonly places: number;
  /** Groups compared, the most frequent ones; the others are compared together as `(other)`. */
  readonly groups: number;
  /** Characters of one part of a group's name; all longer ones are one. */
  readonly nameCharacters: number;
  /** Status codes of a group whose shares are compared, the most frequent ones. */
  readonly statusCodes: number;
}

export const DIFF_LIMITS: DiffLimits = Object.freeze({
  kept: 4_000_000,
  places: 100_000,
  groups: 10_000,
  nameCharacters: 512,
  statusCodes: 10,
});
