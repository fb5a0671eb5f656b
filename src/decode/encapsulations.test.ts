import { describe, expect, it } from 'vitest';
import {
  concat,
  erspan,
  ethernet,
  extension,
  geneve,
  gre,
  gtpU,
  ipInIp,
  ipv4,
  ipv6,
  LINK,
  mpls,
  mplsPseudowire,
  type Network,
  nullLoopback,
  openBsdLoopback,
  ppp,
  pppoe,
  rawIp,
  sll,
  sll2,
  type Transport,
  tcp,
  teredo,
  u8,
  u16,
  u32,
  udp,
  vxlan,
} from '../../fixtures/build/packets.ts';
import { cutComplaints, decodeOne } from '../../test/decoding.ts';
import { LINK_TYPE } from '../model/link-types.ts';

const PAYLOAD = 'GET / HTTP/1.1';
const segment = tcp({ from: 4000, to: 80, seq: 7, payload: PAYLOAD });
const four = ipv4({ from: '10.0.0.1', to: '10.0.0.2', payload: segment });
const six = ipv6({ from: '2001:db8::1', to: '2001:db8::2', payload: segment });
const FOUR = '10.0.0.1:4000 > 10.0.0.2:80';
const SIX = '2001:db8::1:4000 > 2001:db8::2:80';
const frame4 = ethernet(four);

/** The packet that carries a tunnel, between other addresses than those inside. */
function over4(payload: Transport): Uint8Array {
  return ethernet(ipv4({ from: '192.0.2.1', to: '192.0.2.2', payload }));
}

function over6(payload: Transport): Uint8Array {
  return ethernet(ipv6({ from: '2001:db8:ffff::1', to: '2001:db8:ffff::2', payload }));
}

const proto = (protocol: number, ...parts: Uint8Array[]): Transport => ({
  protocol,
  bytes: concat(...parts),
  checksumAt: null,
});
const onUdp = (port: number, ...parts: Uint8Array[]): Transport =>
  udp({ from: 50_000, to: port, payload: concat(...parts) });
const etherType = (type: number, ...parts: Uint8Array[]): Uint8Array =>
  ethernet({ etherType: type, bytes: concat(...parts) });

interface Case {
  readonly frame: Uint8Array;
  readonly linkType?: number;
  readonly ends?: string;
  readonly vlans?: readonly number[];
  readonly tunnels?: readonly string[];
}

const snap = (network: Network): Uint8Array =>
  concat(u8(0xaa, 0xaa, 3, 0, 0, 0), u16(network.etherType), network.bytes);
const length802 = (content: Uint8Array): Uint8Array =>
  concat(new Uint8Array(12), u16(content.length), content);
const ieee80211 = (control: number, extra: number, content: Uint8Array): Uint8Array =>
  concat(u16(control), new Uint8Array(22 + extra), content);

