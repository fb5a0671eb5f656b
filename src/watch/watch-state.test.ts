import { beforeEach, describe, expect, it } from 'vitest';
import {
  buildExchange,
  buildRequest,
  buildResponse,
  buildUnanswered,
  EPOCH_SECONDS,
} from '../../test/build-exchange.ts';
import { parseFilter } from '../filter/filter.ts';
import type { Exchange } from '../model/exchange.ts';
import type { KeyName } from './key.ts';
import { WatchState } from './watch-state.ts';

const NAMED = new Set(['up', 'down', 'left', 'right', 'home', 'end', 'page-up', 'page-down', 'enter', 'escape', 'backspace']); // biome-ignore format: a list
const clock = { epochSeconds: EPOCH_SECONDS };

let state: WatchState;
let id: number;
let nowMs: number;

beforeEach(() => begin(10));

function begin(maxRows: number): void {
  state = new WatchState({
    maxRows,
    parseFilter: (text) => {
      const filter = parseFilter(text);
      return { matches: (exchange) => filter.matches(exchange, clock) };
    },
  });
  id = 0;
  nowMs = 0;
}

/** An exchange that took so many ms in all. */
function add(totalMs = 10, status = 200, parts: Partial<Exchange> = {}): Exchange {
  id += 1;
  const exchange = buildExchange({
    id,
    request: buildRequest({ firstByteNs: id * 1e6, lastByteNs: id * 1e6, target: `/${id}` }),
    response: buildResponse({ status, firstByteNs: id * 1e6, lastByteNs: (id + totalMs) * 1e6 }),
    ...parts,
  });
  state.add(exchange);
  return exchange;
}

function addMany(count: number): void {
  for (let index = 0; index < count; index += 1) add();
}

/** Keys by name, or characters; after each the screen is drawn, five rows high. */
function press(...keys: string[]): void {
  for (const key of keys) {
    state.key(
      NAMED.has(key) || key.startsWith('ctrl-')
        ? { kind: 'named', name: key as KeyName }
        : { kind: 'character', text: key },
    );
    draw();
  }
}

function type(text: string): void {
  press(...text);
}

function draw(): void {
  nowMs += 1000;
  state.settle({ tableRows: 5, pageLines: 5, lines: 20, nowMs });
}

/** Ids of the rows on the screen, the selected one in brackets. */
function seen(): string {
  const { list, top, position } = state.view;
  const rows: string[] = [];
  for (let place = top; place < Math.min(list.end, top + 5); place += 1) {
    rows.push(place === position ? `[${list.at(place).id}]` : `${list.at(place).id}`);
  }
  return rows.join(' ');
}

describe('following', () => {
  it('shows the newest rows, newest last', () => {
    addMany(3);
    draw();
    expect(seen()).toBe('1 2 [3]');
    addMany(4);
    draw();
    expect(seen()).toBe('3 4 5 6 [7]');
  });

  it('stops when the selection moves up, and the rows stand', () => {
    addMany(7);
    draw();
    press('up');
    addMany(3);
    draw();
    expect(seen()).toBe('3 4 5 [6] 7');
  });

  it('goes on with End, G, and with down from the last row', () => {
    addMany(7);
    draw();
    for (const back of [['end'], ['G'], ['down', 'down']]) {
      press('up', ...back);
      add();
      draw();
      expect(seen()).toMatch(new RegExp(`\\[${id}\\]$`));
    }
  });

  it('keeps no more rows than it may', () => {
    addMany(25);
    press('home');
    expect(seen()).toBe('[16] 17 18 19 20');
    expect(state.view.list.end - state.view.list.begin).toBe(10);
  });
});

describe('a row that is being looked at', () => {
  it('is never pushed out: the display is held when it would be', () => {
    addMany(10);
    draw();
    press('home');
    expect(seen()).toBe('[1] 2 3 4 5');
    expect(state.newer).toBeNull();
    addMany(100);
    draw();
    expect(seen()).toBe('[1] 2 3 4 5');
    expect(state.newer).toBe(100);
    press('end');
    expect(state.newer).toBeNull();
    expect(seen()).toBe('106 107 108 109 [110]');
  });
});

