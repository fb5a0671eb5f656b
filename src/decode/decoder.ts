import type { PacketReason } from '../model/ledger.ts';
import type { Limits } from '../model/limits.ts';
import type { Packet } from '../model/packet.ts';
import { Frame, NEXT, type Next } from './frame.ts';
import { readEthernet, readLlc } from './link/ethernet.ts';
import { readNflog, readPflog } from './link/firewall-log.ts';
import { readAvs, readIeee80211, readPpi, readPrism, readRadiotap } from './link/ieee80211.ts';
import { linkLayer } from './link/link-types.ts';
import { readLinuxSll, readLinuxSll2 } from './link/linux-sll.ts';
import { readNullLoop } from './link/null-loop.ts';
import { readChdlc, readFrameRelay, readMpls, readPpp, readPppHdlc, readPppoe } from './link/serial.ts';
import { readEtherType } from './network/ether-type.ts';
import { FragmentTable } from './network/fragments.ts';
import { readIpv4 } from './network/ipv4.ts';
import { readIpv6 } from './network/ipv6.ts';
import { readTransport } from './network/transport.ts';
import { tcpChecksumHolds } from './tcp/checksum.ts';
import { readTcpHeader } from './tcp/tcp-header.ts';
import { readGre } from './tunnel/gre.ts';
import {
  readAyiya,
  readGeneve,
  readGtp,
  readL2tp,
  readNsh,
  readTeredo,
  readUdp,
  readVxlan,
  readVxlanGpe,
} from './tunnel/udp.ts';

/** More headers than any honest packet has; keeps hostile ones from going round in circles. */
const MAX_HEADERS = 64;

export interface DecoderOptions {
  limits: Limits;
  /** Check TCP checksums; off by default, since offload leaves wrong ones in captures made on the sender. */
  checksums: boolean;
}

/**
 * From a captured packet to a TCP segment. `decode` fills `frame`, one record reused for every packet, and
 * returns null, or the reason why there is no segment to use.
 */
export class Decoder {
  readonly frame = new Frame();
  readonly fragments: FragmentTable;
  readonly #checksums: boolean;

  constructor(options: DecoderOptions) {
    this.fragments = new FragmentTable(options.limits);
    this.#checksums = options.checksums;
  }

  decode(packet: Packet): PacketReason | null {
    const { frame } = this;
    frame.begin(packet.bytes, packet.start, packet.end, packet.originalBytes, packet.timeNs);
    let next: Next = linkLayer(packet.linkType);
    if (next === NEXT.stop) return 'unknown-link-type';
    for (let count = 0; count < MAX_HEADERS; count += 1) {
      if (next === NEXT.tcp) return this.#segment();
      if (next === NEXT.fragment) {
        if (!this.fragments.add(frame)) return 'fragment';
        next = NEXT.transport;
        continue;
      }
      next = readHeader(frame, next);
      if (next === NEXT.stop) return frame.reason;
    }
    return 'tunnel-depth';
  }

  #segment(): PacketReason | null {
    const { frame } = this;
    const start = frame.offset;
    if (!readTcpHeader(frame)) return frame.reason;
    if (this.#checksums && frame.end === frame.wireEnd && !this.#checksumHolds(start)) return 'bad-checksum';
    return null;
  }

  #checksumHolds(start: number): boolean {
    const { frame } = this;
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = frame;
    return tcpChecksumHolds(frame.bytes, start, frame.end, [src0, src1, src2, src3, dst0, dst1, dst2, dst3]);
  }
}

/**
 * Reads the header that `next` says comes next; returns what follows it. Nothing but `frame` is touched. TCP and
 * fragments are not headers in this sense.
 */
export function readHeader(frame: Frame, next: Next): Next {
  switch (next) {
    case NEXT.ethernet:
      return readEthernet(frame);
    case NEXT.etherType:
      return readEtherType(frame);
    case NEXT.ipv4:
      return readIpv4(frame);
    case NEXT.transport:
      return readTransport(frame);
    case NEXT.ipv6:
      return readIpv6(frame);
    case NEXT.ip:
      return readIp(frame);
    case NEXT.udp:
      return readUdp(frame);
    case NEXT.linuxSll:
      return readLinuxSll(frame);
    case NEXT.linuxSll2:
      return readLinuxSll2(frame);
    case NEXT.nullLoop:
      return readNullLoop(frame);
    case NEXT.llc:
      return readLlc(frame);
    case NEXT.gre:
      return readGre(frame);
    case NEXT.vxlan:
      return readVxlan(frame);
    case NEXT.vxlanGpe:
      return readVxlanGpe(frame);
    case NEXT.geneve:
      return readGeneve(frame);
    case NEXT.nsh:
      return readNsh(frame);
    case NEXT.gtp:
      return readGtp(frame);
    case NEXT.teredo:
      return readTeredo(frame);
    case NEXT.ayiya:
      return readAyiya(frame);
    case NEXT.l2tp:
      return readL2tp(frame);
    case NEXT.ppp:
      return readPpp(frame);
    case NEXT.pppHdlc:
      return readPppHdlc(frame);
    case NEXT.pppoe:
      return readPppoe(frame);
    case NEXT.mpls:
      return readMpls(frame);
    case NEXT.chdlc:
      return readChdlc(frame);
    case NEXT.frameRelay:
      return readFrameRelay(frame);
    case NEXT.ieee80211:
    case NEXT.aruba:
      return readIeee80211(frame);
    case NEXT.radiotap:
      return readRadiotap(frame);
    case NEXT.ppi:
      return readPpi(frame);
    case NEXT.prism:
      return readPrism(frame);
    case NEXT.avs:
      return readAvs(frame);
    case NEXT.pflog:
      return readPflog(frame);
    case NEXT.nflog:
      return readNflog(frame);
    default:
      return frame.stop('malformed');
  }
}

function readIp(frame: Frame): Next {
  if (!frame.has(1)) return frame.stop('truncated');
  const version = frame.bytes[frame.offset] >> 4;
  if (version === 4) return NEXT.ipv4;
  if (version === 6) return NEXT.ipv6;
  return frame.stop('other-network');
}
