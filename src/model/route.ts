/**
 * Route templates: `/users/42/orders/7f3a…` and `/users/43/orders/9b1c…` are the same thing to who counts
 * requests. Inferred from the look of each path segment, so a template is a guess, never a promise of the
 * server (OpenTelemetry calls it `url.template`, not `http.route`).
 */

/** Path segments kept; what follows becomes `/…`. */
const ROUTE_SEGMENTS = 8;
/** A literal segment longer than this is data, not a name. */
const LITERAL_CHARS = 40;
/** Characters kept of a target that is not a path (`*`, `host:443`). */
const OTHER_FORM_CHARS = 64;

const SCHEME_AND_AUTHORITY = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;
const NAME = /^[a-z_-]{1,40}$/i;
const NUMBER = /^\d+$/;
const NUMBER_WITH_EXTENSION = /^\d+(\.[a-z]{1,5})$/i;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HEX = /^(?=.*\d)[0-9a-f]{8,}$/i;
const DATE = /^\d{4}-\d{2}(-\d{2}([T ].*)?)?$/i;
const EMAIL = /^[^@{}]+(@|%40)[^@{}]+\.[^@{}]+$/i;
const TOKEN = /^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9_=+~-]{16,}$/;

/** Query and fragment taken off: everything from the first `?` or `#`. */
function withoutQuery(target: string): string {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  const fragment = path.indexOf('#');
  return fragment < 0 ? path : path.slice(0, fragment);
}

/**
 * The path of a request target (RFC 9112 §3.2): origin-form and absolute-form without query; the other
 * forms (`*`, `host:port`) as they are. Never empty.
 */
export function pathOf(target: string): string {
  const path = target.startsWith('/') ? target : target.replace(SCHEME_AND_AUTHORITY, '');
  return withoutQuery(path) || '/';
}

function segmentTemplate(segment: string): string {
  if (segment === '' || NAME.test(segment)) return segment;
  if (NUMBER.test(segment)) return '{id}';
  const file = NUMBER_WITH_EXTENSION.exec(segment);
  if (file !== null) return `{id}${file[1]}`;
  if (UUID.test(segment)) return '{uuid}';
  if (HEX.test(segment)) return '{hex}';
  if (DATE.test(segment)) return '{date}';
  if (EMAIL.test(segment)) return '{email}';
  if (segment.length > LITERAL_CHARS || TOKEN.test(segment)) return '{token}';
  return segment;
}

/**
 * The template of a request target: numbers become `{id}`, UUIDs `{uuid}`, hexadecimal of 8 and more with a
 * digit `{hex}`, dates `{date}`, e-mail addresses `{email}`, base64-like and very long segments `{token}`;
 * path parameters (`;jsessionid=…`) go, and after 8 segments comes `/…`.
 *
 * Pure and idempotent; at most 8 * 41 + 2 characters. Costs about a microsecond: callers keep the result
 * per distinct target.
 */
export function routeOf(target: string): string {
  const path = pathOf(target);
  if (!path.startsWith('/')) return wholeCharacters(path.slice(0, OTHER_FORM_CHARS));
  // One more than kept, so that a long path is not split into thousands of pieces.
  const segments = path.split('/', ROUTE_SEGMENTS + 2);
  const more = segments.length > ROUTE_SEGMENTS + 1;
  let route = '';
  for (let index = 1; index < segments.length && index <= ROUTE_SEGMENTS; index++) {
    const segment = segments[index];
    const parameter = segment.indexOf(';');
    route += `/${segmentTemplate(parameter < 0 ? segment : segment.slice(0, parameter))}`;
  }
  return more ? `${route}/…` : route;
}

/** Without the half of a surrogate pair that a cut may leave behind. */
function wholeCharacters(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text;
}
