import { describe, expect, it } from 'vitest';
import { watchPerTest } from '../../test/watched-state.ts';
import type { WatchState } from './watch-state.ts';

let state: WatchState;
const { add, addMany, draw, press, seen, type } = watchPerTest((begun) => {
  state = begun;
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
