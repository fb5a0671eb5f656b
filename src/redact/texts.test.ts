import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzRuns } from '../../test/pipeline-run.ts';
import { routeOf } from '../model/route.ts';
import { FieldRedactor } from './field-rules.ts';
import { HeadRedactor } from './heads.ts';
import { maskJson } from './json-body.ts';
import { RedactionKey } from './key.ts';
import { DEFAULT_CHOICES, type RedactionChoices, RedactionRules } from './rules.ts';
import { SecretBook } from './secrets.ts';
import { TargetRedactor } from './targets.ts';
import { isName, isWord } from './words.ts';

const rulesOf = (choices: Partial<RedactionChoices> = {}, key = 'k'): RedactionRules =>
  new RedactionRules(new RedactionKey(Buffer.from(key)), { ...DEFAULT_CHOICES, ...choices });

function redactors(choices: Partial<RedactionChoices> = {}) {
  const rules = rulesOf(choices);
  const targets = new TargetRedactor(rules);
  const fields = new FieldRedactor(rules, targets);
  return { rules, targets, fields, heads: new HeadRedactor(rules, targets, fields) };
}

const latin1 = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

describe('pseudonyms', () => {
  it('have the length and the shape of what they stand for', () => {
    const rules = rulesOf();
    expect(rules.mask('Ab3-xy_9.Z')).toMatch(/^[A-Z][a-z]\d-[a-z]{2}_\d\.[A-Z]$/);
    expect(rules.mask('7f3a-09BC-deadbeef')).toMatch(/^[0-9a-f-]+[A-F]{2}-[a-f]{8}$/);
    expect(rules.mask('a%2Fb%e9')).toMatch(/^[a-z]%[0-9a-f]{2}[a-z]%[0-9a-f]{2}$/i);
    expect(rules.mask('john@example.org')).toMatch(/^[a-z]{4}@[a-z]{7}\.[a-z]{3}$/);
    expect(rules.mask('\x00{"$é')).toMatch(/^\0\*\*\*[a-z]$/);
  });

  it('are the same for the same value and key, and say nothing without it', () => {
    expect(rulesOf().mask('token-1234567')).toBe(rulesOf().mask('token-1234567'));
    expect(rulesOf().mask('token-1234567')).not.toBe(rulesOf({}, 'other').mask('token-1234567'));
    expect(rulesOf().mask('token-1234567')).not.toBe(rulesOf().mask('token-1234568'));
  });

  it('keep any value at its length', () => {
    const rules = rulesOf();
    fc.assert(
      fc.property(latin1, (value) => {
        expect(rules.mask(value)).toHaveLength(value.length);
      }),
      {
        numRuns: fuzzRuns(500),
      },
    );
  });
});

describe('words', () => {
  it.each(['users', 'checkout', 'userId', 'HTML', 'products', 'strengths', 'api', 'lengths', 'Content'])(
    '%s is one',
    (word) => expect(isWord(word)).toBe(true),
  );
  it.each(['aHVudGVy', 'xkqzvbnw', 'kJhGtRfDe', 'bcdfghjk', 'qwrtzpsdfg', 'zxcvbnmasdf'])(
    '%s is none',
    (word) => expect(isWord(word)).toBe(false),
  );
  it.each([
    'x-request-id',
    'user_id',
    'v1',
    'v2.1',
    'oauth2',
    'page.size',
    'index.html',
    'Content-Type',
    'items2',
    'XMLHttpRequest',
  ])('%s is a name', (name) => expect(isName(name)).toBe(true));
  it.each(['', 'user1234', 'a1b2c3', '42', 'user@x', '7f3a', 'abc%20', 'aG9sYQ==', 'deadbeef01'])(
    '%j is no name',
    (name) => expect(isName(name)).toBe(false),
  );
});

