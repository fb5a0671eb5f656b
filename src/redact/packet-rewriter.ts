import { readHeader } from '../decode/decoder.ts';
import { Frame, NEXT, type Next } from '../decode/frame.ts';
import { linkLayer } from '../decode/link/link-types.ts';
import { readTcpHeader } from '../decode/tcp/tcp-header.ts';
import type { Packet } from '../model/packet.ts';
import type { AddressMap } from './addresses.ts';
import { ChecksumLayers } from './checksum-layers.ts';
import { copyHeader } from './header-copy.ts';
import { copyArp } from './network-copy.ts';
import { PacketCopy } from './packet-copy.ts';
import type { Tally } from './tally.ts';
import { copyIcmp, copyIcmpv6, copyTcpHeader } from './transport-copy.ts';

/** More headers than any honest packet has, as in the decoder. */
const MAX_HEADERS = 64;

/** Where the TCP payload of a packet stands in its stream. */
export interface StreamPlace {
  readonly connection: number;
  readonly direction: 0 | 1;
  /** Of the first payload byte. */
  readonly offset: number;
}

/** Gives what payloads become. */
export interface PayloadSource {
  /** Writes what `[place.offset + skip, …)` becomes to `target[at, at + length)`. */
  payload(place: StreamPlace, skip: number, length: number, target: Uint8Array, at: number): void;
}

/** Gives the redacted bytes of datagrams that came in fragments. */
export interface FragmentSource {
  /** The redacted payload of the fragment in this packet, or null: it is not known. */
  fragment(packet: Packet, fragmentOffset: number, length: number): Uint8Array | null;
}

/**
 * Writes the redacted copy of a packet. It walks down the headers as the decoder does and copies what it
 * understands; everything else is zero in the copy. Lengths stay, also that of what the snaplen cut off.
 */
export class PacketRewriter {
  readonly #addresses: AddressMap;
  readonly #tally: Tally;
  readonly #payloads: PayloadSource;
  readonly #fragments: FragmentSource | null;
  readonly #frame = new Frame();
  readonly #layers: ChecksumLayers;
  #target = new Uint8Array(2048);

  constructor(
    addresses: AddressMap,
    tally: Tally,
    payloads: PayloadSource,
    fragments: FragmentSource | null,
  ) {
    this.#addresses = addresses;
    this.#tally = tally;
    this.#payloads = payloads;
    this.#fragments = fragments;
    this.#layers = new ChecksumLayers(payloads);
  }

