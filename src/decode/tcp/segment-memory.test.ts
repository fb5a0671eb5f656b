import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ip } from '../../../fixtures/build/ip.ts';
import { ethernet } from '../../../fixtures/build/link.ts';
import { type TcpFlag, tcp } from '../../../fixtures/build/transport.ts';
import { DecoderFeed } from '../../../test/decoding.ts';
import { fuzzRuns } from '../../../test/pipeline-run.ts';
import type { Frame } from '../frame.ts';
import { SegmentMemory } from './segment-memory.ts';
import type { TcpConnection } from './tcp-connection.ts';

const SLOTS = 4;
const WITHIN_MS = 50;
const WITHIN_NS = 50_000_000;

interface Sent {
  from: string;
  fromPort: number;
  id: number;
  seq: number;
  ack: number;
  flags: readonly TcpFlag[];
  window: number;
  mss: number;
  scale: number;
  /** Time stamps; null: none. */
  stamps: { value: number; echo: number } | null;
  payload: string;
  timeNs: number;
  /** Bytes at the end of the frame that the snaplen cut. */
  cutBytes: number;
}

const SYN: Sent = {
  from: '10.0.0.1',
  fromPort: 40_000,
  id: 7,
  seq: 0xfffffff0,
  ack: 0,
  flags: ['syn'],
  window: 64_240,
  mss: 1460,
  scale: 7,
  stamps: { value: 0x90000001, echo: 0 },
  payload: '',
  timeNs: 1e9,
  cutBytes: 0,
};
const BARE_SYN: Sent = { ...SYN, stamps: null };
const DATA: Sent = {
  ...SYN,
  ack: 0x80000005,
  flags: ['ack', 'psh'],
  stamps: { value: 12, echo: 0xffffffff },
  payload: 'hello',
};

const feed = new DecoderFeed();

/** The frame of the segment; valid until the next one. */
function frameOf(sent: Sent): Frame {
  const options = {
    mss: sent.mss,
    windowScale: sent.scale,
    ...(sent.stamps === null ? {} : { timestamps: sent.stamps }),
  };
  const { seq, ack, flags, window, payload } = sent;
  const segment = tcp({ from: sent.fromPort, to: 80, seq, ack, flags, window, options, payload });
  const bytes = ethernet(ip({ from: sent.from, to: '10.9.9.9', payload: segment, id: sent.id }));
  const { reason } = feed.decode(bytes.subarray(0, bytes.length - sent.cutBytes), {
    timeNs: sent.timeNs,
    originalBytes: bytes.length,
  });
  expect(reason).toBeNull();
  return feed.decoder.frame;
}

/** All that a memory looks at in a connection. */
function connection(): TcpConnection {
  return { finished: false } as unknown as TcpConnection;
}

function remembering(sent: Sent): { memory: SegmentMemory; owner: TcpConnection } {
  const memory = new SegmentMemory(SLOTS, WITHIN_MS);
  const owner = connection();
  memory.put(1, frameOf(sent), owner, true);
  return { memory, owner };
}

describe('a SYN seen again', () => {
  it.each<[string, Partial<Sent>]>([
    ['as it was', {}],
    ['on another address and port', { from: '192.0.2.77', fromPort: 61_000, id: 0 }],
    ['with the MSS of a router', { mss: 1380 }],
    ['at the end of the time', { timeNs: SYN.timeNs + WITHIN_NS }],
    ['by a clock that is behind', { timeNs: SYN.timeNs - WITHIN_NS }],
  ])('is recognised %s', (_name, change) => {
    const { memory, owner } = remembering(SYN);
    expect(memory.syn(1, frameOf({ ...SYN, ...change }))).toEqual({ connection: owner, sentByA: true });
  });

  it.each<[string, Partial<Sent>]>([
    ['sequence number', { seq: SYN.seq + 1 }],
    ['time stamp', { stamps: { value: 0x10000001, echo: 0 } }],
    ['window', { window: 64_241 }],
    ['option', { scale: 8 }],
    ['flag', { flags: ['syn', 'ece'] }],
    ['lack of time stamps', { stamps: null }],
    ['time, which is later', { timeNs: SYN.timeNs + WITHIN_NS + 1 }],
    ['time, which is earlier', { timeNs: SYN.timeNs - WITHIN_NS - 1 }],
  ])('is another one by its %s', (_name, change) => {
    const { memory } = remembering(SYN);
    expect(memory.syn(1, frameOf({ ...SYN, ...change }))).toBeNull();
  });

  it.each<[string, Partial<Sent>, boolean]>([
    ['is recognised on another address', { from: '192.0.2.77' }, true],
    ['is another one on another port', { fromPort: 40_001 }, false],
    ['is another one with another identification', { id: 8 }, false],
    ['is another one with time stamps', { stamps: { value: 0, echo: 0 } }, false],
  ])('without time stamps %s', (_name, change, isOne) => {
    const { memory } = remembering(BARE_SYN);
    expect(memory.syn(1, frameOf({ ...BARE_SYN, ...change })) !== null).toBe(isOne);
  });

  it('is not recognised by an identification that says nothing', () => {
    const { memory } = remembering({ ...BARE_SYN, id: 0 });
    expect(memory.syn(1, frameOf({ ...BARE_SYN, id: 0 }))).toBeNull();
  });
});

