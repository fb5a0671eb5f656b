import { describe, expect, it } from 'vitest';
import { conversation, START_NS } from '../../fixtures/build/conversation.ts';
import { networkOf } from '../../fixtures/build/frames.ts';
import {
  bytesOf,
  concat,
  ETHERTYPE,
  ethernet,
  gre,
  internetChecksum,
  ipv4,
  ipv4Fragments,
  ipv6,
  PROTOCOL,
  type Transport,
  tcp,
  u8,
  u16,
  u32,
  udp,
} from '../../fixtures/build/packets.ts';
import { readBytes } from '../../test/capture-reading.ts';
import type { FedPacket } from '../../test/pipeline-run.ts';
import { captureOf, redactFiles } from '../../test/redact-run.ts';
import { AddressMap } from './addresses.ts';
import { RedactionKey } from './key.ts';

const ENDS = { from: '93.184.216.34', to: '198.18.7.9' };
const ENDS6 = { from: '2a00:1450:4001::5', to: '2606:4700::11' };
const KEY = 'test key';
const pseudonymOf = (address: string): string =>
  new AddressMap(new RedactionKey(Buffer.from(KEY))).text(address) as string;

async function copiesOf(frames: readonly (Uint8Array | FedPacket)[]): Promise<Uint8Array[]> {
  const packets = frames.map((one, index) => ({
    timeNs: START_NS + BigInt(index) * 1_000_000n,
    ...('frame' in one ? one : { frame: one }),
  }));
  const { bytes } = await redactFiles([captureOf(packets)], { key: KEY });
  return (await readBytes(bytes)).packets.map(({ frame }) => frame);
}

async function copyOf(frame: Uint8Array): Promise<Uint8Array> {
  return (await copiesOf([frame]))[0] as Uint8Array;
}

const IP = 14;
/** The addresses of an IP packet at `at`, as text. */
function addressesOf(frame: Uint8Array, at = IP): string[] {
  if ((frame[at] as number) >> 4 === 4) {
    return [12, 16].map((place) => frame.subarray(at + place, at + place + 4).join('.'));
  }
  return [8, 24].map((place) => {
    const groups = Array.from({ length: 8 }, (_, index) => {
      const byte = at + place + index * 2;
      return (((frame[byte] as number) << 8) | (frame[byte + 1] as number)).toString(16);
    });
    return groups.join(':');
  });
}

/** 0: the checksum of the transport header is right. Written after RFC 1071, without the redactor's code. */
function transportSum(frame: Uint8Array, protocol: number): number {
  const isVersion4 = (frame[IP] as number) >> 4 === 4;
  const start = IP + (isVersion4 ? 20 : 40);
  const addresses = isVersion4 ? frame.subarray(IP + 12, IP + 20) : frame.subarray(IP + 8, IP + 40);
  const segment = frame.subarray(start);
  return internetChecksum(addresses, u32(segment.length), u32(protocol), segment);
}

const ipSum = (frame: Uint8Array): number => internetChecksum(frame.subarray(IP, IP + 20));
const raw = (protocol: number, bytes: Uint8Array): Transport => ({ protocol, bytes, checksumAt: null });
function icmp(type: number, rest: Uint8Array): Transport {
  const bytes = concat(u8(type, 1, 0, 0), rest);
  bytes.set(u16(internetChecksum(bytes)), 2);
  return raw(PROTOCOL.icmp, bytes);
}

