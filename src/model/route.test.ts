import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pathOf, routeOf } from './route.ts';

describe('routeOf', () => {
  it.each([
    ['/users/42', '/users/{id}'],
    ['/users/42?page=7#top', '/users/{id}'],
    ['http://example.test:8080/users/42', '/users/{id}'],
    ['http://example.test', '/'],
    ['http://example.test?x=/a', '/'],
    ['/', '/'],
    ['/a/', '/a/'],
    ['*', '*'],
    ['example.test:443', 'example.test:443'],
    ['/api/v1/pods', '/api/v1/pods'],
    ['/o/7F3A9C00-1111-2222-3333-444455556666/x', '/o/{uuid}/x'],
    ['/c/deadbeef', '/c/deadbeef'],
    ['/c/deadbee1', '/c/{hex}'],
    ['/c/da39a3ee5e6b4b0d3255bfef95601890afd80709', '/c/{hex}'],
    ['/days/2026-11-21', '/days/{date}'],
    ['/days/2026-11-21T10:00:00Z', '/days/{date}'],
    ['/mail/ada@example.test', '/mail/{email}'],
    ['/mail/ada%40example.test', '/mail/{email}'],
    ['/t/eyJhbGciOiJIUzI1NiJ9', '/t/{token}'],
    [`/t/${'x'.repeat(41)}`, '/t/{token}'],
    ['/img/1024.png', '/img/{id}.png'],
    ['/shop;jsessionid=A1B2/cart', '/shop/cart'],
    ['/1/2/3/4/5/6/7/8', '/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}'],
    ['/a/b/c/d/e/f/g/h/i/j', '/a/b/c/d/e/f/g/h/…'],
    ['/index.html', '/index.html'],
  ])('%s becomes %s', (target, route) => {
    expect(routeOf(target)).toBe(route);
  });

  const segment = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.uuid(),
    fc.integer().map(String),
    fc.constantFrom('', ';', '…', '{id}', 'http:', 'a@b.c', '%40', '?', '#', '1.json', 'x;y=1'),
  );
  const target = fc
    .tuple(fc.constantFrom('', '/', 'http://h', 'http:', '*'), fc.array(segment, { maxLength: 14 }))
    .map(([start, segments]) => start + segments.join('/'));

  it('is idempotent, bounded, and blind to the query', () => {
    fc.assert(
      fc.property(target, (text) => {
        const route = routeOf(text);
        expect(routeOf(route)).toBe(route);
        expect(route.length).toBeLessThanOrEqual(8 * 41 + 2);
        expect(routeOf(`${text}?more=1`)).toBe(route);
      }),
      { numRuns: 2000 },
    );
  });

  it('stays quick on hostile targets', () => {
    for (const text of [
      '/'.repeat(200_000),
      `/${'a'.repeat(200_000)}`,
      `/${'a@'.repeat(100_000)}`,
      `/${'1'.repeat(200_000)}x`,
    ]) {
      expect(routeOf(text).length).toBeLessThanOrEqual(8 * 41 + 2);
    }
  });
});

describe('pathOf', () => {
  it('takes off query, fragment, scheme and authority', () => {
    expect(pathOf('/a/b?c')).toBe('/a/b');
    expect(pathOf('https://h/a?c')).toBe('/a');
    expect(pathOf('https://h')).toBe('/');
    expect(pathOf('h:443')).toBe('h:443');
    expect(pathOf('*')).toBe('*');
  });
});
