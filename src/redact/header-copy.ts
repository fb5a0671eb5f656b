import { NEXT, type Next } from '../decode/frame.ts';
import {
  copyEthernet,
  copyIeee80211,
  copyLinuxSll,
  copyLinuxSll2,
  copyNflog,
  copyPpi,
  copyRadiotap,
} from './link-copy.ts';
import { copyIpv4Header, copyIpv6Header } from './network-copy.ts';
import type { PacketCopy } from './packet-copy.ts';
import { copyUdpHeader } from './transport-copy.ts';
import {
  copyAyiya,
  copyGeneve,
  copyGre,
  copyGtp,
  copyL2tp,
  copyNsh,
  copyTeredo,
  copyVxlan,
  copyVxlanGpe,
} from './tunnel-copy.ts';

type HeaderCopy = (packet: PacketCopy, start: number, end: number) => void;

const asIs: HeaderCopy = (packet, start, end) => packet.copy(start, end);
/** Version or length, and kind; the rest are measurements and names. */
const onlyFirst4: HeaderCopy = (packet, start, end) => packet.copy(start, Math.min(end, start + 4));
const onlyFirst8: HeaderCopy = (packet, start, end) => packet.copy(start, Math.min(end, start + 8));

const COPIES: ReadonlyMap<Next, HeaderCopy> = new Map<Next, HeaderCopy>([
  [NEXT.ethernet, copyEthernet],
  [NEXT.etherType, asIs],
  [NEXT.ipv4, copyIpv4Header],
  [NEXT.ipv6, copyIpv6Header],
  [NEXT.udp, copyUdpHeader],
  [NEXT.gre, copyGre],
  [NEXT.ppp, asIs],
  [NEXT.pppHdlc, asIs],
  [NEXT.pppoe, asIs],
  [NEXT.mpls, asIs],
  [NEXT.llc, asIs],
  [NEXT.chdlc, asIs],
  [NEXT.frameRelay, asIs],
  [NEXT.nullLoop, asIs],
  [NEXT.ieee80211, copyIeee80211],
  [NEXT.aruba, copyIeee80211],
  [NEXT.vxlan, copyVxlan],
  [NEXT.vxlanGpe, copyVxlanGpe],
  [NEXT.geneve, copyGeneve],
  [NEXT.nsh, copyNsh],
  [NEXT.gtp, copyGtp],
  [NEXT.teredo, copyTeredo],
  [NEXT.ayiya, copyAyiya],
  [NEXT.l2tp, copyL2tp],
  [NEXT.linuxSll, copyLinuxSll],
  [NEXT.linuxSll2, copyLinuxSll2],
  [NEXT.radiotap, copyRadiotap],
  [NEXT.ppi, copyPpi],
  [NEXT.prism, onlyFirst8],
  [NEXT.avs, onlyFirst8],
  [NEXT.pflog, onlyFirst4],
  [NEXT.nflog, copyNflog],
]);

/** Copies the header that a reader has just read, `[start, end)`; of a kind without a rule nothing. */
export function copyHeader(kind: Next, packet: PacketCopy, start: number, end: number): void {
  COPIES.get(kind)?.(packet, start, end);
}