const LINKS: Record<string, Case> = {
  'Ethernet II': { frame: frame4 },
  'Ethernet II with IPv6': { frame: ethernet(six), ends: SIX },
  'Ethernet with padding': { frame: concat(frame4, new Uint8Array(20)) },
  '802.1Q': { frame: ethernet(four, { vlans: [42] }), vlans: [42] },
  '802.1Q with priority bits': { frame: etherType(0x8100, u16(0xe02a), u16(0x0800), four.bytes), vlans: [42] },
  QinQ: { frame: ethernet(four, { vlans: [7, 42] }), vlans: [7, 42] },
  'the older QinQ type': { frame: etherType(0x9100, u16(7), u16(0x8100), u16(42), u16(0x0800), four.bytes), vlans: [7, 42] },
  'six tags, of which four are kept': { frame: ethernet(four, { vlans: [1, 2, 3, 4, 5, 6] }), vlans: [1, 2, 3, 4] },
  '802.3 with LLC and SNAP': { frame: length802(snap(four)) },
  '802.3 with LLC for IP': { frame: length802(concat(u8(6, 6, 3), four.bytes)) },
  '802.1Q around 802.3 with SNAP': { frame: etherType(0x8100, u16(9), u16(100), snap(four)), vlans: [9] },
  'provider backbone bridging': { frame: etherType(0x88e7, u32(1), frame4) },
  'Cisco metadata': { frame: etherType(0x8909, new Uint8Array(6), u16(0x0800), four.bytes) },
  'VN-tag': { frame: etherType(0x8926, new Uint8Array(4), u16(0x0800), four.bytes) },
  'E-tag': { frame: etherType(0x893f, new Uint8Array(6), u16(0x0800), four.bytes) },
  MPLS: { frame: ethernet(mpls(four, [16, 17])), tunnels: ['mpls 17'] },
  'MPLS with IPv6': { frame: ethernet(mpls(six, [16])), tunnels: ['mpls 16'], ends: SIX },
  'Ethernet over MPLS': { frame: ethernet(mplsPseudowire(frame4, [18])), tunnels: ['mpls 18'] },
  PPPoE: { frame: ethernet(pppoe(four, 77)), tunnels: ['pppoe 77'] },
  'PPPoE with IPv6': { frame: ethernet(pppoe(six, 78)), tunnels: ['pppoe 78'], ends: SIX },
  'PPPoE in a VLAN': { frame: ethernet(pppoe(four, 77), { vlans: [5] }), vlans: [5], tunnels: ['pppoe 77'] },
  'Linux cooked': { frame: sll(four), linkType: LINK.sll },
  'Linux cooked with IPv6': { frame: sll(six), linkType: LINK.sll, ends: SIX },
  'Linux cooked with a VLAN': { frame: sll({ etherType: 0x8100, bytes: concat(u16(3), u16(0x0800), four.bytes) }), linkType: LINK.sll, vlans: [3] },
  'Linux cooked with 802.2': { frame: sll({ etherType: 4, bytes: snap(four) }), linkType: LINK.sll },
  'Linux cooked v2': { frame: sll2(four), linkType: LINK.sll2 },
  'Linux cooked v2 with IPv6': { frame: sll2(six), linkType: LINK.sll2, ends: SIX },
  'null, little-endian': { frame: nullLoopback(four), linkType: LINK.null },
  'null, big-endian': { frame: nullLoopback(four, 'big'), linkType: LINK.null },
  'null with IPv6 of macOS': { frame: nullLoopback(six), linkType: LINK.null, ends: SIX },
  'null with IPv6 of FreeBSD': { frame: nullLoopback(six, 'little', 28), linkType: LINK.null, ends: SIX },
  'null with IPv6 of NetBSD, big-endian': { frame: nullLoopback(six, 'big', 24), linkType: LINK.null, ends: SIX },
  loop: { frame: openBsdLoopback(four), linkType: LINK.loop },
  'raw IPv4': { frame: rawIp(four), linkType: LINK.rawIp },
  'raw IPv6': { frame: rawIp(six), linkType: LINK.rawIp, ends: SIX },
  'raw, the numbers of old': { frame: rawIp(four), linkType: LINK_TYPE.rawOld },
  'IPv4 alone': { frame: rawIp(four), linkType: LINK.ipv4 },
  'IPv6 alone': { frame: rawIp(six), linkType: LINK.ipv6, ends: SIX },
  'PPP with framing': { frame: ppp(four), linkType: LINK.pppWithFraming },
  'PPP without address and control': { frame: ppp(four, { addressAndControl: false }), linkType: LINK.pppWithFraming },
  'PPP with a compressed protocol field': { frame: concat(u8(0x21), four.bytes), linkType: LINK.pppWithFraming },
  'PPP with IPv6': { frame: ppp(six), linkType: LINK.pppWithFraming, ends: SIX },
  'PPP in HDLC': { frame: ppp(four), linkType: LINK.pppHdlc },
  'Cisco HDLC': { frame: concat(u8(0x0f, 0), u16(0x0800), four.bytes), linkType: LINK_TYPE.chdlc },
  'Frame Relay, RFC 2427': { frame: concat(u8(0x18, 0x41, 3, 0xcc), four.bytes), linkType: LINK_TYPE.frameRelay },
  'Frame Relay, Cisco': { frame: concat(u8(0x18, 0x41), u16(0x0800), four.bytes), linkType: LINK_TYPE.frameRelay },
  '802.11 data': { frame: ieee80211(0x0801, 0, snap(four)), linkType: LINK_TYPE.ieee80211 },
  '802.11 QoS data': { frame: ieee80211(0x8801, 2, snap(four)), linkType: LINK_TYPE.ieee80211 },
  '802.11 between access points': { frame: ieee80211(0x0803, 6, snap(four)), linkType: LINK_TYPE.ieee80211 },
  Radiotap: { frame: concat(u8(0, 0, 12, 0), new Uint8Array(8), ieee80211(0x0801, 0, snap(four))), linkType: LINK_TYPE.radiotap },
  'PPI with Ethernet': { frame: concat(u8(0, 0, 8, 0, 1, 0, 0, 0), frame4), linkType: LINK_TYPE.ppi },
  pflog: { frame: concat(u8(61, 2), new Uint8Array(62), four.bytes), linkType: LINK_TYPE.pflog },
  nflog: { frame: concat(u8(2, 0, 0, 0), u8(4 + four.bytes.length, 0, 9, 0), four.bytes), linkType: LINK_TYPE.nflog },
}; // biome-ignore format: one table

