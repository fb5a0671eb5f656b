import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { BrokenSupply, type ByteSupply } from './byte-supply.ts';
import { CHUNK_BYTES, ZlibSupply } from './zlib-supply.ts';
import { ZstdFrames } from './zstd-frames.ts';

type CreateZstdDecompress = (options: { chunkSize: number }) => Transform;

/** zstd (RFC 8878), also with several frames: by Node itself from 22.15 on, else by fzstd. */
export function zstdSupply(raw: ByteSupply): ByteSupply {
  const native = (zlib as { createZstdDecompress?: CreateZstdDecompress }).createZstdDecompress;
  const frames = new ZstdFrames(raw);
  if (native !== undefined) return new ZlibSupply(frames, native({ chunkSize: CHUNK_BYTES }), 'zstd');
  return new FzstdSupply(frames);
}

/** zstd by fzstd, one block (at most 128 KiB of output) at a time. Checksums are not verified. */
export class FzstdSupply implements ByteSupply {
  readonly #frames: ZstdFrames;
  readonly #decoder: Decompress;
  readonly #ready: Uint8Array[] = [];
  #at = 0;
  #ended = false;

  constructor(frames: ZstdFrames) {
    this.#frames = frames;
    this.#decoder = new Decompress((output) => {
      if (output.length > 0) this.#ready.push(output);
    });
  }

  async read(target: Uint8Array, offset: number, length: number): Promise<number> {
    while (this.#ready.length === 0) {
      if (this.#ended) return 0;
      const piece = await this.#frames.next();
      this.#ended = piece === null;
      try {
        this.#decoder.push(piece === null ? new Uint8Array(0) : lasting(piece), this.#ended);
      } catch (error) {
        this.#ended = true;
        throw new BrokenSupply(`its zstd data is damaged (${(error as Error).message})`);
      }
    }
    const output = this.#ready[0]!;
    const bytes = Math.min(length, output.length - this.#at);
    target.set(output.subarray(this.#at, this.#at + bytes), offset);
    this.#at += bytes;
    if (this.#at === output.length) {
      this.#ready.shift();
      this.#at = 0;
    }
    return bytes;
  }

  close(): Promise<void> {
    return this.#frames.close();
  }
}

/** fzstd holds back what may be less than a frame (18 bytes), while a piece is valid until the next one only. */
function lasting(piece: Uint8Array): Uint8Array {
  return piece.length < 32 ? piece.slice() : piece;
}
