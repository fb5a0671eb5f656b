import { describe, expect, it } from 'vitest';
import { watchPerTest } from '../../test/watched-state.ts';
import type { KeyName } from './key.ts';
import type { WatchState } from './watch-state.ts';

let state: WatchState;
const { add, addMany, draw, press, seen, type } = watchPerTest((begun) => {
  state = begun;
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
