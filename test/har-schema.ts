/**
 * HAR 1.2 as a JSON Schema (draft-07), written after http://www.softwareishard.com/blog/har-12-spec/. Stricter than
 * others in one thing: a field that the specification does not have must begin with an underscore, as it demands.
 */

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
/** A number that is -1 where it does not apply or is not known. */
const orMinusOne: Schema = { type: 'number', minimum: -1 };
const sizeOrMinusOne: Schema = { type: 'integer', minimum: -1 };
const list = (items: Schema): Schema => ({ type: 'array', items });

/** An object with the given fields, a comment, and custom fields. */
function object(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  return {
    type: 'object',
    required: Object.keys(required),
    properties: { ...required, ...optional, comment: text },
    patternProperties: { '^_': {} },
    additionalProperties: false,
  };
}

const dateTime: Schema = {
  type: 'string',
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$',
};
const absoluteUrl: Schema = { type: 'string', format: 'absolute-url' };

const creator = object({ name: text, version: text });
const pair = object({ name: text, value: text });
const cookie = object(
  { name: text, value: text },
  { path: text, domain: text, expires: text, httpOnly: { type: 'boolean' }, secure: { type: 'boolean' } },
);
const parameter = object({ name: text }, { value: text, fileName: text, contentType: text });
const cacheState = {
  anyOf: [
    { type: 'null' },
    object({ lastAccess: text, eTag: text, hitCount: { type: 'integer' } }, { expires: text }),
  ],
};

const request = object(
  {
    method: text,
    url: absoluteUrl,
    httpVersion: text,
    cookies: list(cookie),
    headers: list(pair),
    queryString: list(pair),
    headersSize: sizeOrMinusOne,
    bodySize: sizeOrMinusOne,
  },
  { postData: object({ mimeType: text }, { params: list(parameter), text }) },
);

const content = object(
  { size: { type: 'integer', minimum: 0 }, mimeType: text },
  { compression: { type: 'integer' }, text, encoding: text },
);

const response = object({
  status: { type: 'integer', minimum: 0 },
  statusText: text,
  httpVersion: text,
  cookies: list(cookie),
  headers: list(pair),
  content,
  redirectURL: text,
  headersSize: sizeOrMinusOne,
  bodySize: sizeOrMinusOne,
});

const entry = object(
  {
    startedDateTime: dateTime,
    time: { type: 'number', minimum: 0 },
    request,
    response,
    cache: object({}, { beforeRequest: cacheState, afterRequest: cacheState }),
    timings: object(
      { send: orMinusOne, wait: orMinusOne, receive: orMinusOne },
      { blocked: orMinusOne, dns: orMinusOne, connect: orMinusOne, ssl: orMinusOne },
    ),
  },
  { pageref: text, serverIPAddress: text, connection: text },
);

const page = object({
  startedDateTime: dateTime,
  id: text,
  title: text,
  pageTimings: object({}, { onContentLoad: orMinusOne, onLoad: orMinusOne }),
});

export const HAR_SCHEMA: Schema = {
  type: 'object',
  required: ['log'],
  properties: {
    log: object(
      { version: { const: '1.2' }, creator, entries: list(entry) },
      { browser: creator, pages: list(page) },
    ),
  },
  additionalProperties: false,
};

/** RFC 3986 with a scheme and an authority, in ASCII, and one that a browser can read; no fragment. */
export function isAbsoluteUrl(url: string): boolean {
  const legal =
    /^[a-z][a-z0-9+.-]*:\/\/[A-Za-z0-9._~!$&'()*+,;=:%@[\]-]+([/?]([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$/i;
  return legal.test(url) && URL.canParse(url);
}