describe('request targets', () => {
  const { targets } = redactors();
  it.each([
    ['/users/42/orders', /^\/users\/\d\d\/orders$/],
    ['/v1/reports/2024-05.pdf', /^\/v1\/reports\/\d{4}-\d\d\.pdf$/],
    [
      '/a/7f3a09bc-1234-4abc-8def-0123456789ab',
      /^\/a\/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    ],
    ['/x?page=2&debug=true&q=shoes', /^\/x\?page=2&debug=true&q=[a-z]{5}$/],
    ['/reset/sunshine12/v2/oauth2', /^\/reset\/(?!sunshine)[a-z]{8}\d\d\/v2\/oauth2$/],
    ['/x?pin=42', /^\/x\?pin=\d\d$/],
    ['/x?access_token=abcdefgh#frag', /^\/x\?access_token=[a-z]{8}#[a-z]{4}$/],
    [
      'http://bob:hunter2@shop.example:8080/cart',
      /^http:\/\/[a-z]{3}:[a-z]{6}\d@[a-z]{4}\.example:8080\/cart$/,
    ],
    ['shop.example:443', /^[a-z]{4}\.example:443$/],
    ['*', /^\*$/],
    ['/x?a[b]=longvalue', /^\/x\?a\[b\]=[a-z]{9}$/],
    ['http://[2001:db8::77]:80/', /^http:\/\/\[2001:db8::[0-9a-f]{2}\]:80\/$/],
  ])('%s', (target, expected) => {
    const masked = targets.target(target);
    expect(masked).toMatch(expected);
    expect(masked).not.toContain('hunter2');
  });

  it('keep their route', () => {
    const segment = fc.oneof(
      fc.constantFrom('users', 'orders', 'v1', 'api', 'index.html'),
      fc.nat().map(String),
      fc.uuid(),
      fc.stringMatching(/^[0-9a-f]{7}\d[0-9a-f]{8}$/),
      fc.stringMatching(/^[A-Z][a-z][0-9][A-Za-z0-9]{20}$/),
    );
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
        const target = `/${segments.join('/')}`;
        expect(routeOf(targets.target(target))).toBe(routeOf(target));
      }),
      { numRuns: fuzzRuns(300) },
    );
  });

  it('lose also their words when asked', () => {
    expect(redactors({ maskPaths: true }).targets.target('/users/list')).toMatch(
      /^\/(?!users)[a-z]{5}\/[a-z]{4}$/,
    );
  });
});

describe('heads', () => {
  it('keep what says nothing and mask the rest', () => {
    const { heads } = redactors();
    const head = [
      'GET /api/users HTTP/1.1',
      'Host: shop.example',
      'User-Agent: curl/8.5.0',
      'Accept: text/html, application/json;q=0.9',
      'Cookie: sid=0123456789abcdef; theme=dark',
      'Authorization: Bearer eyJhbGciOi.J9x0',
      'X-Request-Id: 7d1f0a2b',
      'X-Forwarded-For: 93.184.216.34, 10.0.0.7',
      'If-Modified-Since: Sat, 21 Nov 2026 08:20:02 GMT',
      '',
      '',
    ].join('\r\n');
    const { text } = heads.head(head, false);
    const lines = text.split('\r\n');
    expect(text).toHaveLength(head.length);
    expect(lines[0]).toBe('GET /api/users HTTP/1.1');
    expect(lines[1]).toMatch(/^Host: (?!shop)[a-z]{4}\.example$/);
    expect(lines[2]).toBe('User-Agent: curl/8.5.0');
    expect(lines[3]).toBe('Accept: text/html, application/json;q=0.9');
    expect(lines[4]).toMatch(/^Cookie: sid=(?!0123456789abcdef)[0-9a-f]{16}; theme=[a-z]{4}$/);
    expect(lines[5]).toMatch(/^Authorization: Bearer (?!eyJ)[A-Za-z]{10}\.[A-Z]\d[a-z]\d$/);
    expect(lines[6]).toMatch(/^X-Request-Id: (?!7d1f0a2b)[0-9a-f]{8}$/);
    expect(lines[7]).toMatch(/^X-Forwarded-For: \d\d\.\d{3}\.\d{3}\.\d\d, 10\.\d\.\d\.\d$/);
    expect(lines[8]).toBe('If-Modified-Since: Sat, 21 Nov 2026 08:20:02 GMT');
  });

  it('give a cookie the same pseudonym when it is set and when it comes back', () => {
    const { heads } = redactors();
    const set = heads.head(
      'HTTP/1.1 200 OK\r\nSet-Cookie: sid=s3cr3tValue; Path=/; HttpOnly\r\n\r\n',
      true,
    ).text;
    const sent = heads.head('GET / HTTP/1.1\r\nCookie: sid=s3cr3tValue\r\n\r\n', false).text;
    const value = /sid=([^;\r]+)/.exec(set)?.[1];
    expect(sent).toContain(`sid=${value}\r\n`);
    expect(set).toContain('; Path=/; HttpOnly');
  });

  it('do not change their length, line ends or white space, whatever they hold', () => {
    const { heads } = redactors();
    const piece = fc.oneof(
      latin1,
      fc.constantFrom(
        '\r\n',
        '\n',
        ' ',
        ':',
        'Host: ',
        'GET / HTTP/1.1',
        'Cookie: a=b',
        '\r\n folded',
        '\0',
        '\r',
        'Content-Length: 1x',
        'Set-Cookie: ',
        'Content-Type: a/b; boundary=x',
        'Forwarded: for="[::1]"',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, isResponse) => {
        const text = pieces.join('');
        const redacted = heads.head(text, isResponse).text;
        expect(redacted).toHaveLength(text.length);
        const lineEnds = (one: string): string => one.replace(/[^\n]/g, '.');
        expect(lineEnds(redacted)).toBe(lineEnds(text));
      }),
      { numRuns: fuzzRuns(500) },
    );
  });

  it('of any length take time in proportion', () => {
    const { heads } = redactors();
    const long = 200_000;
    for (const value of [
      ' '.repeat(long),
      `${'\t'.repeat(long)}x`,
      'a'.repeat(long),
      ';'.repeat(long),
      '\r'.repeat(long),
      '%'.repeat(long),
      'a='.repeat(long / 2),
      '/'.repeat(long),
      '"'.repeat(long),
      '.'.repeat(long),
    ]) {
      for (const name of [
        'X',
        'Cookie',
        'Set-Cookie',
        'Content-Type',
        'Authorization',
        'Referer',
        'Host',
        'User-Agent',
        'Forwarded',
        'Date',
        'Transfer-Encoding',
      ]) {
        const text = `GET / HTTP/1.1\r\n${name}: ${value}x\r\n\r\n`;
        expect(heads.head(text, false).text).toHaveLength(text.length);
      }
      const target = `GET /${value} HTTP/1.1\r\n\r\n`;
      expect(heads.head(target, false).text).toHaveLength(target.length);
    }
  });
});