describe('moving', () => {
  it('goes by rows and pages, and not beyond the ends', () => {
    addMany(10);
    draw();
    press('k', 'k');
    expect(seen()).toBe('6 7 [8] 9 10');
    press('page-up');
    expect(seen()).toBe('[4] 5 6 7 8');
    press('page-up', 'page-up', 'up');
    expect(seen()).toBe('[1] 2 3 4 5');
    press('j');
    expect(seen()).toBe('1 [2] 3 4 5');
    press('page-down', 'page-down', 'page-down', 'page-down');
    expect(seen()).toBe('6 7 8 9 [10]');
  });

  it('does nothing on an empty list', () => {
    press('up', 'down', 'page-up', 'home', 'end', 'enter', 's', 'e', 'n');
    expect(state.view.selected).toBeNull();
    expect(state.detail).toBeNull();
  });
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
    id += 1;
    state.add(buildUnanswered('closed-by-server', { id }));
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
    state.settle({ tableRows: 5, pageLines: 5, lines: 0, nowMs: nowMs + 499 });
    expect(seen()).toBe('[1]');
    state.settle({ tableRows: 5, pageLines: 5, lines: 0, nowMs: nowMs + 500 });
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
    id += 1;
    state.add(buildUnanswered('reset-by-server', { id }));
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

describe('the filter', () => {
  it('applies to rows kept and coming, and keeps as many of those as it may', () => {
    for (const status of [200, 404, 200, 500]) add(10, status);
    press('/');
    type('status >= 400');
    press('enter');
    expect(state.filterText).toBe('status >= 400');
    expect(seen()).toBe('2 [4]');
    for (let index = 0; index < 100; index += 1) add(10, index % 10 === 0 ? 503 : 200);
    draw();
    // 10 rows are kept, and 10 of the last 100 match.
    expect(state.view.list.end - state.view.list.begin).toBe(10);
    expect(seen()).toBe('55 65 75 85 [95]');
  });

  it('finds what is slow or an error among everything kept, not only among the latest', () => {
    add(9000, 500);
    addMany(50);
    press('/');
    type('total > 5s');
    press('enter');
    expect(seen()).toBe('[1]');
  });

  it('tells a mistake with its place, until the line changes', () => {
    addMany(2);
    press('/');
    type('status > foo');
    press('enter');
    expect(state.prompt?.error?.text).toContain('foo');
    expect(state.prompt?.error?.mark).toMatchObject({ start: 9, end: 12 });
    press('backspace');
    expect(state.prompt?.error).toBeNull();
    press('escape');
    expect(state.prompt).toBeNull();
    expect(state.filterText).toBe('');
    draw();
    expect(seen()).toBe('1 [2]');
  });

  it('begins with the filter in force, and empty means none', () => {
    addMany(2);
    press('/');
    type('id == 1');
    press('enter');
    expect(seen()).toBe('[1]');
    press('/');
    expect(state.prompt?.editor.text).toBe('id == 1');
    press('ctrl-u', 'enter');
    expect(seen()).toBe('1 [2]');
    press('/', 'up');
    expect(state.prompt?.editor.text).toBe('id == 1');
  });

  it('takes keys that mean something elsewhere as text', () => {
    addMany(1);
    press('/');
    type('qpsc?');
    expect(state.prompt?.editor.text).toBe('qpsc?');
    expect(state.newer).toBeNull();
  });

  it('leaves the selection on its exchange when that passes', () => {
    for (const status of [200, 500, 200, 500, 200]) add(10, status);
    draw();
    press('home', 'down');
    expect(seen()).toBe('1 [2] 3 4 5');
    press('/');
    type('status == 500');
    press('enter');
    expect(seen()).toBe('[2] 4');
  });
});

describe('holding the display', () => {
  it('leaves everything as it is while the capture goes on', () => {
    addMany(6);
    draw();
    press('p');
    addMany(40);
    draw();
    expect(seen()).toBe('2 3 4 5 [6]');
    expect(state.newer).toBe(40);
    press('p');
    expect(seen()).toBe('42 43 44 45 [46]');
    expect(state.newer).toBeNull();
  });

  it('lets the held rows be sorted and filtered', () => {
    for (const ms of [20, 50, 10]) add(ms);
    press('p');
    add(90);
    press('s');
    expect(seen()).toBe('[2] 1 3');
    press('0', '/');
    type('total > 15ms');
    press('enter');
    expect(seen()).toBe('1 [2]');
    press('p');
    expect(seen()).toBe('1 2 [4]');
  });

  it('is what End does not undo when the user asked for it', () => {
    addMany(6);
    press('p');
    addMany(2);
    press('home', 'end');
    expect(seen()).toBe('2 3 4 5 [6]');
    expect(state.newer).toBe(2);
  });
});

describe('clearing', () => {
  it('takes the rows away, slow ones and errors too, and goes on with new ones', () => {
    add(9000, 500);
    addMany(20);
    press('p', 'c');
    expect(seen()).toBe('');
    expect(state.newer).toBeNull();
    add();
    press('s');
    expect(seen()).toBe('[22]');
  });
});

describe('one exchange', () => {
  it('opens, goes to the next and the one before in the list, and closes', () => {
    for (const ms of [20, 50, 10]) add(ms);
    press('s', 'enter');
    expect(state.detail?.id).toBe(2);
    press('n');
    expect(state.detail?.id).toBe(1);
    press('right', 'n');
    expect(state.detail?.id).toBe(3);
    press('p');
    expect(state.detail?.id).toBe(1);
    press('escape');
    expect(state.detail).toBeNull();
    expect(seen()).toBe('2 [1] 3');
  });

  it('is still there when its row is gone', () => {
    const first = add();
    draw();
    press('enter');
    addMany(100);
    draw();
    expect(state.detail).toBe(first);
    press('q');
    expect(seen()).toMatch(/^\[1\]/);
  });

  it('scrolls within its text, 20 lines of which 5 fit', () => {
    add();
    draw();
    press('enter', 'j', 'j');
    expect(state.scroller.line).toBe(2);
    press('end', 'down');
    expect(state.scroller.line).toBe(15);
    press('page-up');
    expect(state.scroller.line).toBe(11);
    press('home', 'up');
    expect(state.scroller.line).toBe(0);
  });
});

describe('Esc', () => {
  it('undoes one thing after the other', () => {
    for (const status of [200, 500, 404]) add(status, status);
    press('/');
    type('id < 3');
    press('enter', 'e', 's');
    expect(seen()).toBe('[2]');
    press('escape');
    expect(state.view.order).toBeNull();
    expect(state.errorsOnly).toBe(true);
    press('escape');
    expect(seen()).toBe('1 [2]');
    press('escape');
    expect(seen()).toBe('1 2 [3]');
    press('escape');
    expect(seen()).toBe('1 2 [3]');
  });
});

describe('keys that the program around answers', () => {
  const named = (name: KeyName) => state.key({ kind: 'named', name });

  it('work everywhere', () => {
    add();
    draw();
    for (const keys of [[], ['enter'], ['?'], ['/']]) {
      press(...keys);
      expect(named('ctrl-c')).toBe('quit');
      expect(named('ctrl-z')).toBe('suspend');
      expect(named('ctrl-l')).toBe('redraw');
      press('escape');
    }
  });

  it('q ends on the list and goes back elsewhere', () => {
    add();
    draw();
    press('?');
    expect(state.overlay).toBe('help');
    press('q');
    expect(state.overlay).toBeNull();
    press('enter', 'q');
    expect(state.detail).toBeNull();
    expect(state.key({ kind: 'character', text: 'q' })).toBe('quit');
  });

  it('a paste is no command', () => {
    addMany(3);
    expect(state.key({ kind: 'paste', text: 'q' })).toBeNull();
    draw();
    expect(seen()).toBe('1 2 [3]');
  });
});