  /**
   * The redacted packet, in a buffer that is used again for the next one. `place`: of its TCP payload; null: not
   * known, or there is none.
   */
  rewrite(packet: Packet, place: StreamPlace | null): Uint8Array {
    const from = packet.bytes.subarray(packet.start, packet.end);
    if (this.#target.length < from.length) this.#target = new Uint8Array(from.length * 2);
    const to = this.#target.subarray(0, from.length).fill(0);
    const frame = this.#frame;
    frame.begin(from, 0, from.length, packet.originalBytes, packet.timeNs);
    this.#layers.clear();
    this.#walk(linkLayer(packet.linkType), new PacketCopy(from, to, this.#addresses), place, packet);
    return to;
  }

  /**
   * The redacted payload of an IP datagram that came in fragments: `from` its transport header on. Not to be called
   * while this rewriter is at another packet.
   */
  rewriteDatagram(from: Uint8Array, origin: DatagramOrigin, place: StreamPlace | null): Uint8Array {
    const to = new Uint8Array(from.length);
    const frame = this.#frame;
    frame.begin(from, 0, from.length, from.length, 0);
    frame.ipVersion = origin.ipVersion;
    frame.protocol = origin.protocol;
    this.#layers.clear();
    this.#layers.addAddresses(wordSum(origin.addresses), this.#redactedSum(origin));
    this.#walk(NEXT.transport, new PacketCopy(from, to, this.#addresses), place, null);
    return to;
  }

  /** Sum of the words of both addresses as they are in the copy. */
  #redactedSum({ ipVersion, addresses }: DatagramOrigin): number {
    const to = new Uint8Array(addresses.length);
    const copy = new PacketCopy(addresses, to, this.#addresses);
    const half = addresses.length / 2;
    for (const at of [0, half]) {
      if (ipVersion === 4) copy.ipv4(at);
      else copy.ipv6(at);
    }
    return wordSum(to);
  }

  /** `packet`: null inside of a reassembled datagram, where no further fragments are followed. */
  #walk(first: Next, copy: PacketCopy, place: StreamPlace | null, packet: Packet | null): void {
    const frame = this.#frame;
    let next = first;
    if (next === NEXT.stop) this.#scrubbed('unknown link type', copy.from.length);
    for (let count = 0; count < MAX_HEADERS && next !== NEXT.stop; count += 1) {
      const kind = next;
      const { offset: start, end, wireEnd, protocol } = frame;
      if (kind === NEXT.tcp) {
        this.#tcp(copy, place);
        break;
      }
      if (kind === NEXT.fragment) {
        this.#fragment(copy, packet);
        break;
      }
      next = readHeader(frame, kind);
      if (next === NEXT.stop && frame.offset === start) {
        this.#last(copy, protocol, start, end, wireEnd);
        break;
      }
      copyHeader(kind, copy, start, frame.offset);
      if (kind === NEXT.ipv4) this.#layers.addIpv4(copy, start, frame.offset);
      else if (kind === NEXT.ipv6) this.#layers.addIpv6(copy, start);
      else if (kind === NEXT.udp) this.#layers.addUdp(start, end, wireEnd);
      else if (kind === NEXT.gre) this.#layers.addGre(copy, start, end, wireEnd);
      if (next === NEXT.stop) this.#scrubbed(frame.reason, Math.max(0, frame.end - frame.offset));
    }
    this.#layers.mend(copy);
  }

  #tcp(copy: PacketCopy, place: StreamPlace | null): void {
    const frame = this.#frame;
    const { offset: start, end, wireEnd } = frame;
    if (!readTcpHeader(frame)) {
      this.#scrubbed(frame.reason, Math.max(0, end - start));
      return;
    }
    const payload = Math.min(frame.offset, end);
    copyTcpHeader(copy, start, Math.min(frame.offset, end));
    const length = end - payload;
    if (place !== null && length > 0) this.#payloads.payload(place, 0, length, copy.to, payload);
    if (place === null && length > 0) this.#scrubbed('TCP payload whose place is not known', length);
    this.#layers.addTcp(start, payload, end, wireEnd, place);
  }

  #fragment(copy: PacketCopy, packet: Packet | null): void {
    const frame = this.#frame;
    const length = Math.max(0, frame.end - frame.offset);
    const redacted =
      packet === null ? null : (this.#fragments?.fragment(packet, frame.fragmentOffset, length) ?? null);
    if (redacted === null) this.#scrubbed('fragment', length);
    else copy.to.set(redacted.subarray(0, length), frame.offset);
  }

  /** What stands where the walk ends: ARP and ICMP are understood, the rest is not. */
  #last(copy: PacketCopy, protocol: number, start: number, end: number, wireEnd: number): void {
    const { reason } = this.#frame;
    if (reason === 'arp') copyArp(copy, start, end);
    else if (reason === 'icmp') {
      const isVersion6 = protocol !== 1;
      if (isVersion6) copyIcmpv6(copy, start, end);
      else copyIcmp(copy, start, end);
      this.#layers.addIcmp(isVersion6, start, end, wireEnd);
    }
    this.#scrubbed(reason, Math.max(0, end - start));
  }

  #scrubbed(reason: string, bytes: number): void {
    this.#tally.add('packets scrubbed', reason);
    this.#tally.add('bytes of scrubbed packets', reason, bytes);
  }
}

/** What is known of the IP header around a datagram that came in fragments. */
export interface DatagramOrigin {
  readonly ipVersion: number;
  /** Number of the protocol of its payload. */
  readonly protocol: number;
  /** Source and destination as they stand in the header. */
  readonly addresses: Uint8Array;
}

/** Sum of 16-bit words. */
function wordSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  return sum;
}
