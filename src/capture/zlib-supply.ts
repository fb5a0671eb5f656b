import type { Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { BrokenSupply, type ByteSupply } from './byte-supply.ts';

/** Compressed bytes, cut where the decompressor wants them cut. */
export interface PieceSource {
  /** The next piece, valid until the next call; null at the end. Rejects with BrokenSupply. */
  next(): Promise<Uint8Array | null>;
  close(): Promise<void>;
}

/** Output buffer of the decompressor: with Node's default of 16 KiB it is a fifth as fast. */
export const CHUNK_BYTES = 1024 * 1024;

/** gzip by node:zlib (RFC 1952), also with several members. */
export function gunzipSupply(raw: ByteSupply): ByteSupply {
  return new ZlibSupply(new GzipPieces(raw), createGunzip({ chunkSize: CHUNK_BYTES }), 'gzip');
}

/**
 * Runs a decompressor of node:zlib piece by piece. A piece is given only when everything before it has been
 * taken out: the decompressor works in its own thread on one piece, memory stays bounded, and what came out
 * before a broken piece is not lost (a failing call loses its own output).
 */
export class ZlibSupply implements ByteSupply {
  readonly #pieces: PieceSource;
  readonly #engine: Transform;
  readonly #name: string;
  #rest: Uint8Array | null = null;
  #at = 0;
  #writing = false;
  #ended = false;
  #closed = false;
  #fault: BrokenSupply | null = null;
  #signalled = false;
  #wake: (() => void) | null = null;

  constructor(pieces: PieceSource, engine: Transform, name: string) {
    this.#pieces = pieces;
    this.#engine = engine;
    this.#name = name;
    engine.on('readable', () => this.#signal());
    engine.on('end', () => {
      this.#ended = true;
      this.#signal();
    });
    engine.on('error', (error: NodeJS.ErrnoException) => {
      this.#fault ??= new BrokenSupply(describe(this.#name, error));
      this.#signal();
    });
    engine.on('close', () => this.#signal());
  }

  async read(target: Uint8Array, offset: number, length: number): Promise<number> {
    for (;;) {
      if (this.#rest !== null) return this.#take(this.#rest, target, offset, length);
      this.#rest = this.#engine.read() as Uint8Array | null;
      if (this.#rest !== null) continue;
      if (this.#fault !== null && !this.#closed) throw this.#fault;
      if (this.#ended || this.#closed) return 0;
      if (!this.#writing) await this.#feed();
      else await this.#progress();
    }
  }

  #take(rest: Uint8Array, target: Uint8Array, offset: number, length: number): number {
    const bytes = Math.min(length, rest.length - this.#at);
    target.set(rest.subarray(this.#at, this.#at + bytes), offset);
    this.#at += bytes;
    if (this.#at === rest.length) {
      this.#rest = null;
      this.#at = 0;
    }
    return bytes;
  }

  async #feed(): Promise<void> {
    let piece: Uint8Array | null;
    try {
      piece = await this.#pieces.next();
    } catch (error) {
      if (!(error instanceof BrokenSupply)) throw error;
      this.#fault ??= error;
      return;
    }
    if (this.#closed || this.#fault !== null) return;
    this.#writing = true;
    if (piece === null) {
      this.#engine.end();
    } else {
      this.#engine.write(piece, () => {
        this.#writing = false;
        this.#signal();
      });
    }
  }

  #signal(): void {
    this.#signalled = true;
    this.#wake?.();
  }

  async #progress(): Promise<void> {
    if (!this.#signalled) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    this.#signalled = false;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#engine.destroy();
    this.#signal();
    await this.#pieces.close();
  }
}

function describe(name: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'Z_BUF_ERROR') return `its ${name} data is cut short`;
  return `its ${name} data is damaged (${error.message})`;
}

/** While this much has been read, small pieces, so that a small broken file gives nearly all it has. */
const CAREFUL_BYTES = 1024 * 1024;
const CAREFUL_PIECE_BYTES = 4 * 1024;
const PIECE_BYTES = 64 * 1024;

class GzipPieces implements PieceSource {
  readonly #raw: ByteSupply;
  readonly #buffer = new Uint8Array(4 * PIECE_BYTES);
  #at = 0;
  #end = 0;
  #total = 0;

  constructor(raw: ByteSupply) {
    this.#raw = raw;
  }

  async next(): Promise<Uint8Array | null> {
    if (this.#at === this.#end) {
      const bytes = await this.#raw.read(this.#buffer, 0, this.#buffer.length);
      if (bytes === 0) return null;
      this.#at = 0;
      this.#end = bytes;
    }
    const size = this.#total < CAREFUL_BYTES ? CAREFUL_PIECE_BYTES : PIECE_BYTES;
    const from = this.#at;
    this.#at = Math.min(this.#end, from + size);
    this.#total += this.#at - from;
    return this.#buffer.subarray(from, this.#at);
  }

  close(): Promise<void> {
    return this.#raw.close();
  }
}
