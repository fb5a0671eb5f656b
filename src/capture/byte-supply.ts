import * as fs from 'node:fs';
import type { Readable } from 'node:stream';

/** Where the bytes of a capture come from, one after the other: a file, a stream, a decompressor. */
export interface ByteSupply {
  /**
   * Writes 1 to `length` bytes into `target` from `offset` on, as soon as there are any, and tells how many;
   * 0 means the end. One call at a time; not after `close`. Rejects with BrokenSupply when the bytes before
   * this point were good and none will follow.
   */
  read(target: Uint8Array, offset: number, length: number): Promise<number>;
  /** Gives back files and streams. A `read` under way then resolves or rejects. May be called twice. */
  close(): Promise<void>;
}

/** The bytes end before their time. `message` is a clause for CaptureDamage. */
export class BrokenSupply extends Error {
  override readonly name = 'BrokenSupply';
}

/** A file that is read from where its descriptor stands. Reads go straight into the target. */
export class FileSupply implements ByteSupply {
  readonly #fd: number;
  readonly #owned: boolean;
  #reading: Promise<number> | null = null;
  #closed = false;

  /** `owned`: the descriptor is closed by `close`. */
  constructor(fd: number, owned: boolean) {
    this.#fd = fd;
    this.#owned = owned;
  }

  read(target: Uint8Array, offset: number, length: number): Promise<number> {
    const reading = new Promise<number>((resolve, reject) => {
      fs.read(this.#fd, target, offset, length, null, (error, bytes) => {
        if (error === null) resolve(bytes);
        else reject(new BrokenSupply(`it cannot be read further (${error.code ?? error.message})`));
      });
    });
    this.#reading = reading;
    return reading;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A descriptor closed under a read could be reused by another file while the kernel still fills the target.
    await this.#reading?.catch(() => 0);
    if (this.#owned) await new Promise<void>((resolve) => fs.close(this.#fd, () => resolve()));
  }
}

/** A stream of bytes, such as standard input. Reads no more than the stream's own buffer ahead. */
export class StreamSupply implements ByteSupply {
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<Uint8Array | string>;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  #closed = false;

  /** The stream belongs to the supply from now on: `close` destroys it. */
  constructor(stream: Readable) {
    this.#stream = stream;
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array | string>;
  }

  async read(target: Uint8Array, offset: number, length: number): Promise<number> {
    while (this.#at === this.#chunk.length) {
      let step: IteratorResult<Uint8Array | string>;
      try {
        step = await this.#chunks.next();
      } catch (error) {
        if (this.#closed) return 0;
        throw new BrokenSupply(`it cannot be read further (${reasonOf(error)})`);
      }
      if (step.done === true || this.#closed) return 0;
      this.#chunk = typeof step.value === 'string' ? Buffer.from(step.value, 'latin1') : step.value;
      this.#at = 0;
    }
    const bytes = Math.min(length, this.#chunk.length - this.#at);
    target.set(this.#chunk.subarray(this.#at, this.#at + bytes), offset);
    this.#at += bytes;
    return bytes;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stream.on('error', () => {});
    this.#stream.destroy();
  }
}

/** Bytes that were read to look at them, then the rest. */
export class PeekedSupply implements ByteSupply {
  /** What was read ahead; at least the bytes asked for, unless the supply has fewer. */
  readonly head: Uint8Array;
  /** Why there are not more, where the supply broke while peeking. */
  readonly fault: BrokenSupply | null;
  readonly #rest: ByteSupply;
  #at = 0;

  private constructor(head: Uint8Array, rest: ByteSupply, fault: BrokenSupply | null) {
    this.head = head;
    this.#rest = rest;
    this.fault = fault;
  }

  /** Waits for `enough` bytes, takes up to `most`. */
  static async peek(supply: ByteSupply, enough: number, most: number): Promise<PeekedSupply> {
    const head = new Uint8Array(most);
    let filled = 0;
    try {
      while (filled < enough) {
        const bytes = await supply.read(head, filled, most - filled);
        if (bytes === 0) break;
        filled += bytes;
      }
    } catch (error) {
      if (error instanceof BrokenSupply) return new PeekedSupply(head.subarray(0, filled), supply, error);
      throw error;
    }
    return new PeekedSupply(head.subarray(0, filled), supply, null);
  }

  async read(target: Uint8Array, offset: number, length: number): Promise<number> {
    const left = this.head.length - this.#at;
    if (left > 0) {
      const bytes = Math.min(left, length);
      target.set(this.head.subarray(this.#at, this.#at + bytes), offset);
      this.#at += bytes;
      return bytes;
    }
    if (this.fault !== null) throw this.fault;
    return this.#rest.read(target, offset, length);
  }

  close(): Promise<void> {
    return this.#rest.close();
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? 'unknown error';
}
