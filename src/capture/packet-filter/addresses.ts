import { isIPv4, isIPv6 } from 'node:net';
import { EXIT, UserError } from '../../model/errors.ts';

/** A network: addresses whose bits under the masks are those of `words`. A single address has all bits in its masks. */
export interface AddressRange {
  readonly version: 4 | 6;
  /** One 32-bit word for IPv4, four for IPv6, unsigned; bits outside the masks are 0. */
  readonly words: readonly number[];
  readonly masks: readonly number[];
}

/** @throws UserError for what is not an IPv4 or IPv6 address */
export function parseHost(text: string): AddressRange {
  const address = addressOf(text);
  if (address === null) {
    throw usage(
      `--host ${text} is not an IPv4 or IPv6 address`,
      'names are never looked up: give the address, such as 10.0.0.1 or 2001:db8::1',
    );
  }
  return range(address.version, address.words, address.version === 4 ? 32 : 128);
}

/**
 * A network in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3), an address, or the first octets of an IPv4 network as
 * tcpdump takes them: `10.1` is 10.1.0.0/16.
 *
 * @throws UserError for anything else
 */
export function parseNet(text: string): AddressRange {
  const [address, length, ...more] = text.split('/');
  const prefix = prefixOf(address);
  const wrong = usage(
    `--net ${text} is not a network`,
    'write it as 10.0.0.0/8, 192.168.1.0/24 or 2001:db8::/32',
  );
  if (prefix === null || more.length > 0) throw wrong;
  if (length === undefined) return range(prefix.version, prefix.words, prefix.bits);
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (!(bits <= (prefix.version === 4 ? 32 : 128))) throw wrong;
  return range(prefix.version, prefix.words, bits);
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}

function range(version: 4 | 6, words: readonly number[], bits: number): AddressRange {
  const masks = words.map((_, index) => {
    const ones = Math.min(32, Math.max(0, bits - 32 * index));
    return ones === 0 ? 0 : (0xffff_ffff << (32 - ones)) >>> 0;
  });
  return { version, words: words.map((word, index) => (word & masks[index]) >>> 0), masks };
}

interface Address {
  readonly version: 4 | 6;
  readonly words: readonly number[];
}

function addressOf(text: string): Address | null {
  if (isIPv4(text)) return { version: 4, words: [ipv4Word(text.split('.'))] };
  // A zone (fe80::1%eth0) is not in packets.
  return isIPv6(text) && !text.includes('%') ? { version: 6, words: ipv6Words(text) } : null;
}

/** An address, or leading octets of an IPv4 network, with the bits that were given. */
function prefixOf(text: string): (Address & { bits: number }) | null {
  const address = addressOf(text);
  if (address !== null) return { ...address, bits: address.version === 4 ? 32 : 128 };
  const octets = text.split('.');
  const isPrefix =
    octets.length <= 3 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) < 256);
  if (!isPrefix) return null;
  return { version: 4, words: [ipv4Word([...octets, '0', '0', '0'].slice(0, 4))], bits: 8 * octets.length };
}

function ipv4Word(octets: readonly string[]): number {
  return octets.reduce((word, octet) => word * 256 + Number(octet), 0);
}

/** RFC 4291 §2.2: `::` stands for zeros, the last 32 bits may be written as an IPv4 address. */
function ipv6Words(text: string): number[] {
  const [left, right] = text.split('::') as [string, string | undefined];
  const head = groupsOf(left);
  const tail = right === undefined ? [] : groupsOf(right);
  const zeros = new Array<number>(8 - head.length - tail.length).fill(0);
  const groups = [...head, ...zeros, ...tail];
  return [0, 2, 4, 6].map((at) => groups[at] * 0x1_0000 + groups[at + 1]);
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const word = ipv4Word(group.split('.'));
    return [word >>> 16, word & 0xffff];
  });
}
