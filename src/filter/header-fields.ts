import type { Exchange, HeaderField } from '../model/exchange.ts';
import type { TextsField } from './field.ts';
import { textsField } from './field-kinds.ts';

/** `header["x"]` of requests, of responses, or of both. */
export type HeaderSide = 'request' | 'response' | 'both';

/** Name in front of the bracket. */
export const HEADER_WORDS: Readonly<Record<HeaderSide, string>> = {
  both: 'header',
  request: 'request.header',
  response: 'response.header',
};

/** Field names (RFC 9110 §5.1: tokens) longer than this are refused; the reader of heads keeps none of them. */
export const HEADER_NAME_CHARS = 63;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export function isHeaderName(name: string): boolean {
  return name.length <= HEADER_NAME_CHARS && TOKEN.test(name);
}

const NONE: readonly string[] = Object.freeze([]);

/** Fields that have a place of their own in an exchange. */
interface Place {
  readonly value: (exchange: Exchange) => string | null;
  readonly column: string;
}
const PLACES: Readonly<Record<string, Partial<Record<'request' | 'response', Place>>>> = {
  host: { request: { value: ({ request }) => request?.host ?? null, column: 'host' } },
  'user-agent': { request: { value: ({ request }) => request?.userAgent ?? null, column: 'user_agent' } },
  'content-type': {
    request: { value: ({ request }) => request?.mediaType ?? null, column: 'request_media_type' },
    response: { value: ({ response }) => response?.mediaType ?? null, column: 'response_media_type' },
  },
};

/**
 * The values of a header field, one for each time it was sent, the request's first. `name` is lower case and a
 * header name. Values of `content-type` come without parameters.
 */
export function headerField(side: HeaderSide, name: string): TextsField {
  const sides = side === 'both' ? (['request', 'response'] as const) : ([side] as const);
  const places = sides.map((one) => PLACES[name]?.[one]).filter((place) => place !== undefined);
  const whose = side === 'both' ? 'the request and the response' : `the ${side}`;
  const word = `${HEADER_WORDS[side]}["${name}"]`;
  const about = `values of the header field ${name} of ${whose}`;
  const example = `${word} != null`;
  if (Object.hasOwn(PLACES, name)) {
    return textsField(
      word,
      null,
      about,
      example,
      {
        rows: (view) => placedRows(view, places),
        element: 'one.value',
        duckdb: {
          lists: (view) => places.map(({ column }) => `[${view}.${column}]`),
          element: (item) => item,
        },
      },
      (exchange) => placedValues(exchange, places),
    );
  }
  return textsField(
    word,
    name,
    about,
    example,
    {
      rows: (view) => keptRows(view, sides),
      parameters: sides.map(() => name),
      element: 'one.value ->> 1',
      duckdb: {
        lists: (view) => sides.map((one) => `from_json(${view}.${one}_headers, '[["VARCHAR"]]')`),
        guard: (item) => `${item}[1] = ?`,
        parameters: [name],
        element: (item) => `${item}[2]`,
      },
    },
    (exchange) => keptValues(exchange, side, name),
  );
}

function placedValues(exchange: Exchange, places: readonly Place[]): readonly string[] {
  let values: string[] | null = null;
  for (const { value } of places) {
    const text = value(exchange);
    if (text === null) continue;
    if (values === null) values = [text];
    else values.push(text);
  }
  return values ?? NONE;
}

function placedRows(view: string, places: readonly Place[]): string {
  if (places.length === 0) return '(SELECT NULL AS value) one WHERE 0';
  const selects = places.map(({ column }) => `SELECT ${view}.${column} AS value`);
  return `(${selects.join(' UNION ALL ')}) one WHERE one.value IS NOT NULL`;
}

function keptValues({ request, response }: Exchange, side: HeaderSide, name: string): readonly string[] {
  const asked = side === 'response' || request === null ? null : find(request.headers, name);
  const answered = side === 'request' || response === null ? null : find(response.headers, name);
  if (asked === null) return answered ?? NONE;
  return answered === null ? asked : [...asked, ...answered];
}

function find(headers: readonly HeaderField[], name: string): string[] | null {
  let values: string[] | null = null;
  for (let index = 0; index < headers.length; index += 1) {
    if (headers[index].name !== name) continue;
    if (values === null) values = [headers[index].value];
    else values.push(headers[index].value);
  }
  return values;
}

function keptRows(view: string, sides: readonly string[]): string {
  const rows = sides.map(
    (side) => `SELECT value FROM json_each(${view}.${side}_headers) WHERE value ->> 0 = ?`,
  );
  return `(${rows.join(' UNION ALL ')}) one WHERE 1`;
}
