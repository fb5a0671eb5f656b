import { describe, expect, it } from 'vitest';
import {
  concat,
  ethernet,
  extension,
  type Ipv4Options,
  type Ipv6Options,
  ipv4,
  ipv6,
  ipv6Fragments,
  tcp,
  u8,
  u16,
  u32,
} from '../../../fixtures/build/packets.ts';
import { cutComplaints, DecoderFeed, decodeOne } from '../../../test/decoding.ts';

const PAYLOAD = 'GET / HTTP/1.1\r\n';
const segment = tcp({ from: 4000, to: 80, seq: 7, payload: PAYLOAD });
const ENDS4 = '10.0.0.1:4000 > 10.0.0.2:80';
const ENDS6 = '2001:db8::1:4000 > 2001:db8::2:80';
const GOOD4 = { reason: null, ends: ENDS4, payload: PAYLOAD, wireBytes: PAYLOAD.length };
const GOOD6 = { ...GOOD4, ends: ENDS6 };

const packet4 = (more: Partial<Ipv4Options> = {}): Uint8Array =>
  ethernet(ipv4({ from: '10.0.0.1', to: '10.0.0.2', payload: segment, ...more }));
const packet6 = (more: Partial<Ipv6Options> = {}): Uint8Array =>
  ethernet(ipv6({ from: '2001:db8::1', to: '2001:db8::2', payload: segment, ...more }));

/** The frame with other bytes at an offset of its IP header. */
function patched(frame: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  const copy = frame.slice();
  copy.set(bytes, 14 + at);
  return copy;
}

describe('IPv4', () => {
  it.each<[string, Uint8Array]>([
    ['plain', packet4()],
    ['with options', packet4({ options: u8(7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0) })],
    ['with 40 bytes of options', packet4({ options: new Uint8Array(40).fill(1) })],
    ['with link padding behind', concat(packet4(), new Uint8Array(30).fill(0x41))],
    ['with total length 0', packet4({ totalLengthZero: true })],
    ['with reserved flag and type of service', patched(patched(packet4(), 1, 0xff), 6, 0x80, 0)],
    ['not to be fragmented', packet4({ dontFragment: true })],
  ])('%s', (_name, frame) => {
    expect(decodeOne(frame)).toMatchObject(GOOD4);
    expect(cutComplaints(frame, Buffer.from(frame).indexOf(PAYLOAD), 1)).toEqual([]);
  });

  it.each<[string, Uint8Array, string]>([
    ['another version', patched(packet4(), 0, 0x65), 'malformed'],
    ['a header of 16 bytes', patched(packet4(), 0, 0x44), 'malformed'],
    ['a total length below the header', patched(packet4(), 2, 0, 19), 'malformed'],
    ['a header of 60 bytes in a shorter packet', patched(packet4(), 0, 0x4f), 'malformed'],
    ['no room for TCP', patched(packet4(), 2, 0, 39), 'malformed'],
    ['a TCP header of 16 bytes', patched(packet4(), 32, 0x40), 'malformed'],
    ['a TCP header longer than the packet', patched(packet4(), 32, 0xf0), 'malformed'],
  ])('is refused with %s', (_name, frame, reason) => {
    expect(decodeOne(frame).reason).toBe(reason);
  });

  it('a total length beyond the frame means that the rest was cut', () => {
    const whole = packet4();
    const decoded = decodeOne(whole.subarray(0, whole.length - 6), { originalBytes: whole.length });
    expect(decoded).toMatchObject({ reason: null, payload: PAYLOAD.slice(0, -6), wireBytes: PAYLOAD.length });
    // Also where the capture does not say so itself.
    const shorter = patched(whole, 2, 1, 0);
    expect(decodeOne(shorter).reason).toBeNull();
  });
});

