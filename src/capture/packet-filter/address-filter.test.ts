import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as build from '../../../fixtures/build/packets.ts';
import { recordedProgram } from './address-filter.ts';
import { parseHost, parseNet } from './addresses.ts';
import { programFault } from './bpf-check.ts';
import { testOf } from './bpf-function.ts';
import type { PacketTest } from './bpf-interpreter.ts';

interface Wishes {
  readonly ports?: readonly number[];
  readonly hosts?: readonly string[];
  readonly nets?: readonly string[];
}

function takes(linkType: number, frame: Uint8Array, { ports = [], hosts = [], nets = [] }: Wishes): boolean {
  const key = JSON.stringify([linkType, ports, hosts, nets]);
  let test = tests.get(key);
  if (test === undefined) {
    const wishes = { ports, hosts: hosts.map(parseHost), nets: nets.map(parseNet) };
    const program = recordedProgram(linkType, wishes);
    expect(programFault(program, 4096)).toBeNull();
    test = testOf(program);
    tests.set(key, test);
  }
  return test(frame, 0, frame.length, frame.length) > 0;
}

const tests = new Map<string, PacketTest>();

const { concat, ethernet, ip, ipv4, ipv6, tcp, u16, u32, u8, udp } = build;
const segment = (from: number, to: number) => tcp({ from, to, seq: 1, payload: 'x' });
const packet4 = ip({ from: '10.0.0.1', to: '10.0.0.2', payload: segment(4000, 80) });
const packet6 = ip({ from: '2001:db8::1', to: '2001:db8::2', payload: segment(4000, 80) });
const wifi = (frameControl: number, header: number, network: build.Network) =>
  concat(
    u16(frameControl),
    new Uint8Array(header - 2),
    u8(0xaa, 0xaa, 3, 0, 0, 0),
    u16(network.etherType),
    network.bytes,
  );
const radiotap = (rest: Uint8Array) => concat(u8(0, 0, 12, 0), new Uint8Array(8), rest);

/** One packet in every link type that is read (link-types.ts). */
const FRAMES: readonly (readonly [name: string, linkType: number, frame: (network: build.Network) => Uint8Array])[] = [
  ['Ethernet', 1, (network) => ethernet(network)],
  ['Ethernet with a tag', 1, (network) => ethernet(network, { vlans: [7] })],
  ['Ethernet with four tags', 1, (network) => ethernet(network, { vlans: [7, 8, 9, 10] })],
  ['802.3 with SNAP', 1, ({ etherType, bytes }) => concat(new Uint8Array(12), u16(8 + bytes.length), u8(0xaa, 0xaa, 3, 0, 0, 0), u16(etherType), bytes)],
  ['SLL', 113, (network) => build.sll(network)],
  ['SLL2', 276, (network) => build.sll2(network)],
  ['SLL2 with a tag', 276, ({ etherType, bytes }) => build.sll2({ etherType: 0x8100, bytes: concat(u16(5), u16(etherType), bytes) })],
  ['raw IP', 101, build.rawIp],
  ['raw IP, old', 12, build.rawIp],
  ['NULL', 0, (network) => build.nullLoopback(network)],
  ['NULL, big-endian', 0, (network) => build.nullLoopback(network, 'big')],
  ['LOOP', 108, build.openBsdLoopback],
  ['PPP', 9, (network) => build.ppp(network)],
  ['PPP without address', 9, (network) => build.ppp(network, { addressAndControl: false })],
  ['PPP, short protocol', 9, ({ etherType, bytes }) => concat(u8(0xff, 3, etherType === 0x800 ? 0x21 : 0x57), bytes)],
  ['PPP in HDLC', 50, (network) => build.ppp(network)],
  ['Cisco HDLC', 104, ({ etherType, bytes }) => concat(u16(0x0f00), u16(etherType), bytes)],
  ['PPPoE', 51, (network) => build.pppoe(network).bytes],
  ['MPLS', 219, (network) => build.mpls(network, [3, 4, 5]).bytes],
  ['Frame Relay', 107, ({ etherType, bytes }) => concat(u8(0x18, 0x41, 3, etherType === 0x800 ? 0xcc : 0x8e), bytes)],
  ['Frame Relay with SNAP', 107, ({ etherType, bytes }) => concat(u8(0x18, 0x41, 3, 0, 0x80, 0, 0, 0), u16(etherType), bytes)],
  ["Frame Relay, Cisco's", 107, ({ etherType, bytes }) => concat(u8(0x18, 0x41), u16(etherType), bytes)],
  ['802.11', 105, (network) => wifi(0x0801, 24, network)],
  ['802.11 with QoS', 105, (network) => wifi(0x8801, 26, network)],
  ['802.11 with QoS and HT control', 105, (network) => wifi(0x8881, 30, network)],
  ['802.11 with four addresses', 105, (network) => wifi(0x0803, 30, network)],
  ['radiotap', 127, (network) => radiotap(wifi(0x0801, 24, network))],
  ['Prism', 119, (network) => concat(new Uint8Array(144), wifi(0x0801, 24, network))],
  ['AVS', 163, (network) => concat(u32(0), u32(64), new Uint8Array(56), wifi(0x0801, 24, network))],
  ['PPI', 192, (network) => concat(u8(0, 0, 8, 0, 105, 0, 0, 0), wifi(0x0801, 24, network))],
  ['PFLOG', 117, ({ bytes }) => concat(u8(61, 2), new Uint8Array(62), bytes)],
  ['NFLOG', 239, ({ bytes }) => concat(u8(2, 0, 0, 0), u8(7, 0, 1, 0, 1, 2, 3, 0), u8(bytes.length + 4, 0, 9, 0), bytes)],
]; // biome-ignore format: one table

