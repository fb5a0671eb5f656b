import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzRuns } from '../../../test/pipeline-run.ts';
import { routeOf } from '../../model/route.ts';
import { hostText, templateText } from './dictionary-text.ts';
import { PinnedRoutes } from './pinned-routes.ts';
import { RouteLearner, type RouteLearnerOptions } from './route-learner.ts';

interface Asked {
  readonly host: string | null;
  readonly target: string;
  readonly found: boolean;
}

const HOST = 'shop.test';
const asked = (target: string, host: string | null = HOST): Asked => ({ host, target, found: true });

function learn(requests: readonly Asked[], options: RouteLearnerOptions = {}) {
  const learner = new RouteLearner(options);
  const leaves = requests.map(({ host, target, found }) => learner.add(host, target, found));
  const routes = learner.finish();
  return { routes, list: leaves.map((leaf) => routes.ofLeaf(leaf)) };
}

const times = (count: number, target: (index: number) => string): Asked[] =>
  Array.from({ length: count }, (_, index) => asked(target(index)));
/** Names without a digit, so that only their number can make them a parameter. */
const word = (index: number): string => String(index).replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)]);

describe('RouteLearner', () => {
  it('makes a parameter of a place with more names than the budget, and not before', () => {
    const names = times(31, (index) => `/products/${word(index)}`);
    expect(new Set(learn(names).list)).toEqual(new Set(['/products/{slug}']));
    const fewer = names.slice(0, 30);
    expect(learn(fewer).list).toEqual(fewer.map(({ target }) => target));
    expect(new Set(learn(fewer, { limits: { budget: 29 } }).list)).toEqual(new Set(['/products/{slug}']));
  });

  it('counts names below one parent, not on the whole host', () => {
    const requests = [
      ...times(20, (index) => `/a/${word(index)}`),
      ...times(20, (index) => `/b/${word(index)}`),
    ];
    expect(learn(requests).list).toEqual(requests.map(({ target }) => target));
  });

  it('takes numbers, UUIDs and the like for one name, and what follows a parameter together', () => {
    const requests = [
      ...times(500, (index) => `/orders/${index}/items`),
      ...times(40, (index) => `/shops/${word(index)}/${index % 2 === 0 ? 'open' : 'closed'}`),
    ];
    expect([...new Set(learn(requests).list)].sort()).toEqual([
      '/orders/{id}/items',
      '/shops/{slug}/closed',
      '/shops/{slug}/open',
    ]);
  });

  it('keeps a name that has a tree of its own, beside the parameter', () => {
    const requests = [
      ...times(100, (index) => `/users/${word(index)}`),
      ...times(20, (index) => `/users/${word(index)}/posts`),
      ...['', '/settings', '/avatar', '/keys'].map((rest) => asked(`/users/me${rest}`)),
    ];
    expect([...new Set(learn(requests).list)].sort()).toEqual([
      '/users/me',
      '/users/me/avatar',
      '/users/me/keys',
      '/users/me/settings',
      '/users/{slug}',
      '/users/{slug}/posts',
    ]);
  });

  it('keeps a name that takes a quarter of the requests', () => {
    const requests = [...times(60, (index) => `/users/${word(index)}`), ...times(20, () => '/users/search')];
    expect([...new Set(learn(requests).list)].sort()).toEqual(['/users/search', '/users/{slug}']);
  });

  it('does not take every owner of repositories for an exception', () => {
    const requests = times(400, (index) => `/${word(index % 80)}/repo-${word(index)}`);
    expect(new Set(learn(requests).list)).toEqual(new Set(['/{slug}/{slug}']));
  });

  it('keeps the names that the server knows where only a scanner exceeds the budget', () => {
    const requests = [
      asked('/users/1'),
      asked('/orders'),
      ...times(200, (index) => `/admin-${word(index)}.php`).map((one) => ({ ...one, found: false })),
    ];
    expect([...new Set(learn(requests).list)].sort()).toEqual(['/orders', '/users/{id}', '/{file}']);
  });

  it('calls a place {file} when only file names stand there', () => {
    expect(new Set(learn(times(50, (index) => `/static/${word(index)}.js`)).list)).toEqual(
      new Set(['/static/{file}']),
    );
  });

  it('gives slashes at the end and targets that are no path their own routes', () => {
    const requests = [
      ...times(50, (index) => `/t/${word(index)}`),
      ...times(50, (index) => `/t/${word(index)}/`),
      asked('/t/'),
      asked('/t'),
      asked('*'),
      ...times(50, (index) => `${word(index)}.test:443`),
    ];
    expect([...new Set(learn(requests).list)].sort()).toEqual([
      '*',
      '/t',
      '/t/',
      '/t/{slug}',
      '/t/{slug}/',
      '{authority}',
    ]);
  });

  it('keeps hosts apart, and upper and lower case of one host together', () => {
    const requests = [
      ...times(31, (index) => `/p/${word(index)}`).map((one, index) => ({
        ...one,
        host: index % 2 === 0 ? 'A.test' : 'a.test',
      })),
      asked('/p/x', 'b.test'),
      asked('/p/y', null),
    ];
    const { list } = learn(requests);
    expect(new Set(list.slice(0, 31))).toEqual(new Set(['/p/{slug}']));
    expect(list.slice(31)).toEqual(['/p/x', '/p/y']);
  });

  it('shows the rarest routes beyond the limit as /…', () => {
    const requests = times(60, (index) => `/${word(index % 20)}`).concat(
      times(10, (index) => `/z/${word(index)}`),
    );
    const { list, routes } = learn(requests, { limits: { routesPerHost: 21 } });
    expect(new Set(list).size).toBe(21);
    expect(list.filter((route) => route === '/…')).toHaveLength(10);
    expect(routes.crowdedHosts).toBe(1);
  });

  it('counts what it gives up when there is no room, and still knows the rest', () => {
    const requests = times(100, (index) => `/a/${word(index)}/b/${word(index)}`);
    const { list, routes } = learn(requests, { limits: { places: 50 } });
    expect(routes.givenUp).toBeGreaterThan(0);
    expect(list.filter((route) => route === '/…')).toHaveLength(routes.givenUp);
    expect(list[0]).toBe(`/a/a/b/a`);
  });

  it('takes no exceptions at a place with more names than it can tell apart, in whatever order they come', () => {
    const names = times(50, (index) => `/users/${word(index)}`);
    const frequent = times(60, () => '/users/search');
    const limits = { budget: 5, namesPerPlace: 20 };
    expect(new Set(learn([...frequent, ...names], { limits }).list)).toEqual(new Set(['/users/{slug}']));
    expect(new Set(learn([...names, ...frequent], { limits }).list)).toEqual(new Set(['/users/{slug}']));
  });

  it('needs few places for owners with repositories, however many there are', () => {
    const requests = times(5000, (index) => `/${word(index % 300)}/repo-${word(index)}`);
    const { list, routes } = learn(requests, { limits: { places: 2500, namesPerPlace: 200 } });
    expect(routes.givenUp).toBe(0);
    expect(new Set(list)).toEqual(new Set(['/{slug}/{slug}']));
  });

  it('breaks ties by the text of the route', () => {
    const requests = times(8, (index) => `/${word(index)}`);
    const shown = ['/a', '/b', '/c', ...new Array(5).fill('/…')];
    const limits = { routesPerHost: 4 };
    expect(learn(requests, { limits }).list).toEqual(shown);
    expect(learn([...requests].reverse(), { limits }).list).toEqual([...shown].reverse());
  });

  it('holds no more places than its limit, whatever comes', () => {
    const learner = new RouteLearner({ limits: { places: 1000, namesPerPlace: 40, budget: 30 } });
    const leaves = new Set<number>();
    for (let index = 0; index < 20_000; index += 1) leaves.add(learner.add(HOST, `/a/${word(index)}/x`));
    expect(leaves.size).toBeLessThanOrEqual(42);
    expect(learner.finish().givenUp).toBe(0);
  });

  it('tells the requests, paths and examples of each route', () => {
    const requests = [...times(40, (index) => `/p/${word(index)}?q=${index}`), ...times(5, () => '/p/a?z')];
    const { routes } = learn(requests, { countPaths: true });
    expect(routes.facts()).toEqual([
      {
        host: HOST,
        route: '/p/{slug}',
        origin: 'learned',
        requests: 45,
        paths: 40,
        morePaths: false,
        examples: ['/p/a', '/p/b', '/p/ba'],
      },
    ]);
    const few = learn(requests, { countPaths: true, limits: { pathsCounted: 7 } }).routes.facts();
    expect(few[0]).toMatchObject({ paths: 7, morePaths: true, requests: 45 });
  });
});

