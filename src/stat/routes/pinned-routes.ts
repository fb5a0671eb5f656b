import { UserError } from '../../model/errors.ts';
import { routePath, sentSegments } from './route-path.ts';

/** Bounds of a dictionary of routes. */
export const PINNED_LIMITS = Object.freeze({
  /** Templates of one dictionary. */
  templates: 10_000,
  /** Characters of a dictionary. */
  characters: 4 * 1024 * 1024,
});

/** A template that a person has fixed. */
export interface PinnedRoute {
  /** Lower case; null: of every host. */
  readonly host: string | null;
  /** `/users/{id}`, as it is shown. */
  readonly route: string;
}

interface Pattern {
  readonly prefix: string;
  readonly suffix: string;
  readonly place: PinnedPlace;
}

class PinnedPlace {
  readonly names = new Map<string, PinnedPlace>();
  /** By the text of the segment: `{id}`, `{id}.png`, `v{version}`. */
  readonly patterns = new Map<string, Pattern>();
  /** Position of the route that ends here; -1: none. */
  end = -1;
  /** Position of the route that takes whatever follows, from here; -1: none. */
  rest = -1;
}

/** One placeholder with what stands before and after it; the braces of `\u{…}` belong to no placeholder. */
const CHARACTER = String.raw`(?:\\u\{[0-9a-f]{1,6}\}|(?!\\u\{)[^{}])*`;
const SEGMENT_PATTERN = new RegExp(String.raw`^(${CHARACTER})\{${CHARACTER}\}(${CHARACTER})$`, 'i');
/** Last segments that take one or more segments: our own, and the usual notations for it. */
const REST = new Set(['…', '**', '{*}']);
const ESCAPED = /\\x([0-9a-f]{2})|\\u\{([0-9a-f]{1,6})\}/gi;

/**
 * A dictionary of routes, one template a line. `/users/{id}` is of every host, `api.example.org/users/{id}` of one.
 * `{name}` stands for one segment that is not empty, also inside of one (`{id}.png`); `/…` (or `/**`) at the end for
 * everything that follows. `#` begins a comment; `\x20` and `\u{e9}` are the characters of that number. Of the
 * templates that fit a path, the one with a name at the first place where they differ wins.
 */
export class PinnedRoutes {
  readonly routes: readonly PinnedRoute[];
  readonly #everywhere = new PinnedPlace();
  readonly #hosts = new Map<string, PinnedPlace>();

  private constructor(routes: readonly PinnedRoute[], escaped: readonly string[]) {
    this.routes = routes;
    routes.forEach(({ host }, index) => {
      let root = this.#everywhere;
      if (host !== null) {
        root = this.#hosts.get(host) ?? new PinnedPlace();
        this.#hosts.set(host, root);
      }
      insert(root, escaped[index], index);
    });
  }

  /**
   * @param file name for errors
   * @throws UserError `routes-file` with the line that cannot be read
   */
  static parse(text: string, file: string): PinnedRoutes {
    const wrong = (what: string, hint: string): UserError =>
      new UserError('routes-file', what, { place: { file }, hint });
    if (text.length > PINNED_LIMITS.characters)
      throw wrong('this dictionary of routes is too long', `at most ${PINNED_LIMITS.characters} characters`);
    const routes: PinnedRoute[] = [];
    const templates: string[] = [];
    const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
    for (let index = 0; index < lines.length; index += 1) {
      const line = lines[index].replace(/(^|\s)#.*$/, '').trim();
      if (line === '') continue;
      const slash = line.indexOf('/');
      if (slash < 0 || /\s/.test(line)) {
        throw wrong(
          `line ${index + 1}: '${line.slice(0, 60)}' is not a template`,
          'one template a line, such as /users/{id} or api.example.org/users/{id}; # begins a comment',
        );
      }
      if (routes.length >= PINNED_LIMITS.templates)
        throw wrong(`line ${index + 1}: too many templates`, `at most ${PINNED_LIMITS.templates}`);
      const host = slash === 0 ? null : unescapeText(line.slice(0, slash)).toLowerCase();
      const template = line.slice(slash);
      const rest = template
        .split('/')
        .slice(1, -1)
        .find((segment) => REST.has(segment));
      if (rest !== undefined)
        throw wrong(
          `line ${index + 1}: ${rest} stands for everything that follows`,
          'write it at the end only',
        );
      routes.push({ host, route: unescapeText(template.replace(/\/(\*\*|\{\*\})$/, '/…')) });
      templates.push(template);
    }
    return new PinnedRoutes(routes, templates);
  }

  /** Position in `routes` of the template for a request; -1: none fits. */
  match(host: string | null, target: string): number {
    const own = host === null ? undefined : this.#hosts.get(host.toLowerCase());
    if (own === undefined && this.#everywhere.names.size + this.#everywhere.patterns.size === 0) {
      if (this.#everywhere.rest < 0) return -1;
    }
    const segments = sentSegments(target);
    if (segments === null) return -1;
    const found = own === undefined ? -1 : find(own, segments, 0);
    return found >= 0 ? found : find(this.#everywhere, segments, 0);
  }
}

function insert(root: PinnedPlace, template: string, index: number): void {
  const segments = template.slice(1).split('/');
  let place = root;
  for (let at = 0; at < segments.length; at += 1) {
    const segment = segments[at];
    if (at === segments.length - 1 && REST.has(segment)) {
      if (place.rest < 0) place.rest = index;
      return;
    }
    place = child(place, segment);
  }
  if (place.end < 0) place.end = index;
}

function child(place: PinnedPlace, segment: string): PinnedPlace {
  const pattern = SEGMENT_PATTERN.exec(segment);
  if (pattern === null) {
    const name = unescapeText(segment);
    const known = place.names.get(name) ?? new PinnedPlace();
    place.names.set(name, known);
    return known;
  }
  const known = place.patterns.get(segment);
  if (known !== undefined) return known.place;
  const fresh = new PinnedPlace();
  place.patterns.set(segment, {
    prefix: unescapeText(pattern[1]),
    suffix: unescapeText(pattern[2]),
    place: fresh,
  });
  return fresh;
}

/** Visits each place of the dictionary at most once, since each is reached over one way only. */
function find(place: PinnedPlace, segments: readonly string[], at: number): number {
  if (at === segments.length) return place.end;
  const segment = segments[at];
  const named = place.names.get(segment);
  if (named !== undefined) {
    const found = find(named, segments, at + 1);
    if (found >= 0) return found;
  }
  if (segment !== '' && place.patterns.size > 0) {
    // {id} and {uuid} at one place: the one that the segment looks like comes first.
    const looks = lookOf(segment);
    const first = place.patterns.get(looks);
    if (first !== undefined) {
      const found = find(first.place, segments, at + 1);
      if (found >= 0) return found;
    }
    for (const pattern of place.patterns.values()) {
      if (pattern === first || !fits(pattern, segment)) continue;
      const found = find(pattern.place, segments, at + 1);
      if (found >= 0) return found;
    }
  }
  return place.rest;
}

function lookOf(segment: string): string {
  return routePath(`/${segment}`).segments[0];
}

function fits({ prefix, suffix }: Pattern, segment: string): boolean {
  return (
    segment.length > prefix.length + suffix.length && segment.startsWith(prefix) && segment.endsWith(suffix)
  );
}

function unescapeText(text: string): string {
  return text.replace(ESCAPED, (whole, byte: string | undefined, point: string | undefined) => {
    const code = Number.parseInt(byte ?? point ?? '', 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
