import { addWords, checksumOf, folded, mended } from './checksums.ts';
import type { PacketCopy } from './packet-copy.ts';
import type { PayloadSource, StreamPlace } from './packet-rewriter.ts';

/** Longest part of a segment, cut off by the snaplen, over which a checksum is still computed. */
const CUT_BYTES = 65_535;
const PROTOCOL = { tcp: 6, udp: 17, icmpv6: 58 } as const;
const CHECKSUM_AT = { ipv4: 10, tcp: 16, udp: 6, icmp: 2, gre: 4 } as const;

interface Layer {
  readonly kind: 'ipv4' | 'tcp' | 'udp' | 'icmp' | 'icmpv6' | 'gre';
  readonly start: number;
  readonly payload: number;
  readonly end: number;
  readonly wireEnd: number;
  /** Sums of the words of the addresses around it, before and after. */
  readonly addressesBefore: number;
  readonly addressesAfter: number;
  readonly place: StreamPlace | null;
}

/** The checksums of one packet: noted on the way down, mended on the way up, for outer ones cover inner ones. */
export class ChecksumLayers {
  readonly #payloads: PayloadSource;
  readonly #layers: Layer[] = [];
  #addressesBefore = 0;
  #addressesAfter = 0;

  constructor(payloads: PayloadSource) {
    this.#payloads = payloads;
  }

  clear(): void {
    this.#layers.length = 0;
    this.#addressesBefore = 0;
    this.#addressesAfter = 0;
  }

  /** The addresses around what follows, as sums of their words. */
  addAddresses(before: number, after: number): void {
    this.#addressesBefore = before;
    this.#addressesAfter = after;
  }

  addIpv4(packet: PacketCopy, start: number, headerEnd: number): void {
    this.#add('ipv4', start, start, headerEnd, headerEnd, null);
    this.#addressesBefore = addWords(0, packet.from, start + 12, start + 20);
    this.#addressesAfter = addWords(0, packet.to, start + 12, start + 20);
  }

  addIpv6(packet: PacketCopy, start: number): void {
    this.#addressesBefore = addWords(0, packet.from, start + 8, start + 40);
    this.#addressesAfter = addWords(0, packet.to, start + 8, start + 40);
  }

  addTcp(start: number, payload: number, end: number, wireEnd: number, place: StreamPlace | null): void {
    this.#add('tcp', start, payload, end, wireEnd, place);
  }

  addUdp(start: number, end: number, wireEnd: number): void {
    this.#add('udp', start, start, end, wireEnd, null);
  }

  addIcmp(isVersion6: boolean, start: number, end: number, wireEnd: number): void {
    this.#add(isVersion6 ? 'icmpv6' : 'icmp', start, start, end, wireEnd, null);
  }

  /** GRE has a checksum where a flag says so (RFC 2784 §2.1). */
  addGre(packet: PacketCopy, start: number, end: number, wireEnd: number): void {
    if ((packet.byte(start) & 0x80) !== 0) this.#add('gre', start, start, end, wireEnd, null);
  }

  /** Fills in all checksums of the copy, the innermost first. */
  mend(packet: PacketCopy): void {
    for (let index = this.#layers.length - 1; index >= 0; index -= 1)
      this.#mend(packet, this.#layers[index]!);
  }

  #add(
    kind: Layer['kind'],
    start: number,
    payload: number,
    end: number,
    wireEnd: number,
    place: StreamPlace | null,
  ): void {
    const addressesBefore = this.#addressesBefore;
    const addressesAfter = this.#addressesAfter;
    this.#layers.push({ kind, start, payload, end, wireEnd, addressesBefore, addressesAfter, place });
  }

  #mend(packet: PacketCopy, layer: Layer): void {
    const { kind, start, end, wireEnd } = layer;
    const at = start + (kind === 'icmpv6' ? CHECKSUM_AT.icmp : CHECKSUM_AT[kind]);
    if (at + 2 > end) return;
    const original = packet.u16(at);
    // UDP without a checksum (RFC 768).
    if (kind === 'udp' && original === 0) return;
    const [before, after] = pseudoSums(layer);
    const isWhole = end >= wireEnd;
    const wasRight = !isWhole || folded((before ?? 0) + addWords(0, packet.from, start, end)) === 0xffff;
    packet.set16(at, 0);
    const sum = (after ?? 0) + addWords(0, packet.to, start, end) + this.#cutSum(layer);
    const right = checksumOf(sum);
    const value = mended(original, wasRight, before, right, after ?? 0);
    packet.set16(at, kind === 'udp' && value === 0 ? 0xffff : value);
  }

  /** Words of what the snaplen cut off, as it would be in a whole copy of the packet. */
  #cutSum({ kind, start, payload, end, wireEnd, place }: Layer): number {
    const missing = wireEnd - end;
    if (kind !== 'tcp' || place === null || missing <= 0 || missing > CUT_BYTES) return 0;
    // Words count from the header's beginning: an odd length before shifts what follows by a byte.
    const shift = (end - start) & 1;
    const rest = new Uint8Array(missing + shift);
    this.#payloads.payload(place, end - payload, missing, rest, shift);
    return addWords(0, rest, 0, rest.length);
  }
}

/** Sums of the pseudo headers (RFC 9293 §3.1, RFC 8200 §8.1) before and after; null: the checksum covers none. */
function pseudoSums(layer: Layer): [number | null, number | null] {
  const { kind, start, wireEnd, addressesBefore, addressesAfter } = layer;
  if (kind === 'ipv4' || kind === 'icmp' || kind === 'gre') return [null, null];
  const length = wireEnd - start;
  const more = (length & 0xffff) + Math.floor(length / 0x10000) + PROTOCOL[kind];
  return [addressesBefore + more, addressesAfter + more];
}