describe('RouteLearner on random requests', () => {
  const segment = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'me', 'x.js', 'y.js') },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', '12', '{id}', '{slug}', '{', 'a{b}c', '…', '*', '**', 'é', ' ', '#'),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
  );
  const target = fc
    .tuple(fc.constantFrom('/', '/', '/', '/', '', 'http://h/'), fc.array(segment, { maxLength: 11 }))
    .map(([start, segments]) => start + segments.join('/'));
  const request = fc.record({
    host: fc.constantFrom('h', 'H', 'g:80', '-', null),
    target,
    found: fc.boolean(),
  });
  const requests = fc.array(request, { maxLength: 60 });
  const limits = fc.record({
    budget: fc.integer({ min: 1, max: 6 }),
    routesPerHost: fc.integer({ min: 1, max: 12 }),
    namesPerPlace: fc.integer({ min: 6, max: 9 }),
    targetsRemembered: fc.integer({ min: 1, max: 3 }),
  });
  const runs = { numRuns: fuzzRuns(600) };
  const withOrder = requests.chain((list) =>
    fc.tuple(
      fc.constant(list),
      fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
    ),
  );

  it('gives the same routes in any order', () => {
    fc.assert(
      fc.property(withOrder, limits, ([list, shuffled], chosen) => {
        const one = learn(list, { limits: chosen, countPaths: true });
        const other = learn(shuffled, { limits: chosen, countPaths: true });
        expect(other.routes.facts()).toEqual(one.routes.facts());
        const routeIn = ({ host, target: text }: Asked): string => other.routes.routeOf(host, text);
        expect(list.map(routeIn)).toEqual(one.list);
      }),
      runs,
    );
  });

  it('learns from its routes nothing but these routes', () => {
    fc.assert(
      fc.property(requests, limits, (list, chosen) => {
        const first = learn(list, { limits: chosen }).list;
        const again = list.map(({ host }, index) => ({ host, target: first[index], found: true }));
        expect(learn(again, { limits: chosen }).list).toEqual(first);
      }),
      runs,
    );
  });

  it('merges nothing where no place has more names than the budget', () => {
    fc.assert(
      fc.property(requests, (list) => {
        expect(learn(list, { limits: { budget: 1000, routesPerHost: 1000 } }).list).toEqual(
          list.map(({ target: text }) => routeOf(text)),
        );
      }),
      runs,
    );
  });

  it('keeps to the limit of routes', () => {
    fc.assert(
      fc.property(requests, limits, (list, chosen) => {
        const perHost = new Map<string, Set<string>>();
        learn(list, { limits: chosen }).list.forEach((route, index) => {
          const host = String(list[index].host?.toLowerCase());
          perHost.set(host, (perHost.get(host) ?? new Set()).add(route));
        });
        for (const routes of perHost.values()) expect(routes.size).toBeLessThanOrEqual(chosen.routesPerHost);
      }),
      runs,
    );
  });

  it('gives the same routes with its own routes as dictionary', () => {
    fc.assert(
      fc.property(requests, limits, (list, chosen) => {
        // A path with … as its last segment reads like a template for everything below.
        const paths = list.filter(
          ({ host, target: text }) => host !== null && routeOf(text).startsWith('/') && !text.includes('…'),
        );
        // Beyond the limit of routes, /… stands for paths that a template of others may fit as well.
        const roomy = { ...chosen, routesPerHost: 1000 };
        const { list: routes, routes: learned } = learn(paths, { limits: roomy });
        const text = learned
          .facts()
          .map(({ host, route }) => `${hostText(host)}${templateText(route)}  # as learned`)
          .join('\n');
        const pinned = PinnedRoutes.parse(text, 'routes.txt');
        expect(pinned.routes).toHaveLength(learned.facts().length);
        const again = learn(paths, { limits: roomy, pinned });
        expect(again.list).toEqual(routes);
        expect(again.routes.facts().every(({ origin }) => origin === 'pinned')).toBe(true);
      }),
      runs,
    );
  });
});
