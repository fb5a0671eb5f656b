import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LiveNotice } from '../../model/live.ts';
import { InterfaceNotices, NOTICE_WINDOW_MS, NOTICES_PER_WINDOW } from './interface-notices.ts';
import { AWAITED_INTERFACES, SeenInterfaces } from './seen-interfaces.ts';

/** A kernel whose interfaces a test changes, and who follows them. */
function node(before: Readonly<Record<string, number>>) {
  const present = new Map(Object.entries(before));
  const time = { ms: 0 };
  const notices: LiveNotice[] = [];
  const bounded = new InterfaceNotices(
    (notice) => notices.push(notice),
    () => time.ms,
  );
  const nameOf = (index: number) => [...present].find(([, one]) => one === index)?.[0] ?? null;
  const seen = new SeenInterfaces(
    { nameOf, indexOf: (name) => present.get(name) ?? null },
    present.keys(),
    bounded,
  );
  return { present, time, notices, bounded, seen, told: () => notices.map(({ text }) => text) };
}

describe('interfaces that have given packets, on any', () => {
  it('are told once each way, with a new index, and when nobody saw them away', () => {
    const { present, seen, notices } = node({ eth0: 2, veth1: 7 });
    seen.gave('eth0', 2);
    seen.gave('veth1', 7);
    present.delete('veth1');
    seen.look();
    seen.look();
    present.set('veth1', 9);
    seen.look();
    seen.look();
    present.set('veth1', 12);
    seen.look();
    present.delete('eth0');
    seen.look();
    present.set('eth0', 2);
    seen.look();
    expect(notices.map(({ code, text }) => `${code}: ${text}`)).toEqual([
      'interface-gone: veth1 is gone',
      'interface-back: veth1 is back with another index (9, it was 7)',
      'interface-gone: veth1 is gone',
      'interface-back: veth1 is back with another index (12, it was 9)',
      'interface-gone: eth0 is gone',
      'interface-back: eth0 is back',
    ]);
  });

  it('are new when they were not there at the beginning; those without packets are not told of', () => {
    const { present, seen, told } = node({ eth0: 2, silent: 3 });
    seen.gave('eth0', 2);
    present.delete('silent');
    present.set('veth1', 4).set('veth2', 5);
    seen.gave('veth1', 4);
    seen.look();
    present.delete('veth2');
    seen.look();
    expect(told()).toEqual(['veth1 is new, and gives packets']);
  });

  it('are told apart when one takes the index of another', () => {
    const { present, seen, told } = node({ veth1: 7 });
    seen.gave('veth1', 7);
    present.delete('veth1');
    present.set('veth2', 7);
    seen.gave('veth2', 7);
    seen.look();
    present.delete('veth2');
    present.set('veth1', 8).set('veth2', 9);
    // Packets come before anybody has looked.
    seen.gave('veth1', 8);
    seen.gave('veth2', 9);
    seen.look();
    expect(told()).toEqual([
      'veth2 is new, and gives packets',
      'veth1 is gone',
      'veth1 is back with another index (8, it was 7)',
      'veth2 is gone',
      'veth2 is back with another index (9, it was 7)',
    ]);
  });

  it('stays true to what is there, whatever comes and goes', () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      index: fc.option(fc.integer({ min: 1, max: 5 })),
      looks: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { present, seen, notices, time } = node({ a: 1 });
        const there = new Map<string, boolean>();
        for (const { name, index, looks } of steps) {
          time.ms += NOTICE_WINDOW_MS;
          if (index === null) present.delete(name);
          else if (![...present.values()].includes(index)) present.set(name, index);
          const now = present.get(name);
          if (now !== undefined) seen.gave(name, now);
          if (now !== undefined && !there.has(name)) there.set(name, true);
          if (looks) seen.look();
        }
        seen.look();
        // Each goes and comes in turn, and the last word is what is so now.
        for (const [name] of there) {
          const turns = notices
            .filter(({ code, text }) => code !== 'interface-new' && text.startsWith(`${name} `))
            .map(({ code }) => code);
          turns.forEach((code, place) => {
            expect(code).toBe(place % 2 === 0 ? 'interface-gone' : 'interface-back');
          });
          expect(turns.length % 2 === 0).toBe(present.has(name));
        }
      }),
    );
  });

  it('come as one line when a whole node is rolled, and are told one by one again later', () => {
    const { present, seen, notices, time, bounded, told } = node({});
    for (let index = 1; index <= 100; index += 1) {
      present.set(`veth${index}`, index);
      seen.gave(`veth${index}`, index);
    }
    expect(told()).toHaveLength(NOTICES_PER_WINDOW);
    present.clear();
    time.ms = NOTICE_WINDOW_MS - 1;
    seen.look();
    expect(told()).toHaveLength(NOTICES_PER_WINDOW);
    time.ms = NOTICE_WINDOW_MS;
    bounded.tick();
    expect(notices.slice(NOTICES_PER_WINDOW)).toEqual([
      { code: 'interfaces-changed', text: 'of further interfaces 100 are gone, 80 are new' },
    ]);
    present.set('veth100', 200);
    seen.look();
    bounded.finish();
    expect(told().slice(NOTICES_PER_WINDOW + 1)).toEqual([
      'veth100 is back with another index (200, it was 100)',
    ]);
  });

  it('are waited for as long as not too many have gone since', () => {
    const { present, seen, time, told } = node({ veth0: 1, veth1: 2 });
    for (let index = 0; index <= AWAITED_INTERFACES; index += 1) {
      time.ms += NOTICE_WINDOW_MS;
      present.set(`veth${index}`, index + 1);
      seen.gave(`veth${index}`, index + 1);
      present.clear();
      seen.look();
    }
    present.set('veth0', 500).set('veth1', 501);
    seen.look();
    seen.gave('veth0', 500);
    expect(told().slice(-2)).toEqual([
      'veth1 is back with another index (501, it was 2)',
      'veth0 is new, and gives packets',
    ]);
  });
});
