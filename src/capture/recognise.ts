import { UserError } from '../model/errors.ts';
import type { Compression } from '../model/packet.ts';
import { STANDARD_INPUT } from './input.ts';
import { SKIPPABLE_MAGIC, ZSTD_MAGIC } from './zstd-frames.ts';

/** What the first bytes of an input say it is. */
export type Recognised =
  | {
      readonly kind: 'pcap';
      readonly little: boolean;
      readonly nanoseconds: boolean;
      readonly modified: boolean;
    }
  | { readonly kind: 'pcapng' }
  | { readonly kind: 'compressed'; readonly by: Exclude<Compression, 'none'> }
  | { readonly kind: 'other'; readonly refusal: Refusal };

interface Refusal {
  readonly code: 'empty-capture' | 'unsupported-format' | 'not-a-capture';
  readonly what: string;
  /** What to do; `{file}` stands for its path. */
  readonly hint: string;
}

/** Bytes that decide, unless the input has fewer. */
export const DECIDING_BYTES = 24;
/** Bytes worth looking at where the first do not decide. */
export const HEAD_BYTES = 4096;

/** First four bytes of a pcap file, read as big-endian, with Kuznetzov's longer records last. */
const PCAP_MAGICS: Record<number, readonly [little: boolean, nanoseconds: boolean, modified: boolean]> = {
  2712847316: [false, false, false],
  3569595041: [true, false, false],
  2712812621: [false, true, false],
  1295823521: [true, true, false],
  2712849716: [false, false, true],
  885895841: [true, false, true],
};
export const SECTION_HEADER = 0x0a0d0d0a;
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

const UNPACK = (tool: string) => `run: ${tool} {file} | wirelens analyze -`;
const CONVERT = 'convert it with: editcap -F pcapng {file} out.pcapng';

const REFUSED: readonly (readonly [start: string, what: string, hint: string])[] = [
  ['\xfd7zXZ\0', 'is xz-compressed', UNPACK('xz -dc')],
  ['BZh', 'is bzip2-compressed', UNPACK('bzip2 -dc')],
  ['\x04\x22\x4d\x18', 'is lz4-compressed', UNPACK('lz4 -dc')],
  ['\x02\x21\x4c\x18', 'is lz4-compressed', UNPACK('lz4 -dc')],
  ['LZIP', 'is lzip-compressed', UNPACK('lzip -dc')],
  ['\x1f\x9d', 'is compressed with compress(1)', UNPACK('gzip -dc')],
  ['PK\x03\x04', 'is a zip archive', UNPACK('unzip -p')],
  ['PK\x05\x06', 'is an empty zip archive', 'give a capture'],
  ['7z\xbc\xaf\x27\x1c', 'is a 7-Zip archive', UNPACK('7z e -so')],
  ['Rar!', 'is a RAR archive', 'unpack it first'],
  ['snoop\0\0\0', 'is a snoop capture, which is not understood', CONVERT],
  ['RTSS', 'is a Network Monitor 1 capture, which is not understood', CONVERT],
  ['GMBU', 'is a Network Monitor capture, which is not understood', CONVERT],
  ['XCP\0', 'is a NetXRay capture, which is not understood', CONVERT],
  ['TRSNIFF data', 'is a Sniffer capture, which is not understood', CONVERT],
  ['iptrace ', 'is an iptrace capture, which is not understood', CONVERT],
  ['\x1c\0\x01\xab', 'is an IxVeriWave capture, which is not understood', CONVERT],
  ['\x1c\0\x01\xac', 'is an IxVeriWave capture, which is not understood', CONVERT],
  ['SQLite format 3\0', 'is a SQLite file, not a capture', 'query it with: wirelens sql {file} "select ..."'],
  ['\x7fELF', 'is a program, not a capture', 'give a pcap or pcapng file'],
  ['%PDF', 'is a PDF, not a capture', 'give a pcap or pcapng file'],
];

