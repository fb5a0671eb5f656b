import { createConnection } from 'node:net';

/**
 * Bytes that are no request, or a dangerous one, and the only statuses that may answer them; 0: the connection is closed
 * without a word. None may be understood as two requests.
 */
export interface RawRequest {
  readonly name: string;
  readonly bytes: string;
  readonly statuses: readonly number[];
}

const HOST = 'Host: 127.0.0.1\r\n';

/** `token`: of a reader. */
export function rawRequests(token: string): readonly RawRequest[] {
  const authorised = `${HOST}Authorization: Bearer ${token}\r\n`;
  const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\n${authorised}${headers}\r\n`;
  const post = (headers: string, body = '') =>
    `POST /api/v1/sql HTTP/1.1\r\n${authorised}Content-Type: application/json\r\n${headers}\r\n${body}`;
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
  return [
    { name: 'no HTTP', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', statuses: [400, 0] },
    { name: 'a line without end', bytes: `GET /${'a'.repeat(100_000)}`, statuses: [400, 414, 431] },
    { name: 'many headers', bytes: get('/api/v1/agents', 'X: y\r\n'.repeat(5000)), statuses: [431] },
    { name: 'a large header', bytes: get('/api/v1/agents', `X: ${'y'.repeat(70_000)}\r\n`), statuses: [431] },
    { name: 'no Host', bytes: `GET /healthz HTTP/1.1\r\n\r\n`, statuses: [400] },
    { name: 'HTTP/0.9', bytes: 'GET /healthz\r\n\r\n', statuses: [400] },
    { name: 'HTTP/3.0', bytes: `GET /healthz HTTP/3.0\r\n${HOST}\r\n`, statuses: [400] },
    { name: 'a space in a field name', bytes: get('/api/v1/agents', 'X y: z\r\n'), statuses: [400] },
    { name: 'a space before the colon', bytes: post('Content-Length : 5\r\n', 'GET /'), statuses: [400] },
    { name: 'a folded header', bytes: get('/api/v1/agents', 'X: a\r\n b\r\n'), statuses: [400] },
    { name: 'NUL in a header', bytes: get('/api/v1/agents', 'X: a\0b\r\n'), statuses: [400] },
    { name: 'NUL in the path', bytes: get('/api/v1/\0agents'), statuses: [400] },
    { name: 'a bare line feed', bytes: get('/api/v1/agents', 'X: a\nY: b\r\n'), statuses: [200, 400] },
    {
      name: 'length and chunked',
      bytes: post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`),
      statuses: [400],
    },
    {
      name: 'two lengths',
      bytes: post('Content-Length: 5\r\nContent-Length: 6\r\n', `aaaaa${smuggled}`),
      statuses: [400],
    },
    { name: 'a length list', bytes: post('Content-Length: 5, 5\r\n', `aaaaa${smuggled}`), statuses: [400] },
    { name: 'a signed length', bytes: post('Content-Length: +5\r\n', `aaaaa${smuggled}`), statuses: [400] },
    { name: 'a negative length', bytes: post('Content-Length: -1\r\n', smuggled), statuses: [400] },
    {
      name: 'a huge length',
      bytes: post('Content-Length: 99999999999999999999\r\n', 'a'),
      statuses: [400, 413],
    },
    {
      name: 'chunked twice',
      bytes: post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`),
      statuses: [400],
    },
    {
      name: 'chunked under another name',
      bytes: post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${smuggled}`),
      statuses: [400, 411],
    },
    {
      name: 'a chunk size that is none',
      bytes: post('Transfer-Encoding: chunked\r\n', `zz\r\n${smuggled}`),
      statuses: [400],
    },
    {
      name: 'a chunk size beyond 2^64',
      bytes: post('Transfer-Encoding: chunked\r\n', `fffffffffffffffff\r\n${smuggled}`),
      statuses: [400],
    },
    {
      name: 'CONNECT',
      bytes: `CONNECT evil.example:443 HTTP/1.1\r\n${authorised}\r\n`,
      statuses: [400, 404, 405, 0],
    },
    { name: 'TRACE', bytes: `TRACE /api/v1/agents HTTP/1.1\r\n${authorised}\r\n`, statuses: [404, 405] },
    {
      name: 'an unknown method',
      bytes: `BREW /api/v1/agents HTTP/1.1\r\n${authorised}\r\n`,
      statuses: [400, 404, 405],
    },
    {
      name: 'an upgrade to WebSocket',
      bytes: get('/api/v1/agents', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'),
      statuses: [200, 400, 0],
    },
    {
      name: 'an upgrade to HTTP/2',
      bytes: get(
        '/api/v1/agents',
        'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n',
      ),
      statuses: [200, 400, 0],
    },
    { name: 'HTTP/2 at once', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', statuses: [400] },
    { name: 'traversal', bytes: get('/api/v1/../../etc/passwd'), statuses: [404] },
    {
      name: 'encoded traversal',
      bytes: get('/api/v1/exchanges/%2e%2e%2f%2e%2e%2fetc%2fpasswd'),
      statuses: [400, 404],
    },
    {
      name: 'twice encoded traversal',
      bytes: get('/api/v1/exchanges/%252e%252e%252f'),
      statuses: [400, 404],
    },
    { name: 'backslashes', bytes: get('/..\\..\\windows\\system32'), statuses: [404] },
    {
      name: 'an absolute target',
      bytes: get('http://evil.example/api/v1/agents'),
      statuses: [200, 400, 404],
    },
    { name: 'a broken percent-encoding', bytes: get('/api/v1/exchanges/%zz'), statuses: [400] },
    {
      name: 'percent-encoded bytes that are no UTF-8',
      bytes: get('/api/v1/exchanges/%ff%fe'),
      statuses: [400],
    },
    {
      name: 'a query of one million parameters',
      bytes: get(`/api/v1/exchanges?${'a&'.repeat(7000)}`),
      statuses: [400],
    },
    {
      name: 'a query with __proto__',
      bytes: get('/api/v1/exchanges?__proto__=1&constructor[prototype][x]=1'),
      statuses: [400],
    },
    {
      name: 'JSON of 10^5 levels',
      bytes: withLength('['.repeat(100_000) + ']'.repeat(100_000)),
      statuses: [400],
    },
    {
      name: 'objects of 20,000 levels',
      bytes: withLength(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`),
      statuses: [400],
    },
    { name: 'invalid UTF-8', bytes: withLength('{"sql":"\xff\xfe"}'), statuses: [400] },
    { name: 'an overlong encoding', bytes: withLength('{"sql":"\xc0\xaf"}'), statuses: [400] },
    { name: 'a lone surrogate', bytes: withLength('{"sql":"SELECT \'\\ud800\'"}'), statuses: [200, 400] },
    { name: 'NUL in a text', bytes: withLength('{"sql":"SELECT 1\\u0000; SELECT 2"}'), statuses: [400] },
    { name: '__proto__ in JSON', bytes: withLength('{"__proto__":{"sql":"SELECT 1"}}'), statuses: [400] },
    { name: 'the same member twice', bytes: withLength('{"sql":1,"sql":"nonsense"}'), statuses: [400] },
    {
      name: 'a body of another type',
      bytes: withLength('sql=SELECT 1', 'application/x-www-form-urlencoded'),
      statuses: [415],
    },
    {
      name: 'a multipart body',
      bytes: withLength('--a\r\n\r\n--a--', 'multipart/form-data; boundary=a'),
      statuses: [415],
    },
    {
      name: 'a charset',
      bytes: withLength('{"sql":"nonsense"}', 'application/json; charset=utf-7'),
      statuses: [400, 415],
    },
    { name: 'no body', bytes: post('Content-Length: 0\r\n'), statuses: [400] },
    { name: 'a body of 1 MB', bytes: withLength(`{"sql":"${'a'.repeat(1_000_000)}"}`), statuses: [413] },
    {
      name: 'a gzip body where none may be',
      bytes: post('Content-Encoding: gzip\r\nContent-Length: 2\r\n', '\x1f\x8b'),
      statuses: [415],
    },
  ];

  function withLength(body: string, type = 'application/json'): string {
    return `POST /api/v1/sql HTTP/1.1\r\n${authorised}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  }
}

/** Sends the bytes as they are (Latin-1), and gives the statuses of all that is answered until the connection ends. */
export function sendRaw(port: number, bytes: string, waitMs = 3000): Promise<number[]> {
  return new Promise((resolve) => {
    let text = '';
    const socket = createConnection(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      // Status lines of answers; bodies hold none.
      resolve([...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1])));
    };
    // What is answered comes at once; a second answer would come right behind it.
    let timer = setTimeout(done, waitMs);
    socket.on('data', (part) => {
      text += part.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(done, 100);
    });
    socket.on('end', done);
    socket.on('error', done);
    socket.on('close', done);
  });
}
