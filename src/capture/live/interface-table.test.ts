import { describe, expect, it } from 'vitest';
import type { CaptureInterface } from '../../model/packet.ts';
import { InterfaceTable, LIVE_INTERFACES } from './interface-table.ts';

/** A table over names by index that a test changes. */
function table(): { names: Map<number, string>; entries: CaptureInterface[]; table: InterfaceTable } {
  const names = new Map<number, string>();
  const entries: CaptureInterface[] = [];
  return { names, entries, table: new InterfaceTable(entries, 276, 96, (index) => names.get(index) ?? null) };
}

describe('entries of interfaces', () => {
  it('belong to a name: an index that another interface took leads to another entry', () => {
    const { names, entries, table: known } = table();
    names.set(7, 'veth1').set(8, 'veth2');
    expect(known.find(7).name).toBe('veth1');
    names.set(7, 'veth9');
    expect(known.find(7).name).toBe('veth1');
    known.expire();
    expect(known.find(7).name).toBe('veth9');
    expect(entries).toEqual([
      expect.objectContaining({ number: 0, name: 'veth1', linkType: 276, snaplen: 96, timeDigits: 9 }),
      expect.objectContaining({ number: 1, name: 'veth9' }),
    ]);
  });

  it('go on when the interface comes back with another index', () => {
    const { names, table: known } = table();
    names.set(7, 'eth1');
    const entry = known.find(7);
    names.clear();
    names.set(12, 'eth1');
    known.expire();
    expect(known.find(12)).toBe(entry);
  });

  it('take the last packets of an interface that is gone; one never seen has no name', () => {
    const { names, table: known } = table();
    names.set(7, 'eth1');
    const entry = known.find(7);
    names.clear();
    known.expire();
    expect(known.find(7)).toBe(entry);
    expect(known.find(8).name).toBeNull();
  });

  it('are new ones after the link type changed', () => {
    const { names, entries, table: known } = table();
    names.set(7, 'eth1');
    known.find(7);
    known.changeLinkType(1);
    known.find(7);
    expect(entries.map(({ name, linkType }) => [name, linkType])).toEqual([
      ['eth1', 276],
      ['eth1', 1],
    ]);
  });

  it('are bounded; the packets of further interfaces share one', () => {
    const { names, entries, table: known } = table();
    for (let index = 1; index <= LIVE_INTERFACES + 10; index += 1) {
      names.set(index, `veth${index}`);
      known.find(index);
    }
    expect(entries.length).toBe(LIVE_INTERFACES + 1);
    expect(known.find(LIVE_INTERFACES + 10).name).toBe('(further interfaces)');
    expect(known.find(3).name).toBe('veth3');
  });
});
