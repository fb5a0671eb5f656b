import { pathOf } from '../../model/route.ts';
import { type HostPlaces, LearnedRoutes } from './learned-routes.ts';
import type { PinnedRoutes } from './pinned-routes.ts';
import { isName, looksLikeFile, Place, RouteLeaf, standsAlone } from './place.ts';
import { type RouteLimits, routeLimits } from './route-limits.ts';
import { routePath } from './route-path.ts';

export interface RouteLearnerOptions {
  readonly limits?: Partial<RouteLimits>;
  /** Templates that win over what would be learned. */
  readonly pinned?: PinnedRoutes | null;
  /** Remember the distinct paths of each route, for RouteFacts. */
  readonly countPaths?: boolean;
}

/** Hosts and targets longer than this are not remembered: memory must not depend on them. */
const LONGEST_TEXT = 512;

/**
 * Learns the routes of each host: `/products/red-shoes` and `/products/blue-hat` are `/products/{slug}` once more
 * names than the budget have been seen behind `/products`. Numbers, UUIDs and the like count as one name (see
 * routeOf), and where no place has more names than the budget the routes are those of routeOf. Of the names at a
 * place that becomes a parameter, those stay that take a quarter of its requests, and the few with a tree of names of
 * their own (`/users/me/settings`); where only names that were never found (404) exceed the budget, all others stay.
 * A last slash and `/…` stay what they are.
 *
 * The routes depend on what was added, not on its order, as long as nothing had to be given up. Learning from the
 * routes gives the same routes.
 *
 * Use: `add` every request and keep what it returns; `finish`; ask LearnedRoutes for the route of each.
 */
export class RouteLearner {
  readonly #limits: RouteLimits;
  readonly #pinned: PinnedRoutes | null;
  readonly #countPaths: boolean;
  readonly #hosts = new Map<string | null, HostPlaces>();
  readonly #leaves: RouteLeaf[] = [];
  readonly #givenUp: RouteLeaf;
  #places = 0;
  #pathsCounted = 0;
  /** Leaf of a target, by host as sent. */
  readonly #known = new Map<string | null, Map<string, RouteLeaf>>();
  #remembered = 0;

  constructor({ limits, pinned, countPaths }: RouteLearnerOptions = {}) {
    this.#limits = routeLimits(limits);
    this.#pinned = pinned ?? null;
    this.#countPaths = countPaths === true;
    for (const _ of this.#pinned?.routes ?? []) this.#newLeaf();
    this.#givenUp = this.#newLeaf();
  }

  /**
   * Takes one request.
   *
   * @param host Host as sent; null: none. Upper and lower case are the same host.
   * @param target request target as sent (RFC 9112 §3.2)
   * @param found false: the answer was 404. Names that were never found do not use up the budget of a place.
   * @returns what to ask LearnedRoutes.ofLeaf with, a small whole number
   */
  add(host: string | null, target: string, found = true): number {
    let leaf = this.#known.get(host)?.get(target);
    if (leaf === undefined) {
      leaf = this.#find(host, target);
      this.#remember(host, target, leaf);
      if (this.#countPaths) this.#countPath(leaf, target);
    }
    leaf.requests += 1;
    if (found) leaf.found = true;
    return leaf.index;
  }

  /** Ends learning; nothing may be added afterwards. */
  finish(): LearnedRoutes {
    this.#known.clear();
    return this.soFar();
  }

  /** What has been learned until now; learning goes on. Takes time in proportion to the places held. */
  soFar(): LearnedRoutes {
    return new LearnedRoutes({
      hosts: this.#hosts,
      leaves: this.#leaves,
      pinned: this.#pinned,
      givenUp: this.#givenUp,
      limits: this.#limits,
    });
  }

  #newLeaf(): RouteLeaf {
    const leaf = new RouteLeaf(this.#leaves.length);
    this.#leaves.push(leaf);
    return leaf;
  }

  #find(host: string | null, target: string): RouteLeaf {
    const pinned = this.#pinned?.match(host, target) ?? -1;
    if (pinned >= 0) return this.#leaves[pinned];
    const name = host === null ? null : host.toLowerCase();
    let places = this.#hosts.get(name);
    if (places === undefined) {
      if ((name?.length ?? 0) > LONGEST_TEXT || this.#places >= this.#limits.places) return this.#givenUp;
      places = { paths: new Place(), others: new Place() };
      this.#hosts.set(name === null ? null : detached(name), places);
      this.#places += 2;
    }
    const { isPath, segments } = routePath(target);
    let place = isPath ? places.paths : places.others;
    for (const segment of segments) {
      const next = this.#step(place, segment);
      if (next === null) return this.#givenUp;
      place = next;
    }
    place.leaf ??= this.#newLeaf();
    return place.leaf;
  }

  /** null: the limit of places is reached. */
  #step(place: Place, segment: string): Place | null {
    // Once a place has too many names all of them will be merged, so nothing needs to grow below each of them.
    if (place.beyond !== null && !standsAlone(segment)) return this.#beyond(place, segment);
    const known = place.children.get(segment);
    if (known !== undefined) return known;
    const name = isName(segment);
    if (name && place.names >= this.#limits.namesPerPlace) return this.#beyond(place, segment);
    if (this.#places >= this.#limits.places) return null;
    this.#places += 1;
    if (name) place.names += 1;
    const fresh = new Place();
    place.children.set(detached(segment), fresh);
    return fresh;
  }

  #beyond(place: Place, segment: string): Place | null {
    if (!looksLikeFile(segment)) place.beyondAreFiles = false;
    if (place.beyond === null) {
      if (this.#places >= this.#limits.places) return null;
      this.#places += 1;
      place.beyond = new Place();
    }
    return place.beyond;
  }

  #remember(host: string | null, target: string, leaf: RouteLeaf): void {
    if (target.length > LONGEST_TEXT || (host?.length ?? 0) > LONGEST_TEXT) return;
    if (this.#remembered >= this.#limits.targetsRemembered) {
      this.#known.clear();
      this.#remembered = 0;
    }
    let byTarget = this.#known.get(host);
    if (byTarget === undefined) {
      byTarget = new Map();
      this.#known.set(host, byTarget);
    }
    byTarget.set(target, leaf);
    this.#remembered += 1;
  }

  #countPath(leaf: RouteLeaf, target: string): void {
    const path = pathOf(target);
    leaf.paths ??= new Set();
    if (leaf.paths.has(path)) return;
    if (path.length > LONGEST_TEXT || this.#pathsCounted >= this.#limits.pathsCounted) {
      leaf.morePaths = true;
      return;
    }
    leaf.paths.add(detached(path));
    this.#pathsCounted += 1;
  }
}

/** The text without the larger string that it may be a part of. */
function detached(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
