/**
 * Writes a pcapng capture of one section (draft-ietf-opsawg-pcapng §4): section header, interface descriptions,
 * enhanced packets with comments, interface statistics. Little-endian.
 */

const BLOCK = { section: 0x0a0d0d0a, interface: 1, statistics: 5, enhancedPacket: 6 } as const;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const VERSION = { major: 1, minor: 0 } as const;
const OPTION = {
  end: 0,
  comment: 1,
  application: 4,
  name: 2,
  resolution: 9,
  received: 4,
  dropped: 5,
} as const;
/** Type and length before a block's body, length again after it. */
const FRAME_BYTES = 12;
const PACKET_HEAD_BYTES = 20;
/** Bytes of one option's value, by its 16-bit length. */
const OPTION_BYTES = 65_535;
/** Bytes gathered before they are handed on. */
const CHUNK_BYTES = 256 * 1024;
const NS_PER_SECOND = 1_000_000_000n;

export interface PcapngSection {
  /** Program that writes the file, for shb_userappl. `wirelens 0.1.0` */
  readonly application: string;
  readonly comments?: readonly string[];
}

export interface PcapngInterface {
  /** LINKTYPE_ number, 0 to 65535. */
  readonly linkType: number;
  /** 0: no limit stated. */
  readonly snaplen: number;
  /** if_name; null: none. */
  readonly name: string | null;
  /** Digits after the second in its time stamps, as in CaptureInterface: up to 6 are written as microseconds, more as nanoseconds. */
  readonly timeDigits: number;
  readonly comments?: readonly string[];
}

export interface PcapngPacket {
  /** What `addInterface` gave. */
  readonly interfaceId: number;
  /** ns since `epochSeconds` (whole seconds since 1970). What is before 1970 becomes 1970, finer than the interface's digits is cut off. */
  readonly epochSeconds: number;
  readonly timeNs: number;
  /** Captured bytes `bytes[start, end)`; copied. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly originalBytes: number;
  /** Each is cut to 65535 bytes of UTF-8. */
  readonly comments?: readonly string[];
}

export interface PcapngStatistics {
  readonly received: number | null;
  readonly dropped: number | null;
}

interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

/**
 * The file grows in order: interfaces may be added at any time before their first packet. Bytes are handed to
 * `write` in chunks, which belong to it from then on; call `finish` at the end.
 */
export class PcapngWriter {
  readonly #write: (bytes: Uint8Array) => void;
  /** Fractions of a second that a time stamp counts, by interface id. */
  readonly #ticksPerSecond: bigint[] = [];
  /** Time stamp of the last packet, by interface id. */
  readonly #lastTicks: bigint[] = [];
  #chunk = new Uint8Array(CHUNK_BYTES);
  #view = new DataView(this.#chunk.buffer);
  #at = 0;
  #bytes = 0;
  #packets = 0;

  constructor(write: (bytes: Uint8Array) => void, section: PcapngSection) {
    this.#write = write;
    const options = [
      ...commentOptions(section.comments),
      textOption(OPTION.application, section.application),
    ];
    this.#begin(BLOCK.section, 16 + optionsBytes(options));
    this.#u32(BYTE_ORDER_MAGIC);
    this.#u16(VERSION.major);
    this.#u16(VERSION.minor);
    // Section length: not stated.
    this.#u32(0xffff_ffff);
    this.#u32(0xffff_ffff);
    this.#options(options);
    this.#end(16 + optionsBytes(options));
  }

  /** Bytes of the file so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Packets so far. */
  get packets(): number {
    return this.#packets;
  }

  /** Describes an interface; returns its number in the file, from 0. */
  addInterface({ linkType, snaplen, name, timeDigits, comments }: PcapngInterface): number {
    const digits = timeDigits > 6 ? 9 : 6;
    const options = [
      ...commentOptions(comments),
      ...(name === null ? [] : [textOption(OPTION.name, name)]),
      { code: OPTION.resolution, value: Uint8Array.of(digits) },
    ];
    const bodyBytes = 8 + optionsBytes(options);
    this.#begin(BLOCK.interface, bodyBytes);
    this.#u16(linkType);
    this.#u16(0);
    this.#u32(snaplen);
    this.#options(options);
    this.#end(bodyBytes);
    this.#lastTicks.push(0n);
    return this.#ticksPerSecond.push(10n ** BigInt(digits)) - 1;
  }

