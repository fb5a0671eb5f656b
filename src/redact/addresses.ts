import { BranchMap } from './branch-map.ts';
import { Ipv4Map } from './ipv4-map.ts';
import { Ipv6Map } from './ipv6-map.ts';
import type { RedactionKey } from './key.ts';

/** Addresses remembered with what they became. */
const CACHED_ADDRESSES = 200_000;
const OCTET = '(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])';
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const IPV6_CHARACTERS = /^[0-9a-f:.]{2,45}$/i;

/**
 * Pseudonyms of addresses: one to one, of the same length as text, prefixes kept. In headers as bytes and in
 * heads as text the same address gets the same pseudonym.
 */
export class AddressMap {
  readonly #ipv4: Ipv4Map;
  readonly #ipv6: Ipv6Map;
  readonly #macs: BranchMap;
  readonly #keep: boolean;
  readonly #known = new Map<string, readonly number[]>();
  readonly #macsKnown = new Map<string, readonly number[]>();

  /** `keep`: addresses stay as they are. */
  constructor(key: RedactionKey, keep = false) {
    this.#ipv4 = new Ipv4Map(key);
    this.#ipv6 = new Ipv6Map(key);
    this.#macs = new BranchMap(key, 'mac');
    this.#keep = keep;
  }

  /** Distinct addresses that became others; no more than are remembered. */
  get replaced(): number {
    return changed(this.#known, '.', ':');
  }

  /** The same of hardware addresses. */
  get macsReplaced(): number {
    return changed(this.#macsKnown, '.');
  }

  /** Writes the pseudonym of the IPv4 address at `from[at]` to `to[at]`. */
  copyIpv4(from: Uint8Array, to: Uint8Array, at: number): void {
    const octets = [...from.subarray(at, at + 4)];
    to.set(this.#v4(octets), at);
  }

  /** Writes the pseudonym of the IPv6 address at `from[at]` to `to[at]`. */
  copyIpv6(from: Uint8Array, to: Uint8Array, at: number): void {
    const groups: number[] = [];
    for (let index = 0; index < 16; index += 2) groups.push((from[at + index]! << 8) | from[at + index + 1]!);
    this.#v6(groups).forEach((group, index) => {
      to[at + index * 2] = group >>> 8;
      to[at + index * 2 + 1] = group & 0xff;
    });
  }

  /**
   * Writes the pseudonym of the hardware address (EUI-48) at `from[at]` to `to[at]`. The bits for groups and for
   * local administration are kept, the manufacturer is not.
   */
  copyMac(from: Uint8Array, to: Uint8Array, at: number): void {
    const bytes = [...from.subarray(at, at + 6)];
    to.set(this.#keep ? bytes : this.#mac(bytes), at);
  }

  /** The pseudonym of an address as text, of equal length; null: this is no address. */
  text(address: string): string | null {
    if (IPV4.test(address)) return this.#v4(address.split('.').map(Number)).join('.');
    if (!address.includes(':') || !IPV6_CHARACTERS.test(address)) return null;
    const groups = parseIpv6(address);
    return groups === null ? null : this.#likeText(address, groups);
  }

  /** Groups put into the places where the text has them: zeros, `::` and the case of digits stay. */
  #likeText(address: string, groups: readonly number[]): string {
    const mapped = this.#v6(groups);
    const upper = /[A-F]/.test(address);
    const digits = (group: number, like: string): string => {
      const text = group.toString(16).padStart(like.length, '0');
      return upper ? text.toUpperCase() : text;
    };
    const gap = address.indexOf('::');
    const parts = (text: string): string[] => (text === '' ? [] : text.split(':'));
    const head = parts(gap < 0 ? address : address.slice(0, gap));
    const tail = parts(gap < 0 ? '' : address.slice(gap + 2));
    const dotted = address.includes('.');
    const shown = (part: string, place: number): string =>
      part.includes('.')
        ? [mapped[6]! >>> 8, mapped[6]! & 255, mapped[7]! >>> 8, mapped[7]! & 255].join('.')
        : digits(mapped[place]!, part);
    const first = head.map((part, index) => shown(part, index));
    const last = tail.map((part, index) => shown(part, 8 - tail.length - (dotted ? 1 : 0) + index));
    const text = gap < 0 ? first.join(':') : `${first.join(':')}::${last.join(':')}`;
    return text.length === address.length ? text : address.replace(/[0-9a-f]/gi, '0');
  }

  #v4(octets: readonly number[]): readonly number[] {
    if (this.#keep) return octets;
    return this.#remembered(octets.join('.'), () => this.#ipv4.map(octets));
  }

  #v6(groups: readonly number[]): readonly number[] {
    if (this.#keep) return groups;
    return this.#remembered(groups.join(':'), () => {
      // IPv4-mapped (RFC 4291 §2.5.5.2): as the IPv4 address in it.
      if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
        const octets = this.#ipv4.map([
          groups[6]! >>> 8,
          groups[6]! & 255,
          groups[7]! >>> 8,
          groups[7]! & 255,
        ]);
        return [0, 0, 0, 0, 0, 0xffff, (octets[0]! << 8) | octets[1]!, (octets[2]! << 8) | octets[3]!];
      }
      return this.#ipv6.map(groups);
    });
  }

  #remembered(name: string, make: () => readonly number[]): readonly number[] {
    let mapped = this.#known.get(name);
    if (mapped === undefined) {
      mapped = make();
      if (this.#known.size >= CACHED_ADDRESSES) this.#known.clear();
      this.#known.set(name, mapped);
    }
    return mapped;
  }

  #mac(bytes: readonly number[]): readonly number[] {
    const name = bytes.join('.');
    let mapped = this.#macsKnown.get(name);
    if (mapped === undefined) {
      mapped = this.#mappedMac(bytes);
      if (this.#macsKnown.size >= CACHED_ADDRESSES) this.#macsKnown.clear();
      this.#macsKnown.set(name, mapped);
    }
    return mapped;
  }

  #mappedMac(bytes: readonly number[]): readonly number[] {
    // Nobody, everybody, and groups of IPv4, bridges and switches (IANA, IEEE 802.1D): they name no machine.
    if (bytes.every((byte) => byte === 0) || bytes.every((byte) => byte === 0xff)) return bytes;
    if (bytes[0] === 0x01 && ((bytes[1] === 0x00 && bytes[2] === 0x5e) || bytes[1] === 0x80)) return bytes;
    if (bytes[0] === 0x33 && bytes[1] === 0x33) {
      if (bytes[2] !== 0xff) return bytes;
      const low = this.#ipv6.solicited((bytes[3]! << 16) | (bytes[4]! << 8) | bytes[5]!);
      return [0x33, 0x33, 0xff, low >>> 16, (low >>> 8) & 255, low & 255];
    }
    const mapped: number[] = [];
    bytes.forEach((byte, index) => {
      const path = bytes.slice(0, index).join('.');
      const bits = index === 0 ? byte & 3 : 0;
      const members = index === 0 ? FIRST_BYTES[bits]! : ALL_BYTES;
      mapped.push(this.#macs.step(`${bits} ${path}`, members, byte));
    });
    return mapped;
  }
}

/** Entries whose name is not what they became. */
function changed(known: ReadonlyMap<string, readonly number[]>, ...separators: readonly string[]): number {
  let count = 0;
  for (const [name, mapped] of known)
    if (!separators.some((separator) => mapped.join(separator) === name)) count += 1;
  return count;
}

const ALL_BYTES = Array.from({ length: 256 }, (_, index) => index);
const FIRST_BYTES = [0, 1, 2, 3].map((bits) => ALL_BYTES.filter((byte) => (byte & 3) === bits));

/** The eight groups of an IPv6 address in any of the forms of RFC 4291 §2.2; null: it is none. */
function parseIpv6(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const groupsOf = (half: string): number[] | null => {
    if (half === '') return [];
    const groups: number[] = [];
    for (const part of half.split(':')) {
      if (IPV4.test(part) && half.endsWith(part)) {
        const [a, b, c, d] = part.split('.').map(Number) as [number, number, number, number];
        groups.push((a << 8) | b, (c << 8) | d);
      } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
      else return null;
    }
    return groups;
  };
  const [head, tail] = halves.map(groupsOf);
  if (head === null || head === undefined || tail === null) return null;
  if (tail === undefined) return head.length === 8 ? head : null;
  if (head.length + tail.length > 7) return null;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}
