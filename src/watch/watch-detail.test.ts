import { describe, expect, it } from 'vitest';
import { watchPerTest } from '../../test/watched-state.ts';
import type { WatchState } from './watch-state.ts';

let state: WatchState;
const { add, addMany, draw, press, seen } = watchPerTest((begun) => {
  state = begun;
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
