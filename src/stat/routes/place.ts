/** The end of a path that was requested: what a caller holds on to until the routes are known. */
export class RouteLeaf {
  readonly index: number;
  requests = 0;
  /** One of them was answered with something else than 404, or not at all. */
  found = false;
  /** Distinct paths that ended here, where they are counted. */
  paths: Set<string> | null = null;
  /** More distinct paths than could be remembered. */
  morePaths = false;

  constructor(index: number) {
    this.index = index;
  }
}

/** `{id}`, `{id}.png`, `…`: a segment that stands for many already. */
const PLACEHOLDER = /^(?:\{[^{}]*\}(?:\.[a-z]{1,5})?|…)$/i;
const FILE_NAME = /\.[a-z0-9]{1,5}$/i;

export function isPlaceholder(segment: string): boolean {
  return PLACEHOLDER.test(segment);
}

export function looksLikeFile(segment: string): boolean {
  return FILE_NAME.test(segment);
}

/** Never a value of a parameter: a last slash, `*` (RFC 9112 §3.2.4), and what comes after the eighth segment. */
export function standsAlone(segment: string): boolean {
  return segment === '' || segment === '*' || segment === '…';
}

/** A name that counts against the budget. */
export function isName(segment: string): boolean {
  return !standsAlone(segment) && !isPlaceholder(segment);
}

/** A segment of the paths that were seen, and what followed it. */
export class Place {
  readonly children = new Map<string, Place>();
  /** Names among the children. */
  names = 0;
  /** What followed the segments that came when there was no room for another name; null: there always was. */
  beyond: Place | null = null;
  /** All segments that came then looked like files. */
  beyondAreFiles = true;
  leaf: RouteLeaf | null = null;
}
