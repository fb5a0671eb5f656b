import { describe, expect, it } from 'vitest';
import { UserError } from '../../model/errors.ts';
import { routeOf } from '../../model/route.ts';
import { templateText } from './dictionary-text.ts';
import { PinnedRoutes } from './pinned-routes.ts';
import { RouteLearner } from './route-learner.ts';

function routeWith(dictionary: string, target: string, host: string | null = 'h'): string | null {
  const pinned = PinnedRoutes.parse(dictionary, 'routes.txt');
  const index = pinned.match(host, target);
  return index < 0 ? null : pinned.routes[index].route;
}

describe('PinnedRoutes', () => {
  it.each([
    ['/users/{id}', '/users/alice', '/users/{id}'],
    ['/users/{id}', '/users/alice?page=2', '/users/{id}'],
    ['/users/{id}', 'http://h/users/7', '/users/{id}'],
    ['/users/{id}', '/users/7/posts', null],
    ['/users/{id}', '/users/', null],
    ['/users/{id}', '/users', null],
    ['/users/{id}\n/users/me', '/users/me', '/users/me'],
    ['/{a}/x\n/users/{id}', '/users/x', '/users/{id}'],
    ['/users/{id}/posts\n/{a}/{b}/{c}', '/users/1/keys', '/{a}/{b}/{c}'],
    ['/img/{id}.png', '/img/7.png', '/img/{id}.png'],
    ['/img/{id}.png', '/img/7.jpg', null],
    ['/img/{id}.png', '/img/.png', null],
    ['/v{n}/x', '/v2/x', '/v{n}/x'],
    ['/x/{id}\n/x/{uuid}', '/x/7f3a9c00-1111-2222-3333-444455556666', '/x/{uuid}'],
    ['/x/{id}\n/x/{uuid}', '/x/12', '/x/{id}'],
    ['/files/**', '/files/a/b/c', '/files/…'],
    ['/files/…', '/files/a', '/files/…'],
    ['/files/{*}', '/files', null],
    ['/files/…\n/files/{id}', '/files/a', '/files/{id}'],
    ['/a\\x20b/{id}', '/a b/1', '/a b/{id}'],
    ['/shop/cart', '/shop;jsessionid=1/cart', '/shop/cart'],
    ['/…', '*', null],
  ])('with %j, %s is %s', (dictionary, target, route) => {
    expect(routeWith(dictionary, target)).toBe(route);
  });

  it('prefers the templates of a host to those of every host', () => {
    const dictionary = '/a/{any}\nAPI.test/a/{id}   # a comment\n# another\n\n';
    expect(routeWith(dictionary, '/a/1', 'api.TEST')).toBe('/a/{id}');
    expect(routeWith(dictionary, '/a/1', 'other.test')).toBe('/a/{any}');
    expect(routeWith(dictionary, '/a/1', null)).toBe('/a/{any}');
    expect(routeWith('api.test/a/{id}', '/a/1', 'other.test')).toBeNull();
  });

  it('wins over what is learned, which goes on beside it', () => {
    const learner = new RouteLearner({
      pinned: PinnedRoutes.parse('/p/{product}', 'routes.txt'),
      limits: { budget: 2 },
    });
    const leaves = ['/p/a', '/p/b', '/q/a', '/q/b', '/q/c', '/r/a'].map((path) => learner.add('h', path));
    const routes = learner.finish();
    expect(leaves.map((leaf) => routes.ofLeaf(leaf))).toEqual([
      '/p/{product}',
      '/p/{product}',
      '/q/{slug}',
      '/q/{slug}',
      '/q/{slug}',
      '/r/a',
    ]);
  });

  it.each([
    ['/a\nusers', 'line 2'],
    ['/a b', 'line 1'],
    ['\n\n/a/**/b', 'line 3'],
    ['/x\n'.repeat(10_001), 'line 10001'],
  ])('says which line is wrong (%#)', (text, place) => {
    expect(() => PinnedRoutes.parse(text, 'routes.txt')).toThrow(UserError);
    expect(() => PinnedRoutes.parse(text, 'routes.txt')).toThrow(place);
  });

  it('reads every character back that a dictionary shows', () => {
    for (let code = 0x20; code < 0x3100; code += 1) {
      const target = `/a${String.fromCodePoint(code)}b`;
      const route = routeOf(target);
      expect([code, routeWith(`h${templateText(route)}  # seen once`, target)]).toEqual([code, route]);
    }
  });

  it('stays quick on hostile dictionaries and paths', () => {
    const dictionary = Array.from({ length: 40 }, (_, index) => `${'/{a}'.repeat(index)}/b`).join('\n');
    expect(routeWith(dictionary, '/b'.repeat(5000))).toBeNull();
    expect(routeWith('/{a}'.repeat(500_000), '/x/'.repeat(50))).toBeNull();
  });
});