/** `head` holds at least DECIDING_BYTES unless the whole input is shorter. */
export function recognise(head: Uint8Array): Recognised {
  if (head.length === 0) return other('empty-capture', 'is empty', 'check that the recording wrote anything');
  if (head.length < 4) {
    return other('not-a-capture', `has only ${head.length} bytes`, 'give a pcap or pcapng file');
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const first = view.getUint32(0);
  const pcap = PCAP_MAGICS[first];
  if (pcap !== undefined) return { kind: 'pcap', little: pcap[0], nanoseconds: pcap[1], modified: pcap[2] };
  if (first === SECTION_HEADER && startsSection(view)) return { kind: 'pcapng' };
  if (first >>> 16 === 0x1f8b) return { kind: 'compressed', by: 'gzip' };
  const little = view.getUint32(0, true);
  if (little === ZSTD_MAGIC || (little & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
    return { kind: 'compressed', by: 'zstd' };
  }
  const start = String.fromCharCode(...head.subarray(0, 32));
  for (const [magic, what, hint] of REFUSED) {
    if (start.startsWith(magic)) return other('unsupported-format', what, hint);
  }
  return recogniseByLook(head, view);
}

/** A section that is cut before its byte-order magic still counts as one. */
function startsSection(view: DataView): boolean {
  if (view.byteLength < 12) return true;
  return view.getUint32(8) === BYTE_ORDER_MAGIC || view.getUint32(8, true) === BYTE_ORDER_MAGIC;
}

function recogniseByLook(head: Uint8Array, view: DataView): Recognised {
  if (head.length >= 262 && String.fromCharCode(...head.subarray(257, 262)) === 'ustar') {
    return other('unsupported-format', 'is a tar archive', UNPACK('tar -xOf'));
  }
  if (looksLikeText(head)) {
    const text = new TextDecoder().decode(head.subarray(0, 64)).trimStart();
    if (/^[{[]/.test(text)) {
      return other(
        'not-a-capture',
        'is JSON, not a capture',
        'give the pcap or pcapng file it was made from',
      );
    }
    if (/^<[?!a-z]/i.test(text)) {
      return other('not-a-capture', 'is XML or HTML, not a capture', 'give a pcap or pcapng file');
    }
    return other(
      'not-a-capture',
      'is text, not a capture',
      'record packets with: tcpdump -w new.pcap (a hex dump can be converted with text2pcap)',
    );
  }
  if (looksLikeErf(head, view)) {
    return other('unsupported-format', 'looks like an ERF capture, which is not understood', CONVERT);
  }
  return other(
    'not-a-capture',
    `is not a capture that is understood (it begins with ${hexadecimal(head)})`,
    'give a pcap or pcapng file, plain or compressed with gzip or zstd; other formats: editcap -F pcapng {file} out.pcapng',
  );
}

function looksLikeText(head: Uint8Array): boolean {
  return head.every((byte) => byte >= 0x20 || (byte >= 0x08 && byte <= 0x0d) || byte === 0x1b);
}

/** ERF has no magic: a 16-byte record header with seconds of this century, a known type and sane lengths. */
function looksLikeErf(head: Uint8Array, view: DataView): boolean {
  if (head.length < 16) return false;
  const seconds = view.getUint32(4, true);
  const type = head[8]! & 0x7f;
  const recordBytes = view.getUint16(10);
  return seconds > 0x38000000 && seconds < 0xf0000000 && type >= 1 && type <= 48 && recordBytes >= 16;
}

function hexadecimal(head: Uint8Array): string {
  return Array.from(head.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function other(code: Refusal['code'], what: string, hint: string): Recognised {
  return { kind: 'other', refusal: { code, what, hint } };
}

/** The error for an input that is not a capture. `within` names the compression it was found in. */
export function refuse(path: string, refusal: Refusal, within: Compression): UserError {
  const inside = within === 'none' ? '' : `is ${within}-compressed, and what it holds `;
  return new UserError(refusal.code, inside + refusal.what, {
    place: { file: path, byteOffset: 0 },
    hint: hintFor(path, refusal.hint, within),
  });
}

const DECOMPRESS = { none: '', gzip: 'gzip -dc', zstd: 'zstd -dc' } as const;

function hintFor(path: string, hint: string, within: Compression): string {
  const [, tool] = /^run: (.*) \{file\} \|/.exec(hint) ?? [];
  if (tool !== undefined && path === STANDARD_INPUT) {
    const tools = within === 'none' ? tool : `${DECOMPRESS[within]} | ${tool}`;
    return `pipe it through \`${tools}\` first`;
  }
  const file = path === STANDARD_INPUT ? 'FILE' : shellWord(path);
  if (within === 'none') return hint.replaceAll('{file}', () => file);
  if (tool !== undefined) return `run: ${DECOMPRESS[within]} ${file} | ${tool} | wirelens analyze -`;
  return hint.replaceAll('{file}', 'UNPACKED');
}

function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
