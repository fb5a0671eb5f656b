import { type Frame, NEXT, type Next, TUNNEL } from '../frame.ts';

/** IP protocol numbers (IANA). */
const PROTOCOL = {
  hopByHop: 0,
  icmp: 1,
  ipv4: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  gre: 47,
  esp: 50,
  authentication: 51,
  icmpv6: 58,
  etherIp: 97,
  mpls: 137,
} as const;
const ETHER_IP_BYTES = 2;

/** Goes on by `frame.protocol`, an IP protocol number. */
export function readTransport(frame: Frame): Next {
  switch (frame.protocol) {
    case PROTOCOL.tcp:
      return NEXT.tcp;
    case PROTOCOL.udp:
      return NEXT.udp;
    case PROTOCOL.ipv4:
      return frame.addTunnel(TUNNEL.ipip, -1) ? NEXT.ipv4 : frame.stop('tunnel-depth');
    case PROTOCOL.ipv6:
      return frame.addTunnel(TUNNEL.ipip, -1) ? NEXT.ipv6 : frame.stop('tunnel-depth');
    case PROTOCOL.gre:
      return NEXT.gre;
    case PROTOCOL.mpls:
      return NEXT.mpls;
    case PROTOCOL.etherIp:
      if (!frame.has(ETHER_IP_BYTES)) return frame.stop('truncated');
      if (!frame.addTunnel(TUNNEL.other, -1)) return frame.stop('tunnel-depth');
      frame.offset += ETHER_IP_BYTES;
      return NEXT.ethernet;
    case PROTOCOL.authentication: {
      // RFC 4302 §2: next header, then the length in 32-bit words minus 2.
      if (!frame.has(2)) return frame.stop('truncated');
      const length = (frame.bytes[frame.offset + 1] + 2) << 2;
      if (!frame.has(length)) return frame.stop('truncated');
      frame.protocol = frame.bytes[frame.offset];
      frame.offset += length;
      return NEXT.transport;
    }
    case PROTOCOL.esp:
      return frame.stop('encrypted');
    case PROTOCOL.icmp:
    case PROTOCOL.icmpv6:
      return frame.stop('icmp');
    default:
      return frame.stop('other-transport');
  }
}
