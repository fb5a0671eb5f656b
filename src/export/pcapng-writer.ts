import type { DropReport } from '../model/packet.ts';
import {
  commentOptions,
  counter,
  filterOption,
  NO_OPTIONS,
  OPTION,
  type Option,
  optionsBytes,
  padded,
  stampBytes,
  textOption,
} from './pcapng-option.ts';

/**
 * Writes a pcapng capture of one section (draft-ietf-opsawg-pcapng §4): section header, interface descriptions,
 * enhanced packets with comments, interface statistics. Little-endian.
 */

const BLOCK = { section: 0x0a0d0d0a, interface: 1, statistics: 5, enhancedPacket: 6 } as const;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const VERSION = { major: 1, minor: 0 } as const;
/** Type and length before a block's body, length again after it. */
const FRAME_BYTES = 12;
const PACKET_HEAD_BYTES = 20;
/** Bytes gathered before they are handed on. */
const CHUNK_BYTES = 256 * 1024;
const NS_PER_SECOND = 1e9;
const TWO_16 = 0x1_0000;
const TWO_32 = 0x1_0000_0000;

export interface PcapngSection {
  /** Program that writes the file, for shb_userappl. `wirelens 0.1.0` */
  readonly application: string;
  /** Operating system, for shb_os. `Linux 6.1.0` */
  readonly system?: string;
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
  /** What was asked for in tcpdump's language, for if_filter. */
  readonly filter?: string;
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
  /** When the counters said so, ns since `epochSeconds`; without it the time of the interface's last packet. */
  readonly at?: { readonly epochSeconds: number; readonly timeNs: number };
  /** When the counting began, ns since `epochSeconds`, for isb_starttime. */
  readonly since?: { readonly epochSeconds: number; readonly timeNs: number };
}

/**
 * The file grows in order: interfaces may be added at any time before their first packet. Bytes are handed to
 * `write` in chunks, which belong to it from then on; call `finish` at the end.
 */
export class PcapngWriter {
  readonly #write: (bytes: Uint8Array) => void;
  /** Fractions of a second that a time stamp counts, by interface id. */
  readonly #ticksPerSecond: number[] = [];
  /** Time stamp of the last packet, upper and lower 32 bits, by interface id. */
  readonly #lastHigh: number[] = [];
  readonly #lastLow: number[] = [];
  /** The time stamp worked out last. */
  #high = 0;
  #low = 0;
  #chunk = new Uint8Array(CHUNK_BYTES);
  #view = new DataView(this.#chunk.buffer);
  #at = 0;
  /** What lies before it in the chunk was handed on. */
  #handed = 0;
  #bytes = 0;
  #packets = 0;