describe.each(FRAMES)('a packet in %s', (_name, linkType, frame) => {
  it.each([
    ['IPv4', packet4, '10.0.0.1', '10.0.0.9', '10.0.0.0/30', '10.1'],
    ['IPv6', packet6, '2001:db8::2', '2001:db8::9', '2001:db8::/126', '2001:db9::/32'],
  ] as const)(
    'is found by its addresses and ports: %s',
    (_version, network, host, otherHost, net, otherNet) => {
      const bytes = frame(network);
      expect(takes(linkType, bytes, { hosts: [host] })).toBe(true);
      expect(takes(linkType, bytes, { hosts: [otherHost] })).toBe(false);
      expect(takes(linkType, bytes, { hosts: [otherHost, host] })).toBe(true);
      expect(takes(linkType, bytes, { nets: [net] })).toBe(true);
      expect(takes(linkType, bytes, { nets: [otherNet] })).toBe(false);
      expect(takes(linkType, bytes, { ports: [80] })).toBe(true);
      expect(takes(linkType, bytes, { ports: [81, 4000] })).toBe(true);
      expect(takes(linkType, bytes, { ports: [81] })).toBe(false);
      expect(takes(linkType, bytes, { ports: [80], hosts: [host], nets: [net] })).toBe(true);
      expect(takes(linkType, bytes, { ports: [80], hosts: [host], nets: [otherNet] })).toBe(false);
      expect(takes(linkType, bytes, { ports: [81], hosts: [host] })).toBe(false);
      // Cut in the middle of the addresses.
      expect(takes(linkType, bytes.subarray(0, bytes.length - 30), { hosts: [otherHost] })).toBe(false);
    },
  );
});

