import { describe, expect, it } from 'vitest';
import type { InterfaceState } from './interface-probe.ts';
import { NamedInterfaces } from './named-interfaces.ts';

const up = (index: number): InterfaceState => ({
  index,
  hardwareType: 1,
  up: true,
  running: true,
  loopback: false,
  mtu: 1500,
});

describe('interfaces that were named', () => {
  it('are reported once each way, with a new index, and when nobody saw them away', () => {
    const states = new Map([['eth1', up(7)]]);
    const told: string[] = [];
    const named = new NamedInterfaces(
      [{ name: 'eth1', state: up(7) }],
      (name) => states.get(name) ?? null,
      ({ code, text }) => told.push(`${code}: ${text}`),
    );
    const look = (state: InterfaceState | null): boolean => {
      if (state === null) states.delete('eth1');
      else states.set('eth1', state);
      return named.look();
    };
    expect(look(up(7))).toBe(false);
    expect([look(null), look(null)]).toEqual([false, false]);
    expect(named.someMissing).toBe(true);
    expect(named.indexes).toEqual([]);
    expect([look(up(7)), look(up(7))]).toEqual([true, false]);
    expect(look(up(9))).toBe(true);
    expect(named.indexes).toEqual([9]);
    look({ ...up(9), running: false });
    look({ ...up(9), running: false, up: false });
    look({ ...up(9), running: false });
    look(up(9));
    expect(told).toEqual([
      'interface-gone: eth1 is gone; waiting for it to come back',
      'interface-back: eth1 is back',
      'interface-gone: eth1 is gone; waiting for it to come back',
      'interface-back: eth1 is back with another index (9, it was 7)',
      'link-down: the link of eth1 is down',
      'link-down: eth1 was taken down',
      'link-up: the link of eth1 is up',
    ]);
  });
});