describe('JSON', () => {
  it('keeps its structure and none of its values', () => {
    const text = '{"name": "Bob Miller", "tags": ["x1", null, true], "price": -12.50, "n": {"id": 7}}\n';
    const masked = maskJson(text, rulesOf());
    expect(masked).toHaveLength(text.length);
    const value = JSON.parse(masked) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['name', 'tags', 'price', 'n']);
    expect(value.tags).toEqual([expect.any(String), null, true]);
    expect(masked).not.toMatch(/Bob|Miller|x1|12\.50/);
  });

  it('stays JSON, of the same shape', () => {
    const shape = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shape);
      if (value !== null && typeof value === 'object') return Object.values(value).map(shape);
      return value === null || typeof value === 'boolean' ? value : typeof value;
    };
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = Buffer.from(JSON.stringify(value)).toString('latin1');
        const masked = maskJson(text, rulesOf());
        expect(masked).toHaveLength(text.length);
        const names = new Set(JSON.stringify(value).match(/"(?:[^"\\]|\\.)*"(?=:)/g));
        // Two names may become one, when both are short.
        if (names.size < 2) expect(shape(JSON.parse(masked))).toEqual(shape(value));
        else expect(() => JSON.parse(masked)).not.toThrow();
      }),
      { numRuns: fuzzRuns(300) },
    );
  });

  it.each([
    '{"a": secret',
    '{"a": "sec',
    'secret',
    '[1, secret]',
    '{"a":1}}secret',
    '"\\"secret',
    '{secret: 1}',
    `${'['.repeat(400)}"secret"`,
  ])('that is broken ends in filler: %s', (text) => {
    const masked = maskJson(text, rulesOf());
    expect(masked).toHaveLength(text.length);
    expect(masked).not.toContain('sec');
  });
});

describe('known secrets', () => {
  it.each([
    ['as it is', 'checkout', 'my-checkout-page'],
    ['in the other case', 'CheckOut', 'checkout'],
    ['turned round', 'tuokcehc', 'checkout'],
    ['in base64', 'abc', 'unrelated', false],
    [
      'in base64, first alignment',
      'hunter22',
      `x${Buffer.from('hunter22').toString('base64').slice(0, 10)}x`,
    ],
    ['in base64, second alignment', 'hunter22', Buffer.from('.hunter22').toString('base64')],
    ['in base64, third alignment', 'hunter22', Buffer.from('..hunter22').toString('base64')],
    ['in hexadecimal', 'hunter22', Buffer.from('hunter22').toString('hex').toUpperCase()],
    ['percent-encoded', 'hunt r22', 'hunt%20r22'],
    ['percent-encoded before', 'hunt%20r22', 'hunt r22'],
    ['escaped for JSON', 'hun"ter', 'hun\\"ter'],
    ['somewhere else', 'hunter22', 'checkout', false],
  ])('%s', (_, secret, text, expected = true) => {
    const book = new SecretBook();
    book.note(secret);
    expect(book.appearsIn(text)).toBe(expected);
  });

  it('are masked also where words stay', () => {
    const { rules, targets } = redactors();
    expect(targets.target('/checkout')).toBe('/checkout');
    rules.secrets.note('checkout');
    expect(targets.target('/checkout')).not.toBe('/checkout');
  });
});