const wccp = (redirect: boolean): Transport =>
  proto(47, u16(0), u16(0x883e), redirect ? u32(0x01000000) : u8(), four.bytes);
const l2tp = (flags: number, ...between: Uint8Array[]): Transport =>
  onUdp(1701, u16(flags), ...between, u8(0xff, 3, 0, 0x21), four.bytes);
const vxlanGpe = (next: number, content: Uint8Array): Transport =>
  onUdp(4790, u8(0x0c, 0, 0, next, 0, 0, 9, 0), content);

const TUNNELS: Record<string, Case> = {
  VXLAN: { frame: over4(vxlan(frame4, 99)), tunnels: ['vxlan 99'] },
  'VXLAN on the port of old': { frame: over4(vxlan(frame4, 99, { to: 8472 })), tunnels: ['vxlan 99'] },
  'VXLAN over IPv6': { frame: over6(vxlan(ethernet(six), 0xffffff)), tunnels: ['vxlan 16777215'], ends: SIX },
  'VXLAN with a VLAN inside': { frame: over4(vxlan(ethernet(four, { vlans: [3] }), 1)), tunnels: ['vxlan 1'], vlans: [3] },
  'VXLAN-GPE with IPv4': { frame: over4(vxlanGpe(1, four.bytes)), tunnels: ['vxlan 9'] },
  'VXLAN-GPE with IPv6': { frame: over4(vxlanGpe(2, six.bytes)), tunnels: ['vxlan 9'], ends: SIX },
  'VXLAN-GPE with Ethernet': { frame: over4(vxlanGpe(3, frame4)), tunnels: ['vxlan 9'] },
  'VXLAN-GPE with a service header': { frame: over4(vxlanGpe(4, concat(u8(0, 2, 1, 1), u32(0), four.bytes))), tunnels: ['vxlan 9'] },
  Geneve: { frame: over4(geneve(frame4, 5)), tunnels: ['geneve 5'] },
  'Geneve with options': { frame: over4(geneve(frame4, 5, new Uint8Array(12))), tunnels: ['geneve 5'] },
  'Geneve with IP': { frame: over4(geneve(six, 5)), tunnels: ['geneve 5'], ends: SIX },
  GRE: { frame: over4(gre(four)), tunnels: ['gre'] },
  'GRE with a key': { frame: over4(gre(four, { key: 0xfeedbeef })), tunnels: ['gre 4276993775'] },
  'GRE with checksum, key and sequence': { frame: over4(gre(six, { checksum: true, key: 4, sequence: 9 })), tunnels: ['gre 4'], ends: SIX },
  'GRE with Ethernet': { frame: over4(gre(frame4)), tunnels: ['gre'] },
  'GRE over IPv6': { frame: over6(gre(four)), tunnels: ['gre'] },
  'GRE in UDP': { frame: over4(onUdp(4754, u16(0), u16(0x0800), four.bytes)), tunnels: ['gre'] },
  'PPTP': { frame: over4(proto(47, u16(0x3081), u16(0x880b), u16(80), u16(33), u32(1), u32(1), u8(0xff, 3, 0, 0x21), four.bytes)), tunnels: ['gre 33'] },
  'WCCP': { frame: over4(wccp(false)), tunnels: ['gre'] },
  'WCCP with a redirect header': { frame: over4(wccp(true)), tunnels: ['gre'] },
  'ERSPAN I': { frame: over4(erspan(frame4, 1)), tunnels: ['erspan'] },
  'ERSPAN II': { frame: over4(erspan(frame4, 2, 77)), tunnels: ['erspan 77'] },
  'ERSPAN III': { frame: over4(erspan(frame4, 3, 1023)), tunnels: ['erspan 1023'] },
  'ERSPAN III with a platform header': { frame: over4(proto(47, u16(0x1000), u16(0x22eb), u32(1), u16(0x2000), u16(5), u32(0), u16(0), u16(1), new Uint8Array(8), frame4)), tunnels: ['erspan 5'] },
  'IPv4 in IPv4': { frame: over4(ipInIp(four)), tunnels: ['ipip'] },
  'IPv6 in IPv4': { frame: over4(ipInIp(six)), tunnels: ['ipip'], ends: SIX },
  'IPv4 in IPv6': { frame: over6(ipInIp(four)), tunnels: ['ipip'] },
  'IPv6 in IPv6': { frame: over6(ipInIp(six)), tunnels: ['ipip'], ends: SIX },
  'GTP-U': { frame: over4(gtpU(four, 0xdeadbeef)), tunnels: ['gtp 3735928559'] },
  'GTP-U with a sequence number': { frame: over4(gtpU(six, 1, { sequence: 2 })), tunnels: ['gtp 1'], ends: SIX },
  'GTP-U with extension headers': { frame: over4(onUdp(2152, u8(0x34, 0xff), u16(0), u32(6), u32(0x85), u8(1, 0, 0, 0x85, 1, 0, 0, 0), four.bytes)), tunnels: ['gtp 6'] },
  'GTP-U back from its port': { frame: over4(udp({ from: 2152, to: 50_000, payload: concat(u8(0x30, 0xff), u16(four.bytes.length), u32(8), four.bytes) })), tunnels: ['gtp 8'] },
  Teredo: { frame: over4(teredo(six)), tunnels: ['teredo'], ends: SIX },
  'Teredo with origin': { frame: over4(onUdp(3544, new Uint8Array(8), six.bytes)), tunnels: ['teredo'], ends: SIX },
  'Teredo with authentication': { frame: over4(onUdp(3544, u8(0, 1, 2, 3), new Uint8Array(5 + 9), six.bytes)), tunnels: ['teredo'], ends: SIX },
  AYIYA: { frame: over4(onUdp(5072, u8(0x44, 0x52, 0x11, 41), u32(0), new Uint8Array(16 + 20), six.bytes)), tunnels: ['ayiya'], ends: SIX },
  L2TP: { frame: over4(l2tp(0x0002, u16(7), u16(9))), tunnels: ['l2tp 9'] },
  'L2TP with length and sequence': { frame: over4(l2tp(0x4802, u16(100), u16(7), u16(9), u32(0))), tunnels: ['l2tp 9'] },
  'L2TP with an offset': { frame: over4(l2tp(0x0202, u16(7), u16(9), u16(2), u16(0))), tunnels: ['l2tp 9'] },
  'EtherIP': { frame: over4(proto(97, u16(0x3000), frame4)), tunnels: ['other'] },
  'MPLS in IP': { frame: over4(proto(137, mpls(four, [20]).bytes)), tunnels: ['mpls 20'] },
  'MPLS in UDP': { frame: over4(onUdp(6635, mpls(four, [21]).bytes)), tunnels: ['mpls 21'] },
  'MPLS in GRE': { frame: over4(gre(mpls(four, [22]))), tunnels: ['gre', 'mpls 22'] },
  'GRE in VXLAN in a VLAN': { frame: ethernet(ipv4({ from: '192.0.2.1', to: '192.0.2.2', payload: vxlan(over4(gre(four, { key: 2 })), 1) }), { vlans: [4] }), vlans: [4], tunnels: ['vxlan 1', 'gre 2'] },
  'four deep': { frame: over4(vxlan(over4(vxlan(over4(vxlan(over4(gre(four)), 3)), 2)), 1)), tunnels: ['vxlan 1', 'vxlan 2', 'vxlan 3', 'gre'] },
}; // biome-ignore format: one table