describe('a segment in mid-stream seen again', () => {
  it.each<[string, Partial<Sent>, boolean]>([
    ['is recognised on another address and port', { from: '192.0.2.77', fromPort: 61_000 }, true],
    ['is recognised when the snaplen cut it', { cutBytes: 3 }, true],
    ['is another one by what it acknowledges', { ack: DATA.ack + 1 }, false],
    ['is another one by the echoed time stamp', { stamps: { value: 12, echo: 0xfffffffe } }, false],
    ['is another one by its time stamp', { stamps: { value: 13, echo: 0xffffffff } }, false],
    ['is another one by its length', { payload: 'hello!' }, false],
    ['is another one by its sequence number', { seq: DATA.seq - 1 }, false],
  ])('%s', (_name, change, isOne) => {
    const { memory } = remembering(DATA);
    expect(memory.segment(1, frameOf({ ...DATA, ...change })) !== null).toBe(isOne);
  });
});

describe('a remembered segment', () => {
  it('gives way to the next one in its slot, and to none in another', () => {
    const { memory, owner } = remembering(SYN);
    const beside = connection();
    memory.put(0, frameOf({ ...SYN, seq: 1 }), beside, false);
    memory.put(2, frameOf({ ...SYN, seq: 2 }), beside, false);
    expect(memory.syn(1, frameOf(SYN))?.connection).toBe(owner);
    const newcomer = connection();
    const other = { ...SYN, stamps: { value: SYN.stamps?.value ?? 0, echo: 5 } };
    memory.put(1, frameOf({ ...other, seq: 3 }), newcomer, false);
    expect(memory.syn(1, frameOf(SYN))).toBeNull();
    const found = memory.syn(1, frameOf({ ...other, seq: 3 }));
    expect(found?.connection).toBe(newcomer);
    expect(found?.sentByA).toBe(false);
  });

  it('is forgotten by its own connection only, and not given out once that is over', () => {
    const { memory, owner } = remembering(SYN);
    memory.forget(1, connection());
    memory.forget(0, owner);
    expect(memory.syn(1, frameOf(SYN))).not.toBeNull();
    memory.forget(1, owner);
    expect(memory.syn(1, frameOf(SYN))).toBeNull();

    const ended = remembering(SYN);
    Object.assign(ended.owner, { finished: true });
    expect(ended.memory.syn(1, frameOf(SYN))).toBeNull();
  });

  const word = fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff);
  const sent: fc.Arbitrary<Sent> = fc.record({
    from: fc.constantFrom('10.0.0.1', '192.0.2.77'),
    fromPort: fc.constantFrom(40_000, 61_000),
    id: fc.constantFrom(0, 1),
    seq: word,
    ack: fc.constantFrom(0, 0xffffffff),
    flags: fc.constantFrom<readonly TcpFlag[]>(['syn'], ['ack']),
    window: fc.constantFrom(0, 65_535),
    mss: fc.constantFrom(536, 1460),
    scale: fc.constantFrom(0, 7),
    stamps: fc.option(fc.record({ value: fc.constantFrom(0, 0xffffffff), echo: fc.constantFrom(0, 1) })),
    payload: fc.constantFrom('', 'ab'),
    timeNs: fc.constantFrom(1e9, 1e9 + WITHIN_NS, 1e9 + WITHIN_NS + 1),
    cutBytes: fc.constant(0),
  });

  /** What must be the same, in words that a person can check. */
  function isSame(one: Sent, other: Sent, isSyn: boolean): boolean {
    const common = ({ seq, flags, window, stamps }: Sent): string =>
      JSON.stringify([seq, flags, window, stamps?.value ?? null]);
    if (common(one) !== common(other) || Math.abs(one.timeNs - other.timeNs) > WITHIN_NS) return false;
    if (!isSyn) {
      const { ack, stamps, payload } = one;
      return ack === other.ack && stamps?.echo === other.stamps?.echo && payload === other.payload;
    }
    if (one.scale !== other.scale) return false;
    return one.stamps !== null || (one.fromPort === other.fromPort && one.id === other.id && one.id !== 0);
  }

  it('is found as in a plain list of what was remembered', () => {
    const slot = fc.nat({ max: SLOTS - 1 });
    const step = fc.record({
      what: fc.constantFrom('put', 'put', 'forget'),
      slot,
      sent,
      sentByA: fc.boolean(),
    });
    // What is asked for is near to what was put: that itself, with one thing of another segment.
    const asked = fc.record({
      nth: fc.nat(),
      other: sent,
      key: fc.constantFrom(...(Object.keys(SYN) as (keyof Sent)[])),
    });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.array(asked, { maxLength: 8 }),
        (steps, asks) => {
          const memory = new SegmentMemory(SLOTS, WITHIN_MS);
          const held = new Map<number, { sent: Sent; owner: TcpConnection; sentByA: boolean }>();
          for (const one of steps) {
            const before = held.get(one.slot);
            if (one.what === 'put') {
              const owner = connection();
              memory.put(one.slot, frameOf(one.sent), owner, one.sentByA);
              held.set(one.slot, { sent: one.sent, owner, sentByA: one.sentByA });
            } else if (before !== undefined) {
              memory.forget(one.slot, before.owner);
              held.delete(one.slot);
            }
          }
          for (const { nth, other, key } of asks) {
            const base = steps[nth % steps.length] as (typeof steps)[number];
            const wanted: Sent = { ...base.sent, [key]: other[key] };
            const there = held.get(base.slot);
            for (const isSyn of [true, false]) {
              const frame = frameOf(wanted);
              const found = isSyn ? memory.syn(base.slot, frame) : memory.segment(base.slot, frame);
              const isOne = there !== undefined && isSame(there.sent, wanted, isSyn);
              expect(found !== null).toBe(isOne);
              if (found === null) continue;
              expect(found.connection).toBe(there?.owner);
              expect(found.sentByA).toBe(there?.sentByA);
            }
          }
        },
      ),
      { numRuns: fuzzRuns(300) },
    );
  });
});
