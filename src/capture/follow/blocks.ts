import { BlockPool, BlockReader } from '../block-reader.ts';
import type { ByteSupply } from '../byte-supply.ts';

/** Bytes that can be read at any place, and become more. */
export interface GrowingBytes {
  /** Reads up to `length` bytes at `position`; 0: nothing is there now. Rejects when it cannot be read any more. */
  readAt(target: Uint8Array, offset: number, length: number, position: number): Promise<number>;
}

/** Buffers of files that have been read, for those that come next: the collector is slow to give them back. */
export class BufferPool {
  readonly bytes: number;
  readonly #free: Uint8Array[] = [];

  /** `bytes`: size of the usual buffer, at least 1. */
  constructor(bytes: number) {
    this.bytes = bytes;
  }

  take(atLeast: number): Uint8Array {
    if (atLeast > this.bytes) return new Uint8Array(atLeast);
    return this.#free.pop() ?? new Uint8Array(this.bytes);
  }

  give(buffer: Uint8Array): void {
    if (buffer.length === this.bytes && this.#free.length < 4) this.#free.push(buffer);
  }
}

const NOTHING: ByteSupply = { read: async () => 0, close: async () => {} };
const NO_BYTES = new Uint8Array(0);
const NO_POOL = new BlockPool(1);

/**
 * The blocks of a file that may still grow. At the end of the bytes that are there, `advance` resolves with true
 * and nothing new, and `atEnd` is set: the reader then waits in the middle of a record, and goes on with it when it
 * is asked again. Only after `finish` the end is an end.
 */
export class GrowingBlocks extends BlockReader {
  /** The last `advance` found nothing new. */
  atEnd = false;
  readonly #source: GrowingBytes;
  readonly #pool: BufferPool;
  /** Place in the file of the first byte that was not read yet. */
  #position = 0;
  #finished = false;
  #resting = false;

  constructor(source: GrowingBytes, pool: BufferPool) {
    super(NOTHING, NO_POOL);
    this.#source = source;
    this.#pool = pool;
  }

  /** Bytes of the file that were read. */
  get position(): number {
    return this.#position;
  }

  override offsetOf(at: number): number {
    return this.#position - (this.end - at);
  }

  /** Nothing more is to come: the next `advance` says so, and a record without its end is damage. */
  finish(): void {
    this.#finished = true;
  }

  /** The next `advance` gives the buffer back; the one after it reads again what was kept of a record. */
  rest(): void {
    this.#resting = true;
  }

  override async advance(keepFrom: number): Promise<boolean> {
    if (this.#finished) return false;
    if (this.#resting) {
      this.#resting = false;
      this.#position = this.offsetOf(keepFrom);
      this.#use(NO_BYTES, 0);
      return true;
    }
    const kept = this.end - keepFrom;
    const tooLarge = kept === 0 && this.bytes.length > this.#pool.bytes;
    if (kept === this.bytes.length || tooLarge) {
      const fresh = this.#pool.take(2 * kept);
      fresh.set(this.bytes.subarray(keepFrom, this.end));
      this.#use(fresh, kept);
    } else {
      this.bytes.copyWithin(0, keepFrom, this.end);
      this.start = 0;
      this.end = kept;
    }
    const { bytes } = this;
    let count = 0;
    try {
      count = await this.#source.readAt(bytes, kept, bytes.length - kept, this.#position);
    } catch (error) {
      const { code, message } = error as { code?: string; message?: string };
      this.fault = `it cannot be read further (${code ?? message ?? 'unknown error'})`;
      this.#finished = true;
    }
    this.atEnd = count === 0;
    this.#position += count;
    this.end += count;
    return true;
  }

  #use(buffer: Uint8Array, filled: number): void {
    this.#pool.give(this.bytes);
    this.bytes = buffer;
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    this.start = 0;
    this.end = filled;
  }

  override async close(): Promise<void> {
    this.#finished = true;
    this.#pool.give(this.bytes);
    this.bytes = NO_BYTES;
  }
}
