import type { Place } from './place.ts';

/**
 * What is true of a place and all that follows it. Remembers what it has computed, so it is good for one look at places
 * to which nothing is added meanwhile.
 */
export class PlaceSums {
  readonly #through = new Map<Place, number>();
  readonly #found = new Map<Place, boolean>();

  /** Requests that ended at the place or further on. */
  through(place: Place): number {
    const known = this.#through.get(place);
    if (known !== undefined) return known;
    let sum = place.leaf?.requests ?? 0;
    for (const child of place.children.values()) sum += this.through(child);
    if (place.beyond !== null) sum += this.through(place.beyond);
    this.#through.set(place, sum);
    return sum;
  }

  /** Whether the server knows any path that ends at the place or further on, as far as its answers tell. */
  found(place: Place): boolean {
    const known = this.#found.get(place);
    if (known !== undefined) return known;
    let found = place.leaf?.found === true || (place.beyond !== null && this.found(place.beyond));
    for (const child of place.children.values()) found ||= this.found(child);
    this.#found.set(place, found);
    return found;
  }
}