describe.each([
  ['link layers', LINKS],
  ['tunnels', TUNNELS],
])('%s', (_name, cases) => {
  it.each(Object.entries(cases))(
    '%s',
    (_case, { frame, linkType = 1, ends = FOUR, vlans = [], tunnels = [] }) => {
      expect(decodeOne(frame, { linkType })).toEqual({
        reason: null,
        ends,
        payload: PAYLOAD,
        wireBytes: PAYLOAD.length,
        vlans,
        tunnels,
      });
      // The payload stands last, but for padding.
      const at = Buffer.from(frame).lastIndexOf(PAYLOAD);
      expect(cutComplaints(frame, at, linkType)).toEqual([]);
    },
  );
});

describe('what is not followed is named', () => {
  const deep = over4(vxlan(over4(vxlan(over4(vxlan(over4(vxlan(over4(gre(four)), 4)), 3)), 2)), 1));
  it.each<[string, Uint8Array, string, number?]>([
    ['five tunnels deep', deep, 'tunnel-depth'],
    ['an unknown link type', frame4, 'unknown-link-type', 147],
    ['ARP', etherType(0x0806, new Uint8Array(28)), 'arp'],
    ['LLDP', etherType(0x88cc, new Uint8Array(40)), 'other-network'],
    ['spanning tree', length802(concat(u8(0x42, 0x42, 3), new Uint8Array(35))), 'other-network'],
    ['MACsec', etherType(0x88e5, new Uint8Array(40)), 'encrypted'],
    ['protected 802.11', ieee80211(0x0841, 0, snap(four)), 'encrypted', LINK_TYPE.ieee80211],
    ['an 802.11 beacon', ieee80211(0x8000, 0, new Uint8Array(40)), 'other-network', LINK_TYPE.ieee80211],
    ['DNS', over4(udp({ from: 5, to: 53, payload: 'x'.repeat(30) })), 'udp'],
    ['a UDP datagram from the port of VXLAN', over4(udp({ from: 4789, to: 53, payload: concat(u8(8, 0, 0, 0, 0, 0, 1, 0), frame4) })), 'udp'],
    ['VXLAN without its flag', over4(onUdp(4789, new Uint8Array(8), frame4)), 'udp'],
    ['GTP echo', over4(onUdp(2152, u8(0x32, 1), new Uint8Array(10))), 'udp'],
    ['ICMP', over4(proto(1, new Uint8Array(8))), 'icmp'],
    ['ICMPv6', over6(proto(58, new Uint8Array(8))), 'icmp'],
    ['SCTP', over4(proto(132, new Uint8Array(12))), 'other-transport'],
    ['ESP', over4(proto(50, new Uint8Array(40))), 'encrypted'],
    ['ESP in UDP', over4(onUdp(4500, new Uint8Array(40))), 'encrypted'],
    ['compressed PPP', concat(u8(0xff, 3, 0, 0xfd), new Uint8Array(20)), 'encrypted', LINK.pppWithFraming],
    ['LCP', concat(u8(0xff, 3, 0xc0, 0x21), new Uint8Array(20)), 'other-network', LINK.pppWithFraming],
    ['GRE of a version unknown', over4(proto(47, u16(2), u16(0x0800), four.bytes)), 'malformed'],
    ['an address family unknown', concat(u32(0x10000000), four.bytes), 'other-network', LINK.null],
    ['raw bytes that are no IP', new Uint8Array(40), 'other-network', LINK.rawIp],
  ])('%s', (_name, frame, reason, linkType = 1) => {
    expect(decodeOne(frame, { linkType }).reason).toBe(reason);
  }); // biome-ignore format: one table

  it('headers that go round in circles end', () => {
    const tags = Array.from({ length: 200 }, () => concat(u16(1), u16(0x8100)));
    expect(decodeOne(etherType(0x8100, ...tags, u16(1), u16(0x0800), four.bytes)).reason).toBe(
      'tunnel-depth',
    );
    const labels = Array.from({ length: 500 }, () => u32(0x00010000));
    expect(decodeOne(etherType(0x8847, ...labels)).reason).toBe('truncated');
  });

  it('an IPv6 extension header does not hide a tunnel', () => {
    const inner = ipv6({
      from: '2001:db8:ffff::1',
      to: '2001:db8:ffff::2',
      payload: gre(four),
      extensions: [extension(60)],
    });
    expect(decodeOne(ethernet(inner))).toMatchObject({ reason: null, ends: FOUR, tunnels: ['gre'] });
  });
});