  packet(packet: PcapngPacket): void {
    const { interfaceId, bytes, start, end, originalBytes } = packet;
    const captured = end - start;
    const options = commentOptions(packet.comments);
    const bodyBytes = PACKET_HEAD_BYTES + padded(captured) + optionsBytes(options);
    const ticks = this.#ticks(interfaceId, packet.epochSeconds, packet.timeNs);
    this.#lastTicks[interfaceId] = ticks;
    this.#begin(BLOCK.enhancedPacket, bodyBytes);
    this.#u32(interfaceId);
    this.#time(ticks);
    this.#u32(captured);
    this.#u32(Math.max(captured, originalBytes));
    this.#copy(bytes.subarray(start, end));
    this.#options(options);
    this.#end(bodyBytes);
    this.#packets += 1;
  }

  /** The kernel's counters of an interface; to be written after its packets. Nothing is written when both are null. */
  statistics(interfaceId: number, { received, dropped }: PcapngStatistics): void {
    const options: Option[] = [];
    if (received !== null) options.push({ code: OPTION.received, value: counter(received) });
    if (dropped !== null) options.push({ code: OPTION.dropped, value: counter(dropped) });
    if (options.length === 0) return;
    const bodyBytes = 12 + optionsBytes(options);
    this.#begin(BLOCK.statistics, bodyBytes);
    this.#u32(interfaceId);
    this.#time(this.#lastTicks[interfaceId] ?? 0n);
    this.#options(options);
    this.#end(bodyBytes);
  }

  /** Hands on what is left. */
  finish(): void {
    this.#flush();
  }

  #ticks(interfaceId: number, epochSeconds: number, timeNs: number): bigint {
    const ns = BigInt(epochSeconds) * NS_PER_SECOND + BigInt(Math.round(timeNs));
    const perSecond = this.#ticksPerSecond[interfaceId];
    if (perSecond === undefined) throw new RangeError(`interface ${interfaceId} was not added`);
    return ns < 0n ? 0n : (ns * perSecond) / NS_PER_SECOND;
  }

  #begin(type: number, bodyBytes: number): void {
    const length = FRAME_BYTES + bodyBytes;
    if (this.#at + length > this.#chunk.length) this.#flush(length);
    this.#bytes += length;
    this.#u32(type);
    this.#u32(length);
  }

  #end(bodyBytes: number): void {
    this.#u32(FRAME_BYTES + bodyBytes);
  }

  #flush(nextBytes = 0): void {
    if (this.#at > 0) {
      this.#write(this.#chunk.subarray(0, this.#at));
      this.#chunk = new Uint8Array(Math.max(CHUNK_BYTES, nextBytes));
    } else if (nextBytes > this.#chunk.length) this.#chunk = new Uint8Array(nextBytes);
    this.#view = new DataView(this.#chunk.buffer);
    this.#at = 0;
  }

  #u16(value: number): void {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
  }

  #u32(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  #time(ticks: bigint): void {
    this.#u32(Number((ticks >> 32n) & 0xffff_ffffn));
    this.#u32(Number(ticks & 0xffff_ffffn));
  }

  /** Bytes, and zeros up to the next 32-bit boundary: the chunk was made of zeros. */
  #copy(bytes: Uint8Array): void {
    this.#chunk.set(bytes, this.#at);
    this.#at += padded(bytes.length);
  }

  #options(options: readonly Option[]): void {
    if (options.length === 0) return;
    for (const { code, value } of options) {
      this.#u16(code);
      this.#u16(value.length);
      this.#copy(value);
    }
    this.#u32(OPTION.end);
  }
}

function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}

function optionsBytes(options: readonly Option[]): number {
  let bytes = options.length === 0 ? 0 : 4;
  for (const { value } of options) bytes += 4 + padded(value.length);
  return bytes;
}

const utf8 = new TextEncoder();

/** Options hold no NUL-terminated strings, but readers may stop at one. */
function textOption(code: number, text: string): Option {
  const target = new Uint8Array(Math.min(OPTION_BYTES, text.length * 3));
  const { written } = utf8.encodeInto(text.replaceAll('\0', ''), target);
  return { code, value: target.subarray(0, written) };
}

function commentOptions(comments: readonly string[] | undefined): Option[] {
  return (comments ?? []).map((text) => textOption(OPTION.comment, text));
}

function counter(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.max(0, Math.round(value))), true);
  return bytes;
}
