import { describe, expect, it } from 'vitest';
import { buildExchange, buildRequest, buildResponse } from '../../test/build-exchange.ts';
import { watchPerTest } from '../../test/watched-state.ts';
import type { WatchState } from './watch-state.ts';

let state: WatchState;
const { add, addMany, addUnanswered, draw, press, seen } = watchPerTest((begun) => {
  state = begun;
});

describe('sorting', () => {
  it('puts the slowest first, and with the same key again the fastest', () => {
    for (const ms of [20, 50, 10, 40, 30]) add(ms);
    draw();
    press('4');
    expect(seen()).toBe('[2] 4 5 1 3');
    press('4');
    expect(seen()).toBe('[3] 1 5 4 2');
    press('0');
    expect(seen()).toBe('1 2 3 4 [5]');
  });

  it('takes a request without an answer for as slow as it was seen waiting, and its status for the worst', () => {
    add(20);
    add(5, 503);
    // Sent at 2 ms; the connection was last heard of at 50 ms.
    addUnanswered('closed-by-server');
    press('4');
    expect(seen()).toBe('[3] 1 2');
    press('3');
    expect(seen()).toBe('[3] 2 1');
  });

  it('shows the slowest of the whole run, also those that fell out of the latest rows', () => {
    add(5000);
    addMany(50);
    add(3000);
    addMany(50);
    press('s');
    expect(seen()).toMatch(/^\[1\] 52 /);
    press('s');
    expect(seen()).toMatch(/\[102\]$/);
  });

  it('follows what is first until the selection moves, then stays on its exchange', () => {
    for (const ms of [20, 50, 10]) add(ms);
    press('s');
    add(60);
    draw();
    expect(seen()).toBe('[4] 2 1 3');
    press('down');
    add(70);
    draw();
    expect(seen()).toBe('5 4 [2] 1 3');
    press('home');
    add(80);
    draw();
    expect(seen()).toBe('[6] 5 4 2 1');
  });

  it('is done at most twice per second while rows come', () => {
    add(10);
    press('s');
    add(20);
    draw(499);
    expect(seen()).toBe('[1]');
    draw(1);
    expect(seen()).toBe('[2] 1');
  });

  it.each([
    ['1', '3 2 1', 'newest first'],
    ['2', '2 1 3', 'by method'],
    ['6', '1 3 2', 'largest answer first'],
    ['7', '2 3 1', 'by client'],
    ['8', '3 1 2', 'by server'],
    ['9', '3 2 1', 'by host and target'],
  ])('key %s: %s, %s', (key, ids) => {
    const endpoint = (text: string) => ({ address: text, port: 1, text });
    const rows = [
      ['GET', 900, 'c', 'b', 'z.test', '/a'],
      ['DELETE', 100, 'a', 'c', 'b.test', '/b'],
      ['PUT', 500, 'b', 'a', 'a.test', '/z'],
    ] as const;
    rows.forEach(([method, bodyBytes, client, server, host, target], index) => {
      state.add(
        buildExchange({
          id: index + 1,
          client: endpoint(client),
          server: endpoint(server),
          request: buildRequest({ method, host, target, firstByteNs: index * 1e6 }),
          response: buildResponse({ bodyBytes }),
        }),
      );
    });
    press(key);
    expect(seen().replace(/[[\]]/g, '')).toBe(ids);
  });
});

describe('errors only', () => {
  it('shows 4xx, 5xx and what got no answer, also from long ago', () => {
    add(10, 500);
    add(10, 404);
    addUnanswered('reset-by-server');
    addMany(50);
    press('e');
    expect(seen()).toBe('1 2 [3]');
    add(10, 502);
    add(10, 302);
    draw();
    expect(seen()).toBe('1 2 3 [54]');
    press('e');
    expect(seen()).toBe('51 52 53 54 [55]');
  });
});
