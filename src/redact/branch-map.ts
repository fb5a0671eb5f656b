import type { RedactionKey } from './key.ts';

/** Permutations kept for reuse; when there are more, all are made again as they are needed. */
const CACHED_PERMUTATIONS = 100_000;

/**
 * One step of a prefix-preserving map: given what stands before it (`path`), a digit or octet becomes another one
 * of the same class. Members of a class change places among themselves, so two values never become one.
 */
export class BranchMap {
  readonly #key: RedactionKey;
  readonly #purpose: string;
  readonly #permutations = new Map<string, Uint8Array>();

  constructor(key: RedactionKey, purpose: string) {
    this.#key = key;
    this.#purpose = purpose;
  }

  /** What `value` becomes behind `path`. `members`: the class it belongs to, ascending, at most 256. */
  step(path: string, members: readonly number[], value: number): number {
    const place = members.indexOf(value);
    if (place < 0 || members.length < 2) return value;
    const name = `${path}|${members[0]}|${members.length}`;
    let order = this.#permutations.get(name);
    if (order === undefined) {
      order = this.#key.permutation(this.#purpose, name, members.length);
      if (this.#permutations.size >= CACHED_PERMUTATIONS) this.#permutations.clear();
      this.#permutations.set(name, order);
    }
    return members[order[place]!]!;
  }
}
