import { BranchMap } from './branch-map.ts';
import type { RedactionKey } from './key.ts';

/**
 * Octets that change places with each other behind a given prefix: always of the same number of decimal digits, so
 * that the address keeps the length of its text. Octets with a meaning (private and special networks, RFC 6890)
 * keep their place, or change it only inside their network.
 */
function octetClasses(prefix: readonly number[]): readonly (readonly number[])[] {
  const name = prefix.join('.');
  const known = CLASSES.get(name);
  if (known !== undefined) return known;
  return prefix.length === 3 ? LAST_OCTET : ANY_OCTET;
}

function range(from: number, to: number, without: readonly number[] = []): number[] {
  const members: number[] = [];
  for (let value = from; value <= to; value += 1) if (!without.includes(value)) members.push(value);
  return members;
}

const ANY_OCTET = [range(0, 9), range(10, 99), range(100, 255)];
/** 0 and 255 are a network and its broadcast address. */
const LAST_OCTET = [range(1, 9), range(10, 99), range(100, 254)];
const CLASSES = new Map<string, readonly (readonly number[])[]>([
  ['', [range(1, 9), range(11, 99), range(100, 223, [100, 127, 169, 172, 192, 198, 203])]],
  ['100', [range(0, 9), range(10, 63), range(64, 99), range(100, 127), range(128, 255)]],
  ['169', [range(0, 9), range(10, 99), range(100, 255, [254])]],
  ['172', [range(0, 9), range(10, 15), range(16, 31), range(32, 99), range(100, 255)]],
  ['192', [range(1, 9), range(10, 99), range(100, 255, [168])]],
  ['192.0', [range(0, 9, [2]), range(10, 99), range(100, 255)]],
  ['198', [range(0, 9), range(10, 99, [51]), range(100, 255)]],
  ['198.51', [range(0, 9), range(10, 99), range(101, 255)]],
  ['203', [range(1, 9), range(10, 99), range(100, 255)]],
  ['203.0', [range(0, 9), range(10, 99), range(100, 255, [113])]],
]);

/** This host, loopback, link-local, multicast and beyond say nothing about anybody: they stay. */
function isUniversal(first: number, second: number): boolean {
  return first === 0 || first === 127 || first >= 224 || (first === 169 && second === 254);
}

/**
 * IPv4 addresses to others of the same text length, one to one. Two addresses that share their first 8, 16 or 24
 * bits share as many afterwards.
 */
export class Ipv4Map {
  readonly #branches: BranchMap;

  constructor(key: RedactionKey) {
    this.#branches = new BranchMap(key, 'ipv4');
  }

  /** The four octets that stand for `octets`. */
  map(octets: readonly number[]): number[] {
    if (isUniversal(octets[0]!, octets[1]!)) return [...octets];
    const mapped: number[] = [];
    for (let index = 0; index < 4; index += 1) {
      const prefix = octets.slice(0, index);
      const value = octets[index]!;
      const members = octetClasses(prefix).find((one) => one.includes(value)) ?? [value];
      mapped.push(this.#branches.step(prefix.join('.'), members, value));
    }
    return mapped;
  }
}
