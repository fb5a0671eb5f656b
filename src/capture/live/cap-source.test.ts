import { describe, expect, it } from 'vitest';
import { UserError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { LiveNotice, LiveSource } from '../../model/live.ts';
import type { LiveFilter } from '../packet-filter/live-filter.ts';
import type { CapHandle, CapPackage } from './cap-package.ts';
import { openCap } from './cap-source.ts';
import type { LiveOptions } from './live-options.ts';

const EPOCH_S = 1_790_000_000;

/** The package as it behaves: one buffer, written over by each packet, and a listener that is called at once. */
class FakeCap implements CapHandle {
  static opened: FakeCap[] = [];
  static linkType = 'ETHERNET';
  static refuse: (device: string, filter: string) => string | null = () => null;
  static deviceList = () => [{ name: 'eth0' }, { name: 'any' }];

  device = '';
  filter = '';
  isOpen = false;
  #buffer: Uint8Array = new Uint8Array(0);
  #listener: (bytes: number, truncated: boolean) => void = () => {};

  open(device: string, filter: string, _bytes: number, buffer: Uint8Array): string {
    const why = FakeCap.refuse(device, filter);
    if (why !== null) throw new Error(why);
    Object.assign(this, { device, filter, isOpen: true });
    this.#buffer = buffer;
    FakeCap.opened.push(this);
    return FakeCap.linkType;
  }

  on(_event: 'packet', listener: (bytes: number, truncated: boolean) => void): void {
    this.#listener = listener;
  }

  close(): boolean {
    // What aborts the process in the real package.
    if (this.device === '') throw new Error('closed without being open');
    this.isOpen = false;
    return true;
  }

  /** A packet of `bytes` bytes, all of them `fill`. */
  packet(bytes: number, fill: number): void {
    this.#buffer.fill(fill, 0, bytes);
    this.#listener(bytes, false);
  }
}

interface Opened {
  readonly source: LiveSource;
  readonly caps: readonly FakeCap[];
  readonly notices: LiveNotice[];
  /** Sets the clock, in ms after EPOCH_S. */
  at(ms: number): void;
}

async function open(given: Partial<LiveOptions> = {}): Promise<Opened> {
  FakeCap.opened = [];
  let nowMs = EPOCH_S * 1000;
  const notices: LiveNotice[] = [];
  const options: LiveOptions = {
    interfaces: ['eth0'],
    driver: 'cap',
    clock: { epochSeconds: null },
    limits: LIMITS,
    snaplen: 262_144,
    ringBytes: 1024 * 1024,
    promiscuous: true,
    filter: null,
    tickMs: 5,
    onNotice: (notice) => notices.push(notice),
    ...given,
  };
  const load = async () => ({ Cap: FakeCap }) as unknown as CapPackage;
  const source = await openCap(options, { load, nowMs: () => nowMs });
  return {
    source,
    caps: FakeCap.opened,
    notices,
    at: (ms) => {
      nowMs = EPOCH_S * 1000 + ms;
    },
  };
}

interface Seen {
  readonly first: number;
  readonly captured: number;
  readonly original: number;
  readonly timeNs: number;
  readonly linkType: number;
  readonly interfaceNumber: number;
}

function takeAtHand(source: LiveSource, seen: Seen[]): void {
  const { packet } = source;
  while (source.next()) {
    seen.push({
      first: packet.bytes[packet.start],
      captured: packet.end - packet.start,
      original: packet.originalBytes,
      timeNs: packet.timeNs,
      linkType: packet.linkType,
      interfaceNumber: packet.interfaceNumber,
    });
  }
}

/** Everything that still comes. */
async function rest(source: LiveSource): Promise<Seen[]> {
  source.stop();
  const seen: Seen[] = [];
  do takeAtHand(source, seen);
  while (await source.more());
  return seen;
}

describe('packets through cap', () => {
  it('copies each packet before the next one is written over it, with the time of its arrival', async () => {
    const { source, caps, at } = await open();
    at(1);
    caps[0].packet(60, 0xaa);
    at(2.5);
    caps[0].packet(70, 0xbb);
    const seen = await rest(source);
    expect(seen.map(({ first, captured }) => [first, captured])).toEqual([
      [0xaa, 60],
      [0xbb, 70],
    ]);
    expect(seen.map(({ timeNs }) => timeNs)).toEqual([1_000_000, 2_500_000]);
    expect(source.facts[0]).toMatchObject({ format: 'live', packets: 2, capturedBytes: 130 });
    expect(source.facts[0].interfaces).toMatchObject([{ name: 'eth0', linkType: 1, packets: 2 }]);
    await source.close();
  });

  it('waits for packets, and comes back without one in a tick', async () => {
    const { source, caps } = await open();
    expect(await source.more()).toBe(true);
    expect(source.next()).toBe(false);
    const waiting = source.more();
    caps[0].packet(60, 1);
    expect(await waiting).toBe(true);
    expect(source.next()).toBe(true);
    await source.close();
  });

  it('tells interfaces apart', async () => {
    const { source, caps } = await open({ interfaces: ['eth0', 'eth1', 'eth0'] });
    expect(caps.map(({ device }) => device)).toEqual(['eth0', 'eth1']);
    caps[1].packet(60, 1);
    caps[0].packet(60, 2);
    expect((await rest(source)).map((one) => [one.first, one.interfaceNumber])).toEqual([
      [1, 1],
      [2, 0],
    ]);
  });

  it('cuts to the snaplen', async () => {
    const { source, caps } = await open({ snaplen: 64 });
    caps[0].packet(100, 1);
    expect(await rest(source)).toMatchObject([{ captured: 64, original: 100 }]);
  });

  it('counts and tells of packets for which there is no room', async () => {
    const { source, caps, notices } = await open();
    expect(source.counters.dropped).toBeNull();
    for (let count = 0; count < 12; count += 1) caps[0].packet(50_000, count);
    // Half of a MiB is filled while the other half is read: 10 packets of 50,000 bytes.
    expect(await rest(source)).toHaveLength(10);
    expect(source.counters).toMatchObject({ dropped: 2, received: null });
    expect(source.facts[0].interfaces[0].dropped).toBe(2);
    expect(notices.map(({ code }) => code)).toEqual(['queue-full']);
  });

  it('takes nothing more after the stop, and closes the handle', async () => {
    const { source, caps } = await open();
    caps[0].packet(60, 1);
    source.stop();
    expect(caps[0].isOpen).toBe(false);
    caps[0].packet(60, 2);
    expect((await rest(source)).map(({ first }) => first)).toEqual([1]);
    expect(source.stopped).toBe(true);
    await source.close();
    await source.close();
  });

  it('opens anew when the package does not let the event loop turn', async () => {
    const { source, caps, notices, at } = await open();
    at(1_000);
    caps[0].packet(60, 1);
    expect(notices).toEqual([]);
    at(2_100);
    caps[0].packet(60, 2);
    expect(caps[0].isOpen).toBe(false);
    expect(notices.map(({ code }) => code)).toEqual(['cap-overrun']);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(caps[1].isOpen).toBe(true);
    caps[1].packet(60, 3);
    expect((await rest(source)).map(({ first }) => first)).toEqual([1, 2, 3]);
    expect(caps[1].isOpen).toBe(false);
  });
});

describe('a filter with cap', () => {
  const filter = (expression: string | null): LiveFilter => ({
    text: 'odd ones',
    expression,
    kernelProgram: () => null,
    accepts: (bytes, start) => bytes[start] % 2 === 1,
  });

  it('gives the expression to libpcap, and decides itself in any case', async () => {
    const { source, caps } = await open({ filter: filter('tcp port 80') });
    expect(caps[0].filter).toBe('tcp port 80');
    for (const fill of [1, 2, 3]) caps[0].packet(60, fill);
    expect((await rest(source)).map(({ first }) => first)).toEqual([1, 3]);
    expect(source.facts[0].packets).toBe(2);
  });

  it('does without libpcap where it cannot say the expression', async () => {
    FakeCap.refuse = (_, text) => (text === '' ? null : 'no VLAN support for Linux cooked v1');
    const { caps } = await open({ filter: filter('vlan'), interfaces: ['any'] }).finally(() => {
      FakeCap.refuse = () => null;
    });
    expect(caps[0].filter).toBe('');
  });
});

describe('what cap cannot do', () => {
  it('is told', async () => {
    const plain = (await open()).source.shortcomings.join('\n');
    expect(plain).toContain('time');
    expect(plain).toContain('drops');
    expect(plain).not.toContain('promiscuous');
    const { source } = await open({ interfaces: ['any'], promiscuous: false, fanoutGroup: 3 });
    expect(source.shortcomings.join('\n')).toMatch(/any apart[\s\S]*promiscuous[\s\S]*share/);
  });

  const failure = async (refuse: string): Promise<UserError> => {
    FakeCap.refuse = () => refuse;
    try {
      await open({ interfaces: ['eth7'] });
    } catch (error) {
      if (error instanceof UserError) return error;
    } finally {
      FakeCap.refuse = () => null;
    }
    throw new Error('it opened');
  };

  it('is an error that says what to do', async () => {
    const missing = await failure('eth7: No such device exists (SIOCGIFHWADDR: No such device)');
    expect(missing).toMatchObject({ code: 'no-such-interface', hint: 'there are eth0, any' });
    expect((await failure('socket: Operation not permitted')).code).toBe('no-capture-right');
    expect((await failure('out of luck')).message).toContain('out of luck');
  });

  it('is a link type that it does not name', async () => {
    FakeCap.linkType = 'Unknown linktype 9';
    await expect(open()).rejects.toMatchObject({ code: 'cap-refused' });
    FakeCap.linkType = 'ETHERNET';
  });

  it('is to work where it is not installed', async () => {
    const { loadCap } = await import('./cap-package.ts');
    await expect(loadCap()).rejects.toMatchObject({
      code: 'no-cap',
      hint: expect.stringContaining('npm install cap@0.2.1'),
    });
  });
});
