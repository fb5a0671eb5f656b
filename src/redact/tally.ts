import { isName } from './words.ts';

/** Field names listed in a manifest for each kind; further ones are counted together. */
const LISTED_NAMES = 1_000;
const OTHER = '(other names)';

/** What was replaced, or kept: counts by kind and, within a kind, by name. Never a value. */
export class Tally {
  readonly #kinds = new Map<string, Map<string, number>>();

  /** Counts one; a `name` that may itself be a secret is counted as another. */
  add(kind: string, name = '', count = 1): void {
    let names = this.#kinds.get(kind);
    if (names === undefined) {
      names = new Map();
      this.#kinds.set(kind, names);
    }
    const listed = name === '' || isName(name) ? name.toLowerCase() : OTHER;
    const shown = names.has(listed) || names.size < LISTED_NAMES ? listed : OTHER;
    names.set(shown, (names.get(shown) ?? 0) + count);
  }

  clear(): void {
    this.#kinds.clear();
  }

  /** Total of a kind. */
  total(kind: string): number {
    let total = 0;
    for (const count of this.#kinds.get(kind)?.values() ?? []) total += count;
    return total;
  }

  /** Kinds with their counts: a number, or numbers by name; in alphabetical order. */
  toJSON(): Record<string, number | Record<string, number>> {
    const result: Record<string, number | Record<string, number>> = {};
    for (const [kind, names] of [...this.#kinds].sort(byName)) {
      const [only] = names;
      result[kind] =
        names.size === 1 && only?.[0] === '' ? only[1] : Object.fromEntries([...names].sort(byName));
    }
    return result;
  }
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
