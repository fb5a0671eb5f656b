import { LINK_TYPE } from '../../model/link-types.ts';
import { NEXT, type Next } from '../frame.ts';

const FIRST_LAYER = new Map<number, Next>([
  [LINK_TYPE.null, NEXT.nullLoop],
  [LINK_TYPE.ethernet, NEXT.ethernet],
  [LINK_TYPE.ppp, NEXT.pppHdlc],
  [LINK_TYPE.rawOld, NEXT.ip],
  [LINK_TYPE.rawOpenBsd, NEXT.ip],
  [LINK_TYPE.pppHdlc, NEXT.chdlc],
  [LINK_TYPE.pppoe, NEXT.pppoe],
  [LINK_TYPE.raw, NEXT.ip],
  [LINK_TYPE.chdlc, NEXT.chdlc],
  [LINK_TYPE.ieee80211, NEXT.ieee80211],
  [LINK_TYPE.frameRelay, NEXT.frameRelay],
  [LINK_TYPE.loop, NEXT.nullLoop],
  [LINK_TYPE.linuxSll, NEXT.linuxSll],
  [LINK_TYPE.pflog, NEXT.pflog],
  [LINK_TYPE.prism, NEXT.prism],
  [LINK_TYPE.radiotap, NEXT.radiotap],
  [LINK_TYPE.avs, NEXT.avs],
  [LINK_TYPE.ppi, NEXT.ppi],
  [LINK_TYPE.mpls, NEXT.mpls],
  [LINK_TYPE.ipv4, NEXT.ipv4],
  [LINK_TYPE.ipv6, NEXT.ipv6],
  [LINK_TYPE.nflog, NEXT.nflog],
  [LINK_TYPE.linuxSll2, NEXT.linuxSll2],
]);

/** What the first byte of a packet of this link type is; NEXT.stop where it is not understood. */
export function linkLayer(linkType: number): Next {
  if (linkType === LINK_TYPE.ethernet) return NEXT.ethernet;
  return FIRST_LAYER.get(linkType) ?? NEXT.stop;
}
