import { LITTLE_ENDIAN } from './libc.ts';
import { ADDRESS, type BlockWalker, HEADER, VLAN_TPID_VALID, VLAN_VALID } from './tpacket.ts';

/**
 * LINKTYPE_LINUX_SLL2 (www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html): protocol, two zero bytes, interface
 * index, hardware type, packet type, length of the sender's link address, the address; all in network order.
 */
const SLL2 = {
  protocol: 0,
  reserved: 2,
  interfaceIndex: 4,
  hardwareType: 8,
  packetType: 10,
  address: 12,
} as const;
export const SLL2_BYTES = SLL2.address + 8;

/** IEEE 802.1Q §9.6: tag protocol, tag control information. */
export const VLAN_TAG_BYTES = 4;
const MAC_ADDRESSES_BYTES = 12;
const TPID_CTAG = 0x8100;
const ETHER_TYPE = { ipv4: 0x0800, ipv6: 0x86dd } as const;

/**
 * Did the kernel take a VLAN tag off? Kernels before 3.0 do not set VLAN_VALID, and are told by a tag that is not 0.
 */
export function hasVlanTag(walker: BlockWalker): boolean {
  const { at, words } = walker;
  return (words[(at + HEADER.status) >>> 2] & VLAN_VALID) !== 0 || words[(at + HEADER.vlanTci) >>> 2] !== 0;
}

/** Tag protocol of a tag that was taken off; 802.1Q where the kernel does not say. */
function tagProtocol(walker: BlockWalker): number {
  const { at, words, halves } = walker;
  const known = (words[(at + HEADER.status) >>> 2] & VLAN_TPID_VALID) !== 0;
  return known ? halves[(at + HEADER.vlanTpid) >>> 1] : TPID_CTAG;
}

/**
 * Puts the VLAN tag of the current Ethernet frame back behind its two addresses, in place: the addresses move four
 * bytes to the front, over the ring's own header (which is read already). Gives the frame's new first byte. A frame
 * too short to have addresses stays as it is.
 */
export function restoreEthernetTag(walker: BlockWalker): number {
  const { at, bytes, words, start, end } = walker;
  if (end - start < MAC_ADDRESSES_BYTES) return start;
  const protocol = tagProtocol(walker);
  const information = words[(at + HEADER.vlanTci) >>> 2];
  const tagged = start - VLAN_TAG_BYTES;
  bytes.copyWithin(tagged, start, start + MAC_ADDRESSES_BYTES);
  putTag(bytes, tagged + MAC_ADDRESSES_BYTES, protocol, information);
  return tagged;
}

/**
 * Writes the SLL2 header of the current packet, which begins at its network header, in front of it, in place. A VLAN
 * tag that was taken off comes back too: its protocol in the header, then the tag control information and the
 * packet's own protocol, as behind an Ethernet header. Gives the header's first byte.
 *
 * Header and tag take 24 bytes. The ring leaves 96 between its own header and the network header; and even with the
 * 68 that BlockWalker promises, only fields are overwritten that are read before.
 */
export function writeCookedHeader(walker: BlockWalker): number {
  const { at, words, start } = walker;
  const from = (at + HEADER.address) >>> 2;
  // sockaddr_ll begins with family and protocol, and is in this machine's byte order but for the latter.
  const protocol = words[from];
  const index = words[from + ADDRESS.interfaceIndex / 4];
  const kinds = words[from + ADDRESS.hardwareType / 4];
  const senderFirst = words[from + ADDRESS.address / 4];
  const senderSecond = words[from + ADDRESS.address / 4 + 1];
  if (!LITTLE_ENDIAN || (start & 3) !== 0 || hasVlanTag(walker) || isBehindTag(walker))
    return writeByBytes(walker);
  const header = start - SLL2_BYTES;
  const to = header >>> 2;
  words[to] = protocol >>> 16;
  words[to + SLL2.interfaceIndex / 4] = swapped(index);
  words[to + SLL2.hardwareType / 4] = (kinds & 0xffff_0000) | ((kinds & 0xff) << 8) | ((kinds >>> 8) & 0xff);
  words[to + SLL2.address / 4] = senderFirst;
  words[to + SLL2.address / 4 + 1] = senderSecond;
  return header;
}

/**
 * Does the packet begin with the inside of a VLAN tag that its protocol does not tell of? Since Linux 6.10 a cooked
 * socket is given the protocol behind all tags (net/packet/af_packet.c, vlan_get_protocol_dgram), though those in the
 * data are still there, so that an IP packet seems to begin with tag control information and its own protocol.
 */
function isBehindTag({ at, bytes, start, end, originalBytes }: BlockWalker): boolean {
  const field = at + HEADER.address + ADDRESS.protocol;
  const protocol = (bytes[field] << 8) | bytes[field + 1];
  const version = protocol === ETHER_TYPE.ipv4 ? 4 : protocol === ETHER_TYPE.ipv6 ? 6 : 0;
  if (version === 0 || start + VLAN_TAG_BYTES >= end) return false;
  const second = (bytes[start + 2] << 8) | bytes[start + 3];
  if (second !== protocol || bytes[start + VLAN_TAG_BYTES] >>> 4 !== version) return false;
  if (bytes[start] >>> 4 !== version) return true;
  // Priority 2 or 3 looks like IP's version: an IPv4 packet of this length would be as long as that.
  return version === 4 && second > originalBytes;
}

function swapped(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/** The same on any machine, at any offset, and with a tag. */
export function writeByBytes(walker: BlockWalker): number {
  const { at, bytes, words, halves, start, interfaceIndex } = walker;
  const address = at + HEADER.address;
  const hardwareType = halves[(address + ADDRESS.hardwareType) >>> 1];
  let protocol = (bytes[address + ADDRESS.protocol] << 8) | bytes[address + ADDRESS.protocol + 1];
  if (isBehindTag(walker)) protocol = TPID_CTAG;
  const tagged = hasVlanTag(walker);
  const tag = tagged ? tagProtocol(walker) : 0;
  const information = words[(at + HEADER.vlanTci) >>> 2];
  const header = start - SLL2_BYTES - (tagged ? VLAN_TAG_BYTES : 0);
  // Packet type, length of the sender's address, the address: they stand together in both.
  bytes.copyWithin(header + SLL2.packetType, address + ADDRESS.packetType, address + ADDRESS.bytes);
  if (tagged) {
    putTag(bytes, start - VLAN_TAG_BYTES, information, protocol);
    protocol = tag;
  }
  putHalf(bytes, header + SLL2.protocol, protocol);
  putHalf(bytes, header + SLL2.reserved, 0);
  putHalf(bytes, header + SLL2.interfaceIndex, interfaceIndex >>> 16);
  putHalf(bytes, header + SLL2.interfaceIndex + 2, interfaceIndex);
  putHalf(bytes, header + SLL2.hardwareType, hardwareType);
  return header;
}

function putTag(bytes: Uint8Array, at: number, first: number, second: number): void {
  putHalf(bytes, at, first);
  putHalf(bytes, at + 2, second);
}

/** In network order. */
function putHalf(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}