describe('checksums of a copy', () => {
  const segment = tcp({ from: 4000, to: 80, seq: 1, payload: 'GET /secret77 HTTP/1.1\r\nX-A: odd\r\n\r\n' });

  it('are right where they were right', async () => {
    const [four, six, datagram, odd] = (await copiesOf([
      ethernet(ipv4({ ...ENDS, payload: segment })),
      ethernet(ipv6({ ...ENDS6, payload: segment })),
      ethernet(ipv4({ ...ENDS, payload: udp({ from: 5, to: 6, payload: 'secret' }) })),
      ethernet(ipv6({ ...ENDS6, payload: udp({ from: 5, to: 6, payload: 'odd' }) })),
    ])) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    expect([ipSum(four), transportSum(four, PROTOCOL.tcp), transportSum(six, PROTOCOL.tcp)]).toEqual([
      0, 0, 0,
    ]);
    expect([transportSum(datagram, PROTOCOL.udp), transportSum(odd, PROTOCOL.udp)]).toEqual([0, 0]);
    expect(addressesOf(four)).toEqual([ENDS.from, ENDS.to].map(pseudonymOf));
    expect(addressesOf(four)).not.toEqual([ENDS.from, ENDS.to]);
  });

  it('are wrong where they were wrong, and do not tell what they were', async () => {
    const frame = ethernet(ipv4({ ...ENDS, payload: segment }));
    const at = IP + 20 + 16;
    const values = new Set<string>();
    for (const wrong of [1, 2, 0x1234]) {
      const changed = frame.slice();
      changed.set(u16((((frame[at] as number) << 8) | (frame[at + 1] as number)) ^ wrong), at);
      const copy = await copyOf(changed);
      expect(transportSum(copy, PROTOCOL.tcp)).not.toBe(0);
      values.add(Buffer.from(copy.subarray(at, at + 2)).toString('hex'));
    }
    expect(values.size).toBe(1);
  });

  it('left unfinished by offloading are unfinished again', async () => {
    const pseudo = (frame: Uint8Array): number =>
      internetChecksum(frame.subarray(IP + 12, IP + 20), u32(frame.length - IP - 20), u32(6)) ^ 0xffff;
    const frame = ethernet(ipv4({ ...ENDS, payload: segment }));
    frame.set(u16(pseudo(frame)), IP + 36);
    const copy = await copyOf(frame);
    expect(((copy[IP + 36] as number) << 8) | (copy[IP + 37] as number)).toBe(pseudo(copy));
  });

  it('of UDP that were left out stay out', async () => {
    const copy = await copyOf(
      ethernet(ipv4({ ...ENDS, payload: udp({ from: 5, to: 6, payload: 'x', noChecksum: true }) })),
    );
    expect([...copy.subarray(IP + 26, IP + 28)]).toEqual([0, 0]);
  });

  it('of ICMP and GRE are mended too, and of packets in packets', async () => {
    const inner = ipv4({ ...ENDS, payload: segment });
    const [ping, tunnel] = (await copiesOf([
      ethernet(ipv4({ ...ENDS, payload: icmp(8, concat(u16(1), u16(2), bytesOf('secret ping'))) })),
      ethernet(ipv4({ from: '192.0.2.1', to: '192.0.2.2', payload: gre(inner, { checksum: true }) })),
    ])) as [Uint8Array, Uint8Array];
    expect(internetChecksum(ping.subarray(IP + 20))).toBe(0);
    expect(internetChecksum(tunnel.subarray(IP + 20))).toBe(0);
    const nested = concat(tunnel.subarray(0, IP), tunnel.subarray(IP + 28));
    expect([ipSum(nested), transportSum(nested, PROTOCOL.tcp)]).toEqual([0, 0]);
  });

  it('of a cut packet are those of the whole one', async () => {
    const script = conversation({ client: { address: ENDS.from, port: 4000 } })
      .handshake()
      .fromClient('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\nsome body of thirty characters');
    const [whole] = script.segments.slice(-1).map((one) => ethernet(networkOf(one)));
    const opening = script.segments.slice(0, -1).map((one) => ethernet(networkOf(one)));
    const frame = whole as Uint8Array;
    const cut = { frame: frame.subarray(0, 90), originalBytes: frame.length, timeNs: START_NS + 99_000_000n };
    const copies = await copiesOf([...opening, frame, cut]);
    const [first, second] = copies.slice(-2) as [Uint8Array, Uint8Array];
    expect(Buffer.from(second).toString('hex')).toBe(Buffer.from(first.subarray(0, 90)).toString('hex'));
  });

  it('of a datagram in fragments are right when it is put together', async () => {
    const payload = tcp({
      from: 4000,
      to: 80,
      seq: 1,
      payload: 'GET /secret77 HTTP/1.1\r\nHost: b.example\r\n\r\n',
    });
    const copies = await copiesOf(ipv4Fragments({ ...ENDS, payload, id: 7 }, 16).map((one) => ethernet(one)));
    const whole = concat(...copies.map((one) => one.subarray(IP + 20)));
    const [first] = copies as [Uint8Array];
    expect(internetChecksum(first.subarray(IP + 12, IP + 20), u32(whole.length), u32(6), whole)).toBe(0);
    expect(Buffer.from(whole).includes('HTTP/1.1\r\nHost: ')).toBe(true);
    expect(Buffer.from(whole).includes('secret77')).toBe(false);
  });
});

describe('addresses in a copy', () => {
  it('are the same in ARP, in what ICMP quotes and in the packets themselves', async () => {
    const quoted = ipv4({ ...ENDS, payload: tcp({ from: 1, to: 2, seq: 3, payload: 'secret' }) }).bytes;
    const arp = concat(
      u8(0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9),
      Uint8Array.from(ENDS.from.split('.'), Number),
      new Uint8Array(6),
      Uint8Array.from(ENDS.to.split('.'), Number),
    );
    const [error, request] = (await copiesOf([
      ethernet(ipv4({ from: ENDS.to, to: ENDS.from, payload: icmp(3, concat(u32(0), quoted)) })),
      ethernet({ etherType: ETHERTYPE.arp, bytes: arp }),
    ])) as [Uint8Array, Uint8Array];
    const expected = [ENDS.from, ENDS.to].map(pseudonymOf);
    expect(addressesOf(error)).toEqual([...expected].reverse());
    expect(addressesOf(error, IP + 28)).toEqual(expected);
    expect([...error.subarray(IP + 28 + 20, IP + 28 + 24)]).toEqual([0, 1, 0, 2]);
    expect(request.subarray(IP + 14, IP + 18).join('.')).toBe(expected[0]);
    expect(request.subarray(IP + 24, IP + 28).join('.')).toBe(expected[1]);
    expect([...request.subarray(IP + 8, IP + 14)]).not.toEqual([2, 0, 0, 0, 0, 9]);
  });

  it('in IPv6 packets are those of the text form', async () => {
    const copy = await copyOf(ethernet(ipv6({ ...ENDS6, payload: tcp({ from: 1, to: 2, seq: 3 }) })));
    const long = (text: string): string[] =>
      addressesOf(ethernet(ipv6({ from: text, to: text, payload: tcp({ from: 1, to: 2, seq: 3 }) })));
    expect(addressesOf(copy)).toEqual([long(pseudonymOf(ENDS6.from))[0], long(pseudonymOf(ENDS6.to))[0]]);
  });

  it('in options of IP and of neighbour discovery do not stay', async () => {
    const recorded = concat(u8(7, 11, 12), Uint8Array.from(ENDS.from.split('.'), Number), u8(0, 0, 0, 0, 0));
    const copy = await copyOf(
      ethernet(ipv4({ ...ENDS, payload: tcp({ from: 1, to: 2, seq: 3 }), options: recorded })),
    );
    expect([...copy.subarray(IP + 20, IP + 32)]).toEqual([7, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
