import { LINK_TYPE } from '../../model/link-types.ts';
import type { Assembler, Label } from './assembler.ts';
import { ANCILLARY, OP } from './bpf.ts';
import type { SocketLink } from './socket-program.ts';
import { frameRelay, nflog, pflog, wireless } from './uncommon-link-headers.ts';
import { VLAN_ETHER_TYPES } from './vlan-tags.ts';

/** Where a program goes on after the link header. */
export interface AfterLink {
  readonly ipv4: Label;
  readonly ipv6: Label;
  /** Something in which IP may be wrapped, but not seen from here: MPLS, PPPoE and the like. */
  readonly wrapped: Label;
  /** No IP. */
  readonly reject: Label;
}

/** M[] slot in which the offset of the network header is. */
export const NETWORK = 0;
/** Slot for what is needed only within a few instructions. */
export const SCRATCH = 1;

const ETHER_TYPE = { ipv4: 0x0800, ipv6: 0x86dd } as const;
/** EtherTypes that the decoder looks behind (decode/network/ether-type.ts). */
const WRAPPING_ETHER_TYPES = [
  0x6558, 0x880b, 0x8847, 0x8848, 0x8864, 0x88e7, 0x8909, 0x8926, 0x893f, 0x894f,
]; // biome-ignore format: one list
const TAG_ETHER_TYPES = [...VLAN_ETHER_TYPES, 0x9200];
/** Tags that are looked behind, as many as the decoder keeps. */
const TAGS = 4;
const TAG_BYTES = 4;
const MIN_ETHER_TYPE = 0x0600;
const LLC_SNAP = 0xaaaa;
const LLC_IP = 0x06;
const LLC_BYTES = 3;
const SNAP_TYPE = 6;
const SNAP_BYTES = 8;
const PPP_ADDRESS_AND_CONTROL = 0xff03;
const PPP = { ipv4: 0x0021, ipv6: 0x0057, mpls: 0x0281 } as const;
const MPLS_LABELS = 8;

/**
 * Adds instructions that find the network header of a recorded packet, put its offset into M[NETWORK] and jump to a
 * label of `after` on every way. False: link type that nothing is known of.
 */
export function addLinkHeader(linkType: number, into: Assembler, after: AfterLink): boolean {
  switch (linkType) {
    case LINK_TYPE.ethernet:
      etherTypeAt(12, 14, into, after);
      return true;
    case LINK_TYPE.linuxSll:
      etherTypeAt(14, 16, into, after);
      return true;
    case LINK_TYPE.linuxSll2:
      etherTypeAt(0, 20, into, after);
      return true;
    case LINK_TYPE.raw:
    case LINK_TYPE.rawOld:
    case LINK_TYPE.rawOpenBsd:
    case LINK_TYPE.ipv4:
    case LINK_TYPE.ipv6:
      networkAt(0, into);
      byVersion(into, after);
      return true;
    case LINK_TYPE.null:
    case LINK_TYPE.loop:
      networkAt(4, into);
      byVersion(into, after);
      return true;
    case LINK_TYPE.ppp:
      networkAt(0, into);
      ppp(into, after, true);
      return true;
    case LINK_TYPE.pppHdlc:
    case LINK_TYPE.chdlc:
      chdlc(into, after);
      return true;
    case LINK_TYPE.pppoe:
      networkAt(6, into);
      ppp(into, after, false);
      return true;
    case LINK_TYPE.mpls:
      labels(into, after);
      return true;
    default:
      return addUncommonHeader(linkType, into, after);
  }
}

/** The same for packets as a socket shows them: cooked ones begin with the network header. */
export function addSocketHeader(link: SocketLink, into: Assembler, after: AfterLink): void {
  if (link === 'ethernet') {
    etherTypeAt(12, 14, into, after);
    return;
  }
  networkAt(0, into);
  // A tag that is still in the packet: packets that come have it in front of the IP header, as the protocol says. Those
  // that are sent begin with the IP header, whatever the protocol says.
  const tag = Symbol('tag');
  const tagged = Symbol('tag in front');
  const plain = Symbol('no tag');
  into.add(OP.ldWord, ANCILLARY.protocol);
  for (const type of TAG_ETHER_TYPES) into.branch(OP.jeq, type, tag);
  into.jump(plain).label(tag).add(OP.ldHalf, 2);
  for (const type of [...TAG_ETHER_TYPES, ...Object.values(ETHER_TYPE)]) into.branch(OP.jeq, type, tagged);
  byVersion(into, after);
  into.label(tagged).add(OP.ldWord, ANCILLARY.protocol).label(plain);
  byEtherType(into, after);
}

function addUncommonHeader(linkType: number, into: Assembler, after: AfterLink): boolean {
  switch (linkType) {
    case LINK_TYPE.ieee80211:
    case LINK_TYPE.radiotap:
    case LINK_TYPE.prism:
    case LINK_TYPE.avs:
    case LINK_TYPE.ppi:
      wireless(linkType, into, after.reject);
      llc(into, after);
      return true;
    case LINK_TYPE.frameRelay:
      frameRelay(into, after);
      byEtherType(into, after);
      return true;
    case LINK_TYPE.pflog:
      pflog(into);
      byVersion(into, after);
      return true;
    case LINK_TYPE.nflog:
      nflog(into, after.reject);
      byVersion(into, after);
      return true;
    default:
      return false;
  }
}

