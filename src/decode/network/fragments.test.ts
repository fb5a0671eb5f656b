import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ethernet, ipv4Fragments, ipv6Fragments, tcp } from '../../../fixtures/build/packets.ts';
import { type Random, seededRandom } from '../../../fixtures/build/transform.ts';
import { type Decoded, DecoderFeed } from '../../../test/decoding.ts';
import { fuzzRuns } from '../../../test/pipeline-run.ts';
import type { Limits } from '../../model/limits.ts';

const PAYLOAD = 'GET /fragmented HTTP/1.1\r\nHost: fragments.test\r\n\r\n';
const segment = tcp({ from: 4000, to: 80, seq: 7, payload: PAYLOAD });

function pieces(version: 4 | 6, bytes = 16, id = 9): Uint8Array[] {
  const four = { from: '10.0.0.1', to: '10.0.0.2', payload: segment, id };
  const six = { from: '2001:db8::1', to: '2001:db8::2', payload: segment };
  return (version === 4 ? ipv4Fragments(four, bytes) : ipv6Fragments(six, bytes, id)).map((one) =>
    ethernet(one),
  );
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function feedAll(
  frames: readonly Uint8Array[],
  limits: Partial<Limits> = {},
): { decoded: Decoded[]; feed: DecoderFeed } {
  const feed = new DecoderFeed({ limits });
  return { decoded: frames.map((frame, index) => feed.decode(frame, { timeNs: index * 1_000_000 })), feed };
}

describe.each([4, 6] as const)('fragments of IPv%d', (version) => {
  it('give the datagram in any order, with the last one that comes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(8, 16, 24, 40, 64), (seed, bytes) => {
        const { decoded } = feedAll(shuffled(pieces(version, bytes), seededRandom(seed)));
        expect(decoded.slice(0, -1).every(({ reason }) => reason === 'fragment')).toBe(true);
        expect(decoded.at(-1)).toMatchObject({ reason: null, payload: PAYLOAD, wireBytes: PAYLOAD.length });
      }),
      { numRuns: fuzzRuns(100) },
    );
  });

  it('of several datagrams do not mix', () => {
    const mixed = shuffled([...pieces(version, 16, 1), ...pieces(version, 16, 2)], seededRandom(3));
    const { decoded } = feedAll(mixed);
    expect(decoded.filter(({ reason }) => reason === null).map(({ payload }) => payload)).toEqual([
      PAYLOAD,
      PAYLOAD,
    ]);
  });

  it('that come twice do no harm', () => {
    const twice = pieces(version).flatMap((frame) => [frame, frame]);
    const { decoded } = feedAll(twice.slice(0, -1));
    expect(decoded.at(-1)).toMatchObject({ reason: null, payload: PAYLOAD });
  });

  it('with one missing give nothing, and are counted when given up', () => {
    const all = pieces(version);
    for (let missing = 0; missing < all.length; missing += 1) {
      const { decoded, feed } = feedAll(all.filter((_, index) => index !== missing));
      expect(decoded.every(({ reason }) => reason === 'fragment')).toBe(true);
      feed.decoder.fragments.clear();
      expect(feed.decoder.fragments.takeGivenUp()).toEqual({ datagrams: 1, packets: all.length - 1 });
      expect(feed.decoder.fragments.takeGivenUp()).toEqual({ datagrams: 0, packets: 0 });
    }
  });

  it('one of which the snaplen cut: the bytes before are there, the length is right', () => {
    const all = pieces(version, 32);
    const feed = new DecoderFeed();
    const decoded = all.map((frame, index) => {
      const cut = index === 1 ? 10 : 0;
      return feed.decode(frame.subarray(0, frame.length - cut), { originalBytes: frame.length });
    });
    expect(decoded.at(-1)).toMatchObject({ reason: null, wireBytes: PAYLOAD.length });
    expect(decoded.at(-1)?.payload).toBe(PAYLOAD.slice(0, 64 - 20 - 10));
  });

  it('too late are given up by time, oldest first', () => {
    const [first, ...rest] = pieces(version) as [Uint8Array, ...Uint8Array[]];
    const feed = new DecoderFeed({ limits: { fragmentTimeoutMs: 1000 } });
    feed.decode(first, { timeNs: 0 });
    const decoded = rest.map((frame) => feed.decode(frame, { timeNs: 1_000_000_001 }));
    expect(decoded.every(({ reason }) => reason === 'fragment')).toBe(true);
    expect(feed.decoder.fragments.takeGivenUp()).toEqual({ datagrams: 1, packets: 1 });
  });
});

describe('overlapping fragments', () => {
  it('the first one seen wins, whatever comes later', () => {
    const other = tcp({ from: 4000, to: 80, seq: 7, payload: PAYLOAD.toLowerCase() });
    const four = { from: '10.0.0.1', to: '10.0.0.2', id: 9 };
    const good = ipv4Fragments({ ...four, payload: segment }, 16).map((one) => ethernet(one));
    const evil = ipv4Fragments({ ...four, payload: other }, 32).map((one) => ethernet(one));
    // Good pieces but the last one, then larger ones with other bytes, then the end.
    const { decoded } = feedAll([
      ...good.slice(0, 3),
      evil[0] as Uint8Array,
      evil[1] as Uint8Array,
      ...good.slice(3),
    ]);
    const whole = decoded.find(({ reason }) => reason === null);
    expect(whole?.payload.slice(0, 28)).toBe(PAYLOAD.slice(0, 28));
    expect(whole?.payload.length).toBe(PAYLOAD.length);
  });

  it('a second last fragment does not change the length', () => {
    const all = pieces(4);
    const last = all.at(-1) as Uint8Array;
    const longer = ethernet(
      ipv4Fragments(
        {
          from: '10.0.0.1',
          to: '10.0.0.2',
          id: 9,
          payload: tcp({ from: 4000, to: 80, seq: 7, payload: `${PAYLOAD}and more` }),
        },
        16,
      ).at(-1) as never,
    );
    const { decoded } = feedAll([last, longer, ...all.slice(0, -1)]);
    expect(decoded.find(({ reason }) => reason === null)?.payload).toBe(PAYLOAD);
  });
});