describe('ports', () => {
  const takesPort80 = (payload: build.Transport) =>
    takes(1, ethernet(ipv4({ from: '10.0.0.1', to: '10.0.0.2', payload })), { ports: [80] });

  it('are those of TCP, UDP and SCTP', () => {
    expect(takesPort80(udp({ from: 80, to: 9, payload: '' }))).toBe(true);
    expect(takesPort80(udp({ from: 8, to: 9, payload: '' }))).toBe(false);
    expect(takesPort80({ protocol: 132, bytes: concat(u16(80), u16(9), u32(0)), checksumAt: null })).toBe(
      true,
    );
    expect(takesPort80({ protocol: 1, bytes: concat(u16(80), u16(80), u32(0)), checksumAt: null })).toBe(
      false,
    );
  });

  it('stand behind IPv4 options', () => {
    const options = new Uint8Array(12);
    const network = ipv4({ from: '10.0.0.1', to: '10.0.0.2', payload: segment(1, 80), options });
    expect(takes(1, ethernet(network), { ports: [80] })).toBe(true);
    expect(takes(1, ethernet(network), { ports: [0] })).toBe(false);
  });

  it('stand behind IPv6 extension headers', () => {
    const extensions = [build.extension(0), build.extension(43, 22), build.extension(60, 14)];
    const network = ipv6({ from: '::1', to: '::2', payload: segment(1, 80), extensions });
    expect(takes(101, network.bytes, { ports: [80] })).toBe(true);
    expect(takes(101, network.bytes, { ports: [81] })).toBe(false);
  });

  it('are not waited for behind very many extension headers: these packets pass', () => {
    const extensions = Array.from({ length: 9 }, () => build.extension(60));
    const network = ipv6({ from: '::1', to: '::2', payload: segment(1, 80), extensions });
    expect(takes(101, network.bytes, { ports: [81] })).toBe(true);
    expect(takes(101, network.bytes, { ports: [81], hosts: ['::3'] })).toBe(false);
  });

  it('are only in the first fragment; the later ones pass, unless the address is another one', () => {
    const long = tcp({ from: 1, to: 80, seq: 1, payload: 'x'.repeat(100) });
    for (const fragments of [
      build.ipv4Fragments({ from: '10.0.0.1', to: '10.0.0.2', payload: long }, 48),
      build.ipv6Fragments({ from: '2001:db8::1', to: '2001:db8::2', payload: long }, 48),
    ]) {
      const frames = fragments.map((one) => ethernet(one));
      const [hosts, others] = [['10.0.0.1', '2001:db8::1'], ['10.0.0.9']];
      expect(frames.map((one) => takes(1, one, { ports: [80] }))).toEqual([true, true, true]);
      expect(frames.map((one) => takes(1, one, { ports: [81] }))).toEqual([false, true, true]);
      expect(frames.map((one) => takes(1, one, { ports: [81], hosts }))).toEqual([false, true, true]);
      expect(frames.map((one) => takes(1, one, { ports: [80], hosts: others }))).toEqual([
        false,
        false,
        false,
      ]);
    }
  });

  it('may be in packets that are wrapped: these pass', () => {
    const inner = ipv4({ from: '10.9.0.1', to: '10.9.0.2', payload: segment(1, 80) });
    const wrapped = [
      build.vxlan(ethernet(inner), 1), build.geneve(inner, 1), build.gre(inner), build.gtpU(inner, 1), build.ipInIp(inner), build.teredo(packet6),
    ]; // biome-ignore format: one list
    for (const payload of wrapped) {
      const frame = ethernet(ipv4({ from: '10.0.0.1', to: '10.0.0.2', payload }));
      expect(takes(1, frame, { ports: [12_345] })).toBe(true);
      expect(takes(1, frame, { ports: [12_345], hosts: ['10.0.0.1'] })).toBe(true);
      // Addresses are those of the outermost header.
      expect(takes(1, frame, { ports: [80], hosts: ['10.9.0.1'] })).toBe(false);
    }
    for (const network of [build.mpls(inner, [1]), build.pppoe(inner)]) {
      expect(takes(1, ethernet(network), { ports: [12_345] })).toBe(true);
      expect(takes(1, ethernet(network), { hosts: ['10.9.0.1'] })).toBe(false);
    }
  });
});

describe('whatever is asked', () => {
  it('leaves out what is no IP, and link types that are not known', () => {
    const arp = ethernet({ etherType: 0x0806, bytes: new Uint8Array(28) });
    expect(takes(1, arp, { ports: [0] })).toBe(false);
    expect(takes(1, arp, { nets: ['0.0.0.0/0'] })).toBe(false);
    expect(takes(9999, ethernet(packet4), { ports: [80] })).toBe(false);
  });

  it('is answered as by a test that looks at text', () => {
    const address = fc.tuple(fc.nat(3), fc.nat(3)).map(([a, b]) => `10.0.${a}.${b}`);
    const port = fc.integer({ min: 1, max: 6 });
    const few = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 3 });
    const sample = fc.record({ from: address, to: address, fromPort: port, toPort: port });
    fc.assert(
      fc.property(sample, few(address), few(fc.nat(3)), few(port), (one, hosts, thirds, ports) => {
        const network = ipv4({ from: one.from, to: one.to, payload: segment(one.fromPort, one.toPort) });
        const nets = thirds.map((third) => `10.0.${third}.0/24`);
        const ends = [one.from, one.to];
        const expected =
          (hosts.length === 0 || hosts.some((host) => ends.includes(host))) &&
          (thirds.length === 0 ||
            thirds.some((third) => ends.some((end) => end.startsWith(`10.0.${third}.`)))) &&
          (ports.length === 0 || ports.includes(one.fromPort) || ports.includes(one.toPort));
        expect(takes(1, ethernet(network), { hosts, nets, ports })).toBe(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('never fails on noise', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.constantFrom(...FRAMES.map(([, type]) => type)),
        (bytes, type) => {
          const wishes = { ports: [80], hosts: ['10.0.0.1'] };
          expect(typeof takes(type, bytes, wishes)).toBe('boolean');
        },
      ),
      { numRuns: 500 },
    );
  });
});
