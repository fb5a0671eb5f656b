import { pathOf, routeOf } from '../../model/route.ts';

/** A request target as the places that its path goes through. */
export interface RoutePath {
  /** False for targets that are no path: `*`, `host:port` (RFC 9112 §3.2.3 and §3.2.4). They have one segment. */
  readonly isPath: boolean;
  /** Segments after the first slash, each a name, empty, or what it looks like: `{id}`, `{uuid}`, `…`. */
  readonly segments: readonly string[];
}

/** By the look of each segment alone, at most nine of them; see routeOf. */
export function routePath(target: string): RoutePath {
  const route = routeOf(target);
  return route.startsWith('/')
    ? { isPath: true, segments: route.slice(1).split('/') }
    : { isPath: false, segments: [route] };
}

/** Segments of a path beyond which nothing is pinned. */
export const PINNED_SEGMENTS = 64;

/**
 * The segments of the path as they were sent, without path parameters (`;jsessionid=…`); null when the target is no
 * path. One more than PINNED_SEGMENTS at most.
 */
export function sentSegments(target: string): readonly string[] | null {
  const path = pathOf(target);
  if (!path.startsWith('/')) return null;
  const segments = path.split('/', PINNED_SEGMENTS + 2);
  segments.shift();
  for (let index = 0; index < segments.length; index += 1) {
    const parameter = segments[index].indexOf(';');
    if (parameter >= 0) segments[index] = segments[index].slice(0, parameter);
  }
  return segments;
}
