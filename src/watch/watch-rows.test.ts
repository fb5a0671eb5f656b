import { describe, expect, it } from 'vitest';
import { watchPerTest } from '../../test/watched-state.ts';
import type { WatchState } from './watch-state.ts';

let state: WatchState;
const { add, addMany, draw, lastId, press, seen } = watchPerTest((begun) => {
  state = begun;
});

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
      expect(seen()).toMatch(new RegExp(`\\[${lastId()}\\]$`));
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
