import { u16 } from '../bytes.ts';
import { type Frame, NEXT, type Next } from '../frame.ts';
import { readVlanTag } from '../link/ethernet.ts';

/** EtherTypes (IANA, IEEE registration authority) that lead to IP, and those that certainly do not. */
const ETHER_TYPE = {
  ipv4: 0x0800,
  arp: 0x0806,
  vlan: 0x8100,
  qinq: 0x88a8,
  qinqOld1: 0x9100,
  qinqOld2: 0x9200,
  ipv6: 0x86dd,
  ppp: 0x880b,
  mplsUnicast: 0x8847,
  mplsMulticast: 0x8848,
  pppoeSession: 0x8864,
  macsec: 0x88e5,
  providerBackbone: 0x88e7,
  vnTag: 0x8926,
  eTag: 0x893f,
  nsh: 0x894f,
  ciscoMetadata: 0x8909,
  transparentEthernet: 0x6558,
} as const;

/** Skips a tag of `count` bytes whose last two are the EtherType of what follows. */
function skipTag(frame: Frame, count: number): Next {
  if (!frame.has(count)) return frame.stop('truncated');
  frame.protocol = u16(frame.bytes, frame.offset + count - 2);
  frame.offset += count;
  return NEXT.etherType;
}

/** Goes on by `frame.protocol`, an EtherType. */
export function readEtherType(frame: Frame): Next {
  switch (frame.protocol) {
    case ETHER_TYPE.ipv4:
      return NEXT.ipv4;
    case ETHER_TYPE.ipv6:
      return NEXT.ipv6;
    case ETHER_TYPE.vlan:
    case ETHER_TYPE.qinq:
    case ETHER_TYPE.qinqOld1:
    case ETHER_TYPE.qinqOld2:
      return readVlanTag(frame);
    case ETHER_TYPE.mplsUnicast:
    case ETHER_TYPE.mplsMulticast:
      return NEXT.mpls;
    case ETHER_TYPE.pppoeSession:
      return NEXT.pppoe;
    case ETHER_TYPE.ppp:
      return NEXT.ppp;
    case ETHER_TYPE.transparentEthernet:
      return NEXT.ethernet;
    case ETHER_TYPE.vnTag:
      return skipTag(frame, 6);
    case ETHER_TYPE.eTag:
      return skipTag(frame, 8);
    case ETHER_TYPE.ciscoMetadata:
      return skipTag(frame, 8);
    case ETHER_TYPE.providerBackbone:
      if (!frame.has(4)) return frame.stop('truncated');
      frame.offset += 4;
      return NEXT.ethernet;
    case ETHER_TYPE.nsh:
      return NEXT.nsh;
    case ETHER_TYPE.macsec:
      return frame.stop('encrypted');
    case ETHER_TYPE.arp:
      return frame.stop('arp');
    default:
      return frame.stop('other-network');
  }
}