function networkAt(offset: number, into: Assembler): void {
  into.add(OP.ldImm, offset).add(OP.st, NETWORK);
}

function etherTypeAt(offset: number, network: number, into: Assembler, after: AfterLink): void {
  networkAt(network, into);
  into.add(OP.ldHalf, offset);
  byEtherType(into, after);
}

/**
 * A holds an EtherType, behind which M[NETWORK] stands: goes past VLAN tags, also several. `mayBeLength`: a small value
 * is not a type but the length of an 802.3 frame, which goes on with LLC.
 */
function byEtherType(into: Assembler, after: AfterLink, mayBeLength = true): void {
  const dispatch = Symbol('ether type');
  for (let count = 0; count < TAGS; count += 1) {
    const tag = Symbol('tag');
    for (const type of TAG_ETHER_TYPES) into.branch(OP.jeq, type, tag);
    into.jump(dispatch).label(tag);
    into.add(OP.ldxMem, NETWORK).add(OP.ldHalfX, 2).add(OP.st, SCRATCH);
    into.add(OP.txa).add(OP.add, TAG_BYTES).add(OP.st, NETWORK).add(OP.ldMem, SCRATCH);
  }
  into.label(dispatch);
  into.branch(OP.jeq, ETHER_TYPE.ipv4, after.ipv4).branch(OP.jeq, ETHER_TYPE.ipv6, after.ipv6);
  for (const type of WRAPPING_ETHER_TYPES) into.branch(OP.jeq, type, after.wrapped);
  if (!mayBeLength) {
    into.jump(after.reject);
    return;
  }
  into.branch(OP.jge, MIN_ETHER_TYPE, after.reject);
  llc(into, after);
}

/** IEEE 802.2 LLC at M[NETWORK], with SNAP (RFC 1042), or with IP in it. */
function llc(into: Assembler, after: AfterLink): void {
  const snap = Symbol('SNAP');
  const ip = Symbol('IP in LLC');
  into.add(OP.ldxMem, NETWORK).add(OP.ldHalfX, 0);
  into.branch(OP.jeq, LLC_SNAP, snap);
  into.add(OP.rsh, 8).branch(OP.jeq, LLC_IP, ip, after.reject);
  into.label(ip).add(OP.txa).add(OP.add, LLC_BYTES).add(OP.st, NETWORK).jump(after.ipv4);
  into.label(snap).add(OP.ldHalfX, SNAP_TYPE).add(OP.st, SCRATCH);
  into.add(OP.txa).add(OP.add, SNAP_BYTES).add(OP.st, NETWORK).add(OP.ldMem, SCRATCH);
  byEtherType(into, after, false);
}

/** IPv4 or IPv6 by the first nibble at M[NETWORK]. */
function byVersion(into: Assembler, after: AfterLink): void {
  into.add(OP.ldxMem, NETWORK).add(OP.ldByteX, 0).add(OP.rsh, 4);
  into.branch(OP.jeq, 4, after.ipv4).branch(OP.jeq, 6, after.ipv6, after.reject);
}

/** The PPP protocol at M[NETWORK], one or two bytes (RFC 1661 §2 and §6.5), behind address and control or not. */
function ppp(into: Assembler, after: AfterLink, mayHaveAddress: boolean): void {
  const long = Symbol('protocol of two bytes');
  const known = Symbol('protocol');
  const bare = Symbol('protocol field');
  into.add(OP.ldxMem, NETWORK);
  if (mayHaveAddress) {
    into.add(OP.ldHalfX, 0).branch(OP.jeq, PPP_ADDRESS_AND_CONTROL, null, bare);
    into.add(OP.txa).add(OP.add, 2).add(OP.st, NETWORK).add(OP.tax).label(bare);
  }
  into.add(OP.ldByteX, 0).branch(OP.jset, 1, null, long);
  into.add(OP.st, SCRATCH).add(OP.txa).add(OP.add, 1).jump(known);
  into.label(long).add(OP.ldHalfX, 0).add(OP.st, SCRATCH).add(OP.txa).add(OP.add, 2);
  into.label(known).add(OP.st, NETWORK).add(OP.ldMem, SCRATCH);
  into.branch(OP.jeq, PPP.ipv4, after.ipv4).branch(OP.jeq, PPP.ipv6, after.ipv6);
  into.branch(OP.jeq, PPP.mpls, after.wrapped, after.reject);
}

/** Cisco HDLC: address, control, EtherType; the address 0xff means PPP. */
function chdlc(into: Assembler, after: AfterLink): void {
  const cisco = Symbol('Cisco HDLC');
  networkAt(0, into);
  into.add(OP.ldByte, 0).branch(OP.jeq, 0xff, null, cisco);
  ppp(into, after, true);
  etherTypeAt(2, 4, into.label(cisco), after);
}

/** An MPLS label stack without a frame around it (RFC 3032 §2.1); what follows is told by its first nibble. */
function labels(into: Assembler, after: AfterLink): void {
  const bottom = Symbol('bottom of the stack');
  networkAt(0, into);
  for (let count = 0; count < MPLS_LABELS; count += 1) {
    into.add(OP.ldxMem, NETWORK).add(OP.txa).add(OP.add, 4).add(OP.st, NETWORK);
    into.add(OP.ldByteX, 2).branch(OP.jset, 1, bottom);
  }
  into.jump(after.wrapped).label(bottom);
  byVersion(into, { ...after, reject: after.wrapped });
}
