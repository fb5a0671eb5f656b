/** Addresses and networks. IPv4 inside IPv6 (`::ffff:10.0.0.1`, RFC 4291 §2.5.5.2) is also the IPv4 address. */

/** Eight groups of 16 bits, as of an IPv6 address; IPv4 addresses are held as the mapped ones. */
type Groups = readonly number[];

interface Address {
  readonly version: 4 | 6;
  readonly groups: Groups;
}

/** All addresses whose first `bits` bits are those of `groups`. The others are zero there. */
export interface Network {
  readonly version: 4 | 6;
  readonly groups: Groups;
  /** 0 to 128; of IPv4 networks from 96, counted in the mapped form. */
  readonly bits: number;
  /** As written, in the shortest form: `10.0.0.0/8`, `::1`. */
  readonly text: string;
}

const MAPPED_BITS = 96;
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const HEX_GROUP = /^[0-9a-fA-F]{1,4}$/;
const LONGEST_ADDRESS = 45;

function ipv4Groups(text: string): [number, number] | null {
  const match = IPV4.exec(text);
  if (match === null) return null;
  const bytes = [Number(match[1]), Number(match[2]), Number(match[3]), Number(match[4])];
  // A leading zero could mean octal: such addresses are refused (RFC 6943 §3.1.1).
  for (let index = 0; index < 4; index += 1) {
    if (bytes[index] > 255 || String(bytes[index]) !== match[index + 1]) return null;
  }
  return [bytes[0] * 256 + bytes[1], bytes[2] * 256 + bytes[3]];
}

function groupsOf(part: string): number[] | null {
  if (part === '') return [];
  const groups: number[] = [];
  const pieces = part.split(':');
  for (const [index, piece] of pieces.entries()) {
    if (index === pieces.length - 1 && piece.includes('.')) {
      const last = ipv4Groups(piece);
      if (last === null) return null;
      groups.push(...last);
    } else if (HEX_GROUP.test(piece)) groups.push(Number.parseInt(piece, 16));
    else return null;
  }
  return groups;
}

/** null: not an address in the forms of RFC 4291 §2.2. */
function parseAddress(text: string): Address | null {
  if (text.length > LONGEST_ADDRESS) return null;
  const v4 = ipv4Groups(text);
  if (v4 !== null) return { version: 4, groups: [0, 0, 0, 0, 0, 0xffff, ...v4] };
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0]);
  const tail = halves.length === 2 ? groupsOf(halves[1]) : [];
  if (head === null || tail === null || (halves.length === 2 && halves[0].includes('.'))) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  return { version: 6, groups: [...head, ...new Array<number>(missing).fill(0), ...tail] };
}

function isMapped(groups: Groups): boolean {
  for (let index = 0; index < 5; index += 1) if (groups[index] !== 0) return false;
  return groups[5] === 0xffff;
}

const PREFIX = /^\d{1,3}$/;

/** An address (`10.0.0.1`, `::1`) or network (`10.0.0.0/8`); bits beyond the prefix are cleared. null: neither. */
export function parseNetwork(text: string): Network | null {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const most = address.version === 4 ? 32 : 128;
  let bits = most;
  if (slash >= 0) {
    const prefix = text.slice(slash + 1);
    bits = Number(prefix);
    if (!PREFIX.test(prefix) || bits > most) return null;
  }
  if (address.version === 4) bits += MAPPED_BITS;
  const groups = address.groups.map((group, index) => group & maskOf(bits, index));
  const version = bits >= MAPPED_BITS && isMapped(groups) ? 4 : 6;
  return { version, groups, bits, text: networkText(version, groups, bits) };
}

function maskOf(bits: number, index: number): number {
  const own = Math.min(16, Math.max(0, bits - index * 16));
  return (0xffff << (16 - own)) & 0xffff;
}

function networkText(version: 4 | 6, groups: Groups, bits: number): string {
  if (version === 4) {
    const [high, low] = [groups[6], groups[7]];
    const address = `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
    return bits === 128 ? address : `${address}/${bits - MAPPED_BITS}`;
  }
  const address = groups.map((group) => group.toString(16)).join(':').replace(/(^|:)0(:0)*(:|$)/, '::'); // biome-ignore format: one line reads better
  return bits === 128 ? address : `${address}/${bits}`;
}

function contains(network: Network, { version, groups }: Address): boolean {
  // IPv6 networks hold what is written as IPv6, IPv4 networks also what is mapped.
  if (network.version === 6 && version === 4) return false;
  for (let index = 0; index * 16 < network.bits; index += 1) {
    if ((groups[index] & maskOf(network.bits, index)) !== network.groups[index]) return false;
  }
  return true;
}

/** Addresses whose answer is remembered; then the memory starts anew. */
const ADDRESSES_REMEMBERED = 4_096;

/** Whether an address lies in one of the networks; false for texts that are no address. Remembers answers. */
export function networkTest(networks: readonly Network[]): (address: string) => boolean {
  const known = new Map<string, boolean>();
  let lastText = '';
  let lastAnswer = false;
  return (text) => {
    if (text === lastText) return lastAnswer;
    let answer = known.get(text);
    if (answer === undefined) {
      const address = parseAddress(text);
      answer = address !== null && networks.some((network) => contains(network, address));
      if (known.size >= ADDRESSES_REMEMBERED) known.clear();
      known.set(text, answer);
    }
    lastText = text;
    lastAnswer = answer;
    return answer;
  };
}