describe('IPv6', () => {
  const jumbo = (bytes: number): Uint8Array => concat(u8(0xc2, 4), u32(bytes));
  it.each<[string, Uint8Array]>([
    ['plain', packet6()],
    ['with hop-by-hop options', packet6({ extensions: [extension(0)] })],
    ['with routing', packet6({ extensions: [extension(43)] })],
    ['with destination options of 22 bytes', packet6({ extensions: [extension(60, 22)] })],
    ['with three headers', packet6({ extensions: [extension(0), extension(43), extension(60, 14)] })],
    ['with link padding behind', concat(packet6(), new Uint8Array(30).fill(0x41))],
    ['with payload length 0', patched(packet6(), 4, 0, 0)],
    ['as a jumbogram', patched(packet6({ extensions: [{ protocol: 0, content: jumbo(8 + 20 + PAYLOAD.length) }] }), 4, 0, 0)],
    ['as an atomic fragment', packet6({ extensions: [{ protocol: 44, content: concat(u16(0), u32(7)) }] })],
    ['with authentication', ethernet(ipv6({ from: '2001:db8::1', to: '2001:db8::2', payload: { protocol: 51, bytes: concat(u8(6, 4), new Uint8Array(22), tcp({ from: 4000, to: 80, seq: 7, payload: PAYLOAD }).bytes), checksumAt: null } }))],
  ])('%s', (_name, frame) => {
    expect(decodeOne(frame)).toMatchObject(GOOD6);
    expect(cutComplaints(frame, Buffer.from(frame).indexOf(PAYLOAD), 1)).toEqual([]);
  }); // biome-ignore format: one table

  it.each<[string, Uint8Array, string]>([
    ['another version', patched(packet6(), 0, 0x40), 'malformed'],
    [
      'an extension header beyond the packet',
      patched(packet6({ extensions: [extension(60)] }), 41, 0xff),
      'truncated',
    ],
    ['no next header', patched(packet6(), 6, 59), 'other-transport'],
    [
      'seventeen extension headers',
      packet6({ extensions: Array.from({ length: 17 }, () => extension(60)) }),
      'malformed',
    ],
  ])('is refused with %s', (_name, frame, reason) => {
    expect(decodeOne(frame).reason).toBe(reason);
  });

  it('a fragment header behind others leads to reassembly', () => {
    const feed = new DecoderFeed();
    const pieces = ipv6Fragments(
      { from: '2001:db8::1', to: '2001:db8::2', payload: segment, extensions: [extension(60)] },
      16,
    ).map((network) => ethernet(network));
    const reasons = pieces.map((frame) => feed.decode(frame));
    expect(reasons.slice(0, -1).every(({ reason }) => reason === 'fragment')).toBe(true);
    expect(reasons.at(-1)).toMatchObject(GOOD6);
  });
});

describe('TCP', () => {
  const withOptions = tcp({
    from: 4000,
    to: 80,
    seq: 7,
    options: { mss: 1460, timestamps: { value: 1, echo: 2 } },
    payload: PAYLOAD,
  });
  const frame = ethernet(ipv4({ from: '10.0.0.1', to: '10.0.0.2', payload: withOptions }));

  it('with options cut off by the snaplen keeps its length on the wire', () => {
    const optionBytes = withOptions.bytes.length - 20 - PAYLOAD.length;
    for (let cut = 0; cut < optionBytes; cut += 1) {
      const decoded = decodeOne(frame.subarray(0, 14 + 20 + 20 + cut), { originalBytes: frame.length });
      expect(decoded).toMatchObject({ reason: null, ends: ENDS4, payload: '', wireBytes: PAYLOAD.length });
    }
  });

  it('checksums are checked only when asked for, and only where the whole segment is there', () => {
    const check = (bytes: Uint8Array, originalBytes = bytes.length): string | null =>
      new DecoderFeed({ checksums: true }).decode(bytes, { originalBytes }).reason;
    const damaged = frame.slice();
    damaged[damaged.length - 1] = (damaged[damaged.length - 1] as number) ^ 1;
    expect([check(frame), check(damaged), decodeOne(damaged).reason]).toEqual([null, 'bad-checksum', null]);
    expect(check(damaged.subarray(0, damaged.length - 4), damaged.length)).toBeNull();
    const six = packet6();
    expect(check(six)).toBeNull();
    six[six.length - 1] = (six[six.length - 1] as number) ^ 0x80;
    expect(check(six)).toBe('bad-checksum');
    // An odd number of bytes, and padding behind.
    const odd = ethernet(
      ipv4({ from: '10.0.0.1', to: '10.0.0.2', payload: tcp({ from: 1, to: 2, seq: 3, payload: 'odd' }) }),
    );
    expect(check(concat(odd, u8(9, 9, 9)))).toBeNull();
  });
});
