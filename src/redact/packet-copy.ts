import { u16, u32 } from '../decode/bytes.ts';
import type { AddressMap } from './addresses.ts';

/**
 * A packet and its redacted copy, byte under byte. The copy is all zeros at first: what nobody copies does not
 * survive.
 */
export class PacketCopy {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly addresses: AddressMap;

  /** `to` is as long as `from`, and zeros. */
  constructor(from: Uint8Array, to: Uint8Array, addresses: AddressMap) {
    this.from = from;
    this.to = to;
    this.addresses = addresses;
  }

  /** Copies bytes that tell nothing; what lies beyond the captured bytes is left out. */
  copy(start: number, end: number): void {
    if (end > start) this.to.set(this.from.subarray(start, end), start);
  }

  byte(at: number): number {
    return this.from[at] ?? 0;
  }

  u16(at: number): number {
    return at + 2 <= this.from.length ? u16(this.from, at) : 0;
  }

  u32(at: number): number {
    return at + 4 <= this.from.length ? u32(this.from, at) : 0;
  }

  set16(at: number, value: number): void {
    this.to[at] = value >>> 8;
    this.to[at + 1] = value & 0xff;
  }

  ipv4(at: number): void {
    if (at + 4 <= this.from.length) this.addresses.copyIpv4(this.from, this.to, at);
  }

  ipv6(at: number): void {
    if (at + 16 <= this.from.length) this.addresses.copyIpv6(this.from, this.to, at);
  }

  mac(at: number): void {
    if (at + 6 <= this.from.length) this.addresses.copyMac(this.from, this.to, at);
  }
}
