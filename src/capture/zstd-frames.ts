import { BrokenSupply, type ByteSupply } from './byte-supply.ts';
import type { PieceSource } from './zlib-supply.ts';

/** RFC 8878 §3.1.1: 28 b5 2f fd as a little-endian number. */
export const ZSTD_MAGIC = 0xfd2fb528;
/** RFC 8878 §3.1.2: the lowest four bits are free. */
export const SKIPPABLE_MAGIC = 0x184d2a50;

const MAX_BLOCK_BYTES = 128 * 1024;
/** What `zstd -d` takes without being asked; a larger window needs that much memory. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;
const FIELD = { blockHeader: 3, checksum: 4, magic: 4, descriptor: 1 } as const;
/** Longest frame header: magic, descriptor, window, dictionary id, content size. */
const MAX_HEADER_BYTES = FIELD.magic + FIELD.descriptor + 1 + 4 + 8;

/**
 * Walks over zstd frames without decompressing (RFC 8878 §3.1) and cuts them into frame headers and blocks.
 * Node's zstd stream silently ends after the first frame in a piece and does not notice missing bytes, and
 * fzstd has no bound on its window and gives all output of a piece at once; pieces cut here avoid all four.
 * Skippable frames are left out.
 */
export class ZstdFrames implements PieceSource {
  readonly #raw: ByteSupply;
  readonly #buffer = new Uint8Array(4 * MAX_BLOCK_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  #at = 0;
  #end = 0;
  #inFrame = false;
  #hasChecksum = false;

  constructor(raw: ByteSupply) {
    this.#raw = raw;
  }

  async next(): Promise<Uint8Array | null> {
    if (this.#inFrame) return this.#block();
    for (;;) {
      if (!(await this.#have(1))) return null;
      await this.#need(FIELD.magic);
      const magic = this.#view.getUint32(this.#at, true);
      if (magic === ZSTD_MAGIC) return this.#header();
      if ((magic & 0xfffffff0) >>> 0 !== SKIPPABLE_MAGIC) {
        throw new BrokenSupply('its zstd data is followed by other bytes');
      }
      await this.#skip();
    }
  }

  async #header(): Promise<Uint8Array> {
    await this.#need(FIELD.magic + FIELD.descriptor);
    const descriptor = this.#buffer[this.#at + FIELD.magic]!;
    const sizeFlag = descriptor >> 6;
    const singleSegment = (descriptor & 0x20) !== 0;
    if ((descriptor & 0x08) !== 0) throw damaged('a reserved bit is set');
    this.#hasChecksum = (descriptor & 0x04) !== 0;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
    const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
    const windowAt = FIELD.magic + FIELD.descriptor;
    const dictionaryAt = windowAt + (singleSegment ? 0 : 1);
    const sizeAt = dictionaryAt + dictionaryBytes;
    const bytes = sizeAt + sizeBytes;
    await this.#need(bytes);
    const windowBytes = singleSegment
      ? this.#contentBytes(this.#at + sizeAt, sizeBytes)
      : windowOf(this.#buffer[this.#at + windowAt]!);
    if (windowBytes > MAX_WINDOW_BYTES) {
      throw new BrokenSupply(
        `its zstd data needs a window of ${Math.ceil(windowBytes / 2 ** 20)} MiB (run: zstd -d --long=31)`,
      );
    }
    for (let at = dictionaryAt; at < sizeAt; at++) {
      if (this.#buffer[this.#at + at] !== 0) throw new BrokenSupply('its zstd data needs a dictionary');
    }
    this.#inFrame = true;
    return this.#take(bytes);
  }

  #contentBytes(at: number, bytes: number): number {
    if (bytes === 1) return this.#buffer[at]!;
    if (bytes === 2) return this.#view.getUint16(at, true) + 256;
    if (bytes === 4) return this.#view.getUint32(at, true);
    return this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
  }

  async #block(): Promise<Uint8Array> {
    await this.#need(FIELD.blockHeader);
    const header = this.#view.getUint16(this.#at, true) | (this.#buffer[this.#at + 2]! << 16);
    const last = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3) throw damaged('a block of a reserved type');
    if (size > MAX_BLOCK_BYTES) throw damaged('a block larger than 128 KiB');
    const content = type === 1 ? 1 : size;
    const bytes = FIELD.blockHeader + content + (last && this.#hasChecksum ? FIELD.checksum : 0);
    await this.#need(bytes);
    this.#inFrame = !last;
    return this.#take(bytes);
  }

  async #skip(): Promise<void> {
    await this.#need(2 * FIELD.magic);
    let left = this.#view.getUint32(this.#at + FIELD.magic, true) + 2 * FIELD.magic;
    while (left > 0) {
      await this.#need(1);
      const bytes = Math.min(left, this.#end - this.#at);
      this.#at += bytes;
      left -= bytes;
    }
  }

  #take(bytes: number): Uint8Array {
    this.#at += bytes;
    return this.#buffer.subarray(this.#at - bytes, this.#at);
  }

  async #need(bytes: number): Promise<void> {
    if (!(await this.#have(bytes))) throw new BrokenSupply('its zstd data is cut short');
  }

  async #have(bytes: number): Promise<boolean> {
    while (this.#end - this.#at < bytes) {
      if (this.#buffer.length - this.#at < Math.max(bytes, MAX_HEADER_BYTES)) {
        this.#buffer.copyWithin(0, this.#at, this.#end);
        this.#end -= this.#at;
        this.#at = 0;
      } else if (this.#at === this.#end) {
        this.#at = 0;
        this.#end = 0;
      }
      const read = await this.#raw.read(this.#buffer, this.#end, this.#buffer.length - this.#end);
      if (read === 0) return false;
      this.#end += read;
    }
    return true;
  }

  close(): Promise<void> {
    return this.#raw.close();
  }
}

/** RFC 8878 §3.1.1.1.2. */
function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function damaged(how: string): BrokenSupply {
  return new BrokenSupply(`its zstd data is damaged (${how})`);
}
