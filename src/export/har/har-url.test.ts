import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildRequest } from '../../../test/build-exchange.ts';
import { isAbsoluteUrl } from '../../../test/har-schema.ts';
import type { Endpoint } from '../../model/exchange.ts';
import { absoluteUrl, queryOf } from './har-url.ts';

const server: Endpoint = { address: '10.0.0.2', port: 8080, text: '10.0.0.2:8080' };
const server6: Endpoint = { address: '2001:db8::1', port: 80, text: '[2001:db8::1]:80' };
const urlOf = (target: string, host: string | null, method = 'GET', at = server): string =>
  absoluteUrl(buildRequest({ target, host, method }), at);

describe('the absolute URL of a request', () => {
  // RFC 9112 §3.2 and §3.3, by the forms of a request target.
  it.each([
    ['origin-form', '/a?b=1', 'example.org', 'GET', 'http://example.org/a?b=1'],
    ['port in Host', '/', 'example.org:8080', 'GET', 'http://example.org:8080/'],
    ['IPv6 in Host', '/', '[2001:db8::2]:81', 'GET', 'http://[2001:db8::2]:81/'],
    ['absolute-form', 'http://other.example/x?y', 'example.org', 'GET', 'http://other.example/x?y'],
    ['absolute-form, IPv6', 'http://[2001:db8::3]:82/x', 'example.org', 'GET', 'http://[2001:db8::3]:82/x'],
    ['absolute-form, user', 'http://me:pw@other.example/x', 'example.org', 'GET', 'http://other.example/x'],
    ['absolute-form, no host', 'http://', 'example.org', 'GET', 'http://example.org/http://'],
    ['authority-form', 'example.org:443', 'proxy.example', 'CONNECT', 'http://example.org:443'],
    ['asterisk-form', '*', 'example.org', 'OPTIONS', 'http://example.org'],
    ['no Host', '/a', null, 'GET', 'http://10.0.0.2:8080/a'],
    ['empty Host', '/a', '', 'GET', 'http://10.0.0.2:8080/a'],
    ['Host that is none', '/a', 'exa mple"<', 'GET', 'http://10.0.0.2:8080/a'],
    ['Host with a port out of range', '/a', 'example.org:99999', 'GET', 'http://10.0.0.2:8080/a'],
    ['a target without a slash', 'a/b', 'example.org', 'GET', 'http://example.org/a/b'],
    ['dots kept', '/a/../b//c', 'example.org', 'GET', 'http://example.org/a/../b//c'],
    ['what a URL cannot hold', '/a b"<>\\^`{|}[]#é\u{1f600}%zz%41', 'h.example', 'GET', 'http://h.example/a%20b%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5D%23%C3%A9%F0%9F%98%80%25zz%41'],
  ])('%s', (_, target, host, method, url) => {
    expect(urlOf(target, host, method)).toBe(url);
  }); // biome-ignore format: a table

  it('has brackets around an IPv6 server and no port 80', () => {
    expect(urlOf('/a', null, 'GET', server6)).toBe('http://[2001:db8::1]/a');
  });

  it('is always one that RFC 3986 allows and a browser reads', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        '/',
        'http://',
        'https://x',
        '//',
        '@',
        ':',
        '[',
        ']',
        '%',
        '%2',
        '?',
        '#',
        '*',
        '\ud800',
      ),
    );
    const text = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(
        text,
        fc.option(text),
        fc.constantFrom('GET', 'CONNECT', 'OPTIONS'),
        (target, host, method) => {
          const url = urlOf(target, host, method);
          expect(isAbsoluteUrl(url), url).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('the parameters of a query', () => {
  it.each([
    ['/', []],
    ['/?', []],
    ['/?a=1&b=two+words&a=%C3%A9', [['a', '1'], ['b', 'two words'], ['a', 'é']]],
    ['/?flag&=x&&y==', [['flag', ''], ['', 'x'], ['y', '=']]],
    ['/?bad=%zz%C3', [['bad', '%zz%C3']]],
    ['/?token=REDACTED#part', [['token', 'REDACTED']]],
    ['/?q=a?b', [['q', 'a?b']]],
  ])('%s', (target, pairs) => {
    expect(queryOf(target).map(({ name, value }) => [name, value])).toEqual(pairs);
  }); // biome-ignore format: a table
});
