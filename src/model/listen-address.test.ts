import { describe, expect, it } from 'vitest';
import { isLoopback, listenText, parseListenAddress } from './listen-address.ts';

describe('where a server listens', () => {
  const known: readonly [string, string, number, string][] = [
    ['127.0.0.1:8080', '127.0.0.1', 8080, '127.0.0.1:8080'],
    ['localhost:0', 'localhost', 0, 'localhost:0'],
    ['[::1]:65535', '::1', 65_535, '[::1]:65535'],
    ['[fe80::1]:1', 'fe80::1', 1, '[fe80::1]:1'],
    [':8080', '::', 8080, '[::]:8080'],
    ['wirelens.example-1.test:1', 'wirelens.example-1.test', 1, 'wirelens.example-1.test:1'],
  ];
  for (const [text, host, port, shown] of known)
    it(`reads ${text}`, () => {
      expect(parseListenAddress(text)).toEqual({ host, port });
      expect(listenText({ host, port })).toBe(shown);
    });

  for (const text of [
    '',
    '8080',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '127.0.0.1:-1',
    '::1:80',
    '[::1]',
    '[127.0.0.1]:80',
    '256.0.0.1:80',
    '1.2.3:80',
    'a b:80',
    'http://a:80',
    '-a:80',
    `${'a'.repeat(300)}:80`,
  ])
    it(`refuses '${text.slice(0, 30)}'`, () =>
      expect(() => parseListenAddress(text)).toThrow(
        expect.objectContaining({ code: 'listen-address', exitCode: 2 }),
      ));

  it('knows what only this machine can reach', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) expect(isLoopback(host)).toBe(true);
    for (const host of [
      '0.0.0.0',
      '::',
      '10.0.0.1',
      'example.test',
      '127.0.0.1.example.test',
      'localhost.example.test',
    ])
      expect(isLoopback(host)).toBe(false);
  });
});
