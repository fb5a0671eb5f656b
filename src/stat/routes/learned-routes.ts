import { routeOf } from '../../model/route.ts';
import { collapse, ends, type TemplatePlace } from './collapse.ts';
import type { PinnedRoutes } from './pinned-routes.ts';
import { type Place, type RouteLeaf, standsAlone } from './place.ts';
import type { RouteLimits } from './route-limits.ts';
import { routePath } from './route-path.ts';

/** Route of everything that is beyond a limit. */
export const OTHER_ROUTE = '/…';

/** One route with what was seen of it. */
export interface RouteFacts {
  /** Lower case; null: requests without Host, and pinned templates of every host. */
  readonly host: string | null;
  readonly route: string;
  readonly origin: 'pinned' | 'learned';
  readonly requests: number;
  /** Distinct paths, where they were counted; else 0. */
  readonly paths: number;
  /** There were more paths than could be counted. */
  readonly morePaths: boolean;
  /** The first few of those paths in the order of the alphabet. */
  readonly examples: readonly string[];
}

/** Paths and other targets of one host. */
export interface HostPlaces {
  readonly paths: Place;
  /** `*` and `host:port`. */
  readonly others: Place;
}

interface HostTemplates {
  readonly paths: TemplatePlace;
  readonly others: TemplatePlace;
}

export interface Learned {
  readonly hosts: ReadonlyMap<string | null, HostPlaces>;
  readonly leaves: readonly RouteLeaf[];
  /** Leaves that stand for pinned templates come first, one each, in the dictionary's order. */
  readonly pinned: PinnedRoutes | null;
  /** The leaf of what was given up. */
  readonly givenUp: RouteLeaf;
  readonly limits: RouteLimits;
}

const EXAMPLES = 3;

/** The routes of a run; see RouteLearner.finish. */
export class LearnedRoutes {
  /** Requests for which there were no places left; they are counted as `/…`. */
  readonly givenUp: number;
  /** Hosts with more routes than the limit. */
  readonly crowdedHosts: number;
  /** Places that became parameters because more names stood there than the budget. */
  readonly parameters: number;
  readonly #hosts = new Map<string | null, HostTemplates>();
  readonly #routes: string[];
  readonly #hostsOfLeaves: (string | null)[];
  readonly #learned: Learned;

  constructor(learned: Learned) {
    const { hosts, leaves, pinned, givenUp, limits } = learned;
    this.#learned = learned;
    this.#routes = new Array<string>(leaves.length).fill(OTHER_ROUTE);
    this.#hostsOfLeaves = new Array<string | null>(leaves.length).fill(null);
    pinned?.routes.forEach(({ host, route }, index) => {
      this.#routes[index] = route;
      this.#hostsOfLeaves[index] = host;
    });
    let crowded = 0;
    let parameters = 0;
    for (const [host, places] of hosts) {
      const templates = {
        paths: collapse([places.paths], limits, true),
        others: collapse([places.others], limits, false),
      };
      this.#hosts.set(host, templates);
      const all = [...ends(templates.paths), ...ends(templates.others)];
      if (limitRoutes(all, limits.routesPerHost)) crowded += 1;
      parameters += countParameters(templates.paths) + countParameters(templates.others);
      for (const { leaves: positions, route } of all) {
        for (const position of positions) {
          this.#routes[position] = route;
          this.#hostsOfLeaves[position] = host;
        }
      }
    }
    this.givenUp = givenUp.requests;
    this.crowdedHosts = crowded;
    this.parameters = parameters;
  }

  /** The route of what RouteLearner.add gave back. */
  ofLeaf(leaf: number): string {
    return this.#routes[leaf] ?? OTHER_ROUTE;
  }

  /**
   * The route of a request, seen while learning or not. A path that leads where nothing was learned goes by the look
   * of its segments, or is `/…` when learning had to give paths up.
   */
  routeOf(host: string | null, target: string): string {
    const { pinned } = this.#learned;
    const position = pinned === null ? -1 : pinned.match(host, target);
    if (pinned !== null && position >= 0) return pinned.routes[position].route;
    const templates = this.#hosts.get(host === null ? null : host.toLowerCase());
    const path = routePath(target);
    if (templates === undefined) return this.givenUp > 0 ? OTHER_ROUTE : routeOf(target);
    let place = path.isPath ? templates.paths : templates.others;
    let known = true;
    let text = '';
    path.segments.forEach((segment, index) => {
      const next = known ? (place.children.get(segment) ?? anyOf(place, segment)) : null;
      if (next === null) {
        known = false;
        text += index === 0 && !path.isPath ? segment : `/${segment}`;
      } else {
        place = next;
        text = next.text;
      }
    });
    if (known) return place.route;
    return this.givenUp > 0 ? OTHER_ROUTE : text;
  }

  /** Every route that was requested, by host and then by text; pinned ones as the dictionary has them. */
  facts(): RouteFacts[] {
    const { leaves, pinned } = this.#learned;
    const groups = new Map<string, RouteLeaf[]>();
    for (const leaf of leaves) {
      if (leaf.requests === 0) continue;
      const isPinned = pinned !== null && leaf.index < pinned.routes.length;
      const key = JSON.stringify([isPinned, this.#hostsOfLeaves[leaf.index], this.#routes[leaf.index]]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [leaf]);
      else group.push(leaf);
    }
    const facts = [...groups].map(([key, group]): RouteFacts => {
      const [isPinned, host, route] = JSON.parse(key) as [boolean, string | null, string];
      return { host, route, origin: isPinned ? 'pinned' : 'learned', ...counted(group) };
    });
    const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
    return facts.sort((a, b) => order(a.host ?? '', b.host ?? '') || order(a.route, b.route));
  }
}

function anyOf(place: TemplatePlace, segment: string): TemplatePlace | null {
  return standsAlone(segment) ? null : place.any;
}

function counted(leaves: readonly RouteLeaf[]): Omit<RouteFacts, 'host' | 'route' | 'origin'> {
  const paths = leaves.flatMap((leaf) => [...(leaf.paths ?? [])]).sort();
  return {
    requests: leaves.reduce((sum, leaf) => sum + leaf.requests, 0),
    paths: paths.length,
    morePaths: leaves.some((leaf) => leaf.morePaths),
    examples: paths.slice(0, EXAMPLES),
  };
}

/** Sends the rarest routes to `/…` until there are no more than `limit`, that one included; true when it had to. */
function limitRoutes(places: readonly TemplatePlace[], limit: number): boolean {
  if (places.length <= limit) return false;
  const byRequests = [...places].sort((a, b) => b.requests - a.requests || (a.text < b.text ? -1 : 1));
  for (const place of byRequests.slice(Math.max(0, limit - 1))) place.route = OTHER_ROUTE;
  return true;
}

function countParameters(place: TemplatePlace): number {
  let count = place.any === null ? 0 : 1 + countParameters(place.any);
  for (const child of place.children.values()) count += countParameters(child);
  return count;
}
