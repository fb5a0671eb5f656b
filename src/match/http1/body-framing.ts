import type { FieldFacts } from './field-facts.ts';
import type { LineFacts } from './line-facts.ts';

/** How the end of a body is found (RFC 9112 §6.3). */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' }
  /** No body, and what follows is another protocol or a tunnel. */
  | { readonly kind: 'switch'; readonly to: 'upgrade' | 'tunnel' };

/** Methods whose requests hardly ever have a body (RFC 9110 §9.3). */
const BODILESS_METHODS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

const NONE: BodyFraming = { kind: 'none' };
const CHUNKED: BodyFraming = { kind: 'chunked' };
const UNTIL_CLOSE: BodyFraming = { kind: 'until-close' };
const UPGRADE: BodyFraming = { kind: 'switch', to: 'upgrade' };
const TUNNEL: BodyFraming = { kind: 'switch', to: 'tunnel' };

/**
 * The framing of a message's body, in the order of RFC 9112 §6.3. For a response `requestMethod` is the method
 * it answers, null where that is unknown. 1xx responses other than 101 have no body and are not final.
 */
export function bodyFraming(line: LineFacts, fields: FieldFacts, requestMethod: string | null): BodyFraming {
  if (line.isResponse) {
    const { status } = line;
    // 1. HEAD, 1xx, 204, 304: ends with the head, whatever the fields say.
    if (status === 101) return UPGRADE;
    if (requestMethod === 'HEAD' || (status >= 100 && status < 200) || status === 204 || status === 304)
      return NONE;
    // 2. A successful answer to CONNECT: a tunnel follows.
    if (requestMethod === 'CONNECT' && status >= 200 && status < 300) return TUNNEL;
  }
  return fields.framing(line.isResponse);
}

/** Steps 3 to 8, which depend on the fields alone. */
export function framingByFields(fields: FieldFacts, isResponse: boolean): BodyFraming {
  // 3. and 4. Transfer-Encoding overrides Content-Length; chunked must be its last coding.
  if (fields.hasTransferEncoding) {
    if (fields.chunked) return CHUNKED;
    if (isResponse) return UNTIL_CLOSE;
    // A request whose length cannot be told is refused by servers; without a length it has no body to follow.
  }
  // 5. A Content-Length that is no number makes the message unusable; a response then reaches to the close.
  if (fields.badContentLength) return isResponse ? UNTIL_CLOSE : NONE;
  // 6. A valid Content-Length.
  if (fields.contentLength === 0) return NONE;
  if (fields.contentLength > 0) return { kind: 'length', bytes: fields.contentLength };
  // 7. A request without either has no body. 8. A response without either reaches to the close.
  return isResponse ? UNTIL_CLOSE : NONE;
}

/** True for a request that may have a body even if no field that is there tells of one. */
export function requestMayHaveBody(line: LineFacts): boolean {
  return !line.isResponse && !BODILESS_METHODS.has(line.method);
}
