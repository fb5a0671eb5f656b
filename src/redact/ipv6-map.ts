import { BranchMap } from './branch-map.ts';
import type { RedactionKey } from './key.ts';

const NON_ZERO = Array.from({ length: 15 }, (_, index) => index + 1);
const ALL = Array.from({ length: 16 }, (_, index) => index);
/** Groups up to which an address belongs to a network that is kept; see SPECIAL. */
const SPECIAL: readonly string[] = [
  '2001:db8',
  'fe80',
  'fe8',
  'fe9',
  'fea',
  'feb',
  'fc',
  'fd',
  'ff',
  '64:ff9b',
];
/** Solicited-node multicast (RFC 4291 §2.7.1) holds the last 24 bits of somebody's address. */
const SOLICITED_NODE = 'ff02:0:0:0:0:1:ff';

/**
 * IPv6 addresses to others of the same text length, one to one: digit by digit, a group that is zero stays zero,
 * and the others keep their number of digits. Addresses that share a prefix of whole digits share one as long
 * afterwards. Documentation, unique local, link-local, multicast and NAT64 prefixes stay what they are.
 */
export class Ipv6Map {
  readonly #branches: BranchMap;
  readonly #key: RedactionKey;

  constructor(key: RedactionKey) {
    this.#branches = new BranchMap(key, 'ipv6');
    this.#key = key;
  }

  /** The eight groups that stand for `groups`; IPv4-mapped addresses are the caller's business. */
  map(groups: readonly number[]): number[] {
    if ((groups[0]! & 0xff00) === 0xff00) return this.#multicast(groups);
    if (groups.every((group, index) => (index < 7 ? group === 0 : group <= 1))) return [...groups];
    const mapped: number[] = [];
    let path = '';
    for (const group of groups) {
      mapped.push(this.#group(path, group));
      path += `${path === '' ? '' : ':'}${group.toString(16)}`;
    }
    return mapped;
  }

  #group(prefix: string, group: number): number {
    if (group === 0) return 0;
    const text = group.toString(16);
    let mapped = '';
    for (let index = 0; index < text.length; index += 1) {
      const before = text.slice(0, index);
      const path = `${prefix}${prefix === '' ? '' : ':'}${before}`;
      const fixed = new Set<number>();
      for (const special of SPECIAL) {
        if (special.length > path.length && special.startsWith(path) && special[path.length] !== ':')
          fixed.add(Number.parseInt(special[path.length]!, 16));
      }
      // ::1 stays, so nothing else becomes it.
      if (prefix === '0:0:0:0:0:0:0' && text.length === 1) fixed.add(1);
      const members = (index === 0 ? NON_ZERO : ALL).filter((digit) => !fixed.has(digit));
      const digit = Number.parseInt(text[index]!, 16);
      mapped += this.#branches.step(`${text.length} ${path}`, members, digit).toString(16);
    }
    return Number.parseInt(mapped, 16);
  }

  #multicast(groups: readonly number[]): number[] {
    const text = groups.map((group) => group.toString(16)).join(':');
    if (!text.startsWith(SOLICITED_NODE) || (groups[6]! & 0xff00) !== 0xff00) return [...groups];
    const low = this.solicited(((groups[6]! & 0xff) << 16) | groups[7]!);
    return [...groups.slice(0, 6), 0xff00 | (low >>> 16), low & 0xffff];
  }

  /** What the last 24 bits of an address become in its solicited-node group, also in the Ethernet address of that. */
  solicited(low24: number): number {
    const bytes = this.#key.bytes('solicited-node', String(low24), 3);
    return (bytes[0]! << 16) | (bytes[1]! << 8) | bytes[2]!;
  }
}