  constructor(write: (bytes: Uint8Array) => void, section: PcapngSection) {
    this.#write = write;
    const options = [
      ...commentOptions(section.comments),
      ...(section.system === undefined ? [] : [textOption(OPTION.system, section.system)]),
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
  addInterface({ linkType, snaplen, name, timeDigits, filter, comments }: PcapngInterface): number {
    const digits = timeDigits > 6 ? 9 : 6;
    const options = [
      ...commentOptions(comments),
      ...(name === null ? [] : [textOption(OPTION.name, name)]),
      { code: OPTION.resolution, value: Uint8Array.of(digits) },
      ...(filter === undefined ? [] : [filterOption(filter)]),
    ];
    const bodyBytes = 8 + optionsBytes(options);
    this.#begin(BLOCK.interface, bodyBytes);
    this.#u16(linkType);
    this.#u16(0);
    this.#u32(snaplen);
    this.#options(options);
    this.#end(bodyBytes);
    this.#lastHigh.push(0);
    this.#lastLow.push(0);
    return this.#ticksPerSecond.push(10 ** digits) - 1;
  }

  packet(packet: PcapngPacket): void {
    const { interfaceId, bytes, start, end, originalBytes, comments } = packet;
    const captured = end - start;
    const options = comments === undefined || comments.length === 0 ? NO_OPTIONS : commentOptions(comments);
    const bodyBytes = PACKET_HEAD_BYTES + padded(captured) + optionsBytes(options);
    this.#stamp(interfaceId, packet.epochSeconds, packet.timeNs);
    this.#lastHigh[interfaceId] = this.#high;
    this.#lastLow[interfaceId] = this.#low;
    const length = this.#room(bodyBytes);
    // Straight into the chunk: this happens for every packet of a live capture.
    const view = this.#view;
    const at = this.#at;
    view.setUint32(at, BLOCK.enhancedPacket, true);
    view.setUint32(at + 4, length, true);
    view.setUint32(at + 8, interfaceId, true);
    view.setUint32(at + 12, this.#high, true);
    view.setUint32(at + 16, this.#low, true);
    view.setUint32(at + 20, captured, true);
    view.setUint32(at + 24, Math.max(captured, originalBytes), true);
    this.#at = at + 8 + PACKET_HEAD_BYTES;
    this.#copy(bytes, start, end);
    if (options !== NO_OPTIONS) this.#options(options);
    this.#u32(length);
    this.#packets += 1;
  }

  /** The kernel's counters of an interface; to be written after its packets. Nothing is written when both are null. */
  statistics(interfaceId: number, { received, dropped, at, since }: PcapngStatistics): void {
    const options: Option[] = [];
    if (since !== undefined) {
      this.#stamp(interfaceId, since.epochSeconds, since.timeNs);
      options.push({ code: OPTION.since, value: stampBytes(this.#high, this.#low) });
    }
    if (received !== null) options.push({ code: OPTION.received, value: counter(received) });
    if (dropped !== null) options.push({ code: OPTION.dropped, value: counter(dropped) });
    if (received === null && dropped === null) return;
    const bodyBytes = 12 + optionsBytes(options);
    this.#begin(BLOCK.statistics, bodyBytes);
    this.#u32(interfaceId);
    if (at === undefined) {
      this.#high = this.#lastHigh[interfaceId] ?? 0;
      this.#low = this.#lastLow[interfaceId] ?? 0;
    } else this.#stamp(interfaceId, at.epochSeconds, at.timeNs);
    this.#u32(this.#high);
    this.#u32(this.#low);
    this.#options(options);
    this.#end(bodyBytes);
  }

  /** When packets were dropped: a statistics block for either end of that time. To be written where the packets stand. */
  drops(interfaceId: number, epochSeconds: number, report: DropReport): void {
    const ends = [
      { dropped: report.droppedBefore, timeNs: report.fromNs },
      { dropped: report.dropped, timeNs: report.toNs },
    ];
    for (const { dropped, timeNs } of ends)
      this.statistics(interfaceId, { received: null, dropped, at: { epochSeconds, timeNs } });
  }

  /** Hands on every block that is complete, so that a reader of the growing file sees it. */
  flush(): void {
    if (this.#at === this.#handed) return;
    this.#write(this.#chunk.subarray(this.#handed, this.#at));
    this.#handed = this.#at;
  }

  /** Hands on what is left. */
  finish(): void {
    this.flush();
  }

  /**
   * Time stamp in ticks since 1970 into `#high` and `#low`. Ticks exceed 2^53, so seconds are taken in two parts,
   * each of which stays a whole number: the seconds' upper part · 2^16 + lower part, times ticks per second.
   */
  #stamp(interfaceId: number, epochSeconds: number, timeNs: number): void {
    const perSecond = this.#ticksPerSecond[interfaceId];
    if (perSecond === undefined) throw new RangeError(`interface ${interfaceId} was not added`);
    const ns = Math.round(timeNs);
    const whole = Math.floor(ns / NS_PER_SECOND);
    const seconds = epochSeconds + whole;
    if (seconds < 0) {
      this.#high = 0;
      this.#low = 0;
      return;
    }
    const fraction = Math.floor((ns - whole * NS_PER_SECOND) / (NS_PER_SECOND / perSecond));
    const upperSeconds = Math.floor(seconds / TWO_16);
    const upper = upperSeconds * perSecond;
    const lower = (seconds - upperSeconds * TWO_16) * perSecond + fraction;
    const upperHigh = Math.floor(upper / TWO_16);
    const sum = (upper - upperHigh * TWO_16) * TWO_16 + lower;
    const carry = Math.floor(sum / TWO_32);
    this.#high = upperHigh + carry;
    this.#low = sum - carry * TWO_32;
  }

  #begin(type: number, bodyBytes: number): void {
    const length = this.#room(bodyBytes);
    this.#u32(type);
    this.#u32(length);
  }

  /** Makes room for a block in the chunk; its length. */
  #room(bodyBytes: number): number {
    const length = FRAME_BYTES + bodyBytes;
    if (this.#at + length > this.#chunk.length) this.#renew(length);
    this.#bytes += length;
    return length;
  }

  #end(bodyBytes: number): void {
    this.#u32(FRAME_BYTES + bodyBytes);
  }

  #renew(nextBytes: number): void {
    this.flush();
    this.#chunk = new Uint8Array(Math.max(CHUNK_BYTES, nextBytes));
    this.#view = new DataView(this.#chunk.buffer);
    this.#at = 0;
    this.#handed = 0;
  }

  #u16(value: number): void {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
  }

  #u32(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  /** Bytes, and zeros up to the next 32-bit boundary: the chunk was made of zeros. */
  #copy(bytes: Uint8Array, start: number, end: number): void {
    this.#chunk.set(bytes.subarray(start, end), this.#at);
    this.#at += padded(end - start);
  }

  #options(options: readonly Option[]): void {
    if (options.length === 0) return;
    for (const { code, value } of options) {
      this.#u16(code);
      this.#u16(value.length);
      this.#copy(value, 0, value.length);
    }
    this.#u32(OPTION.end);
  }
}
