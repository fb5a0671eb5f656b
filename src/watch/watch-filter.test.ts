import { describe, expect, it } from 'vitest';
import { watchPerTest } from '../../test/watched-state.ts';
import type { WatchState } from './watch-state.ts';

let state: WatchState;
const { add, addMany, draw, press, seen, type } = watchPerTest((begun) => {
  state = begun;
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
