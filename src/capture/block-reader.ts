import { BrokenSupply, type ByteSupply } from './byte-supply.ts';

/** Room in front of a block for the packet that the block before it ended in. */
const HEADROOM_BYTES = 256 * 1024;

/** One buffer; the bytes read into it begin at `room`. */
export class Block {
  bytes: Uint8Array;
  view: DataView;
  /** Offset at which reads put their bytes. */
  room: number;

  constructor(room: number, blockBytes: number) {
    this.bytes = new Uint8Array(room + blockBytes);
    this.view = new DataView(this.bytes.buffer);
    this.room = room;
  }
}

/** Buffers for readers that follow each other: the collector is slow to give back large ones by itself. */
export class BlockPool {
  readonly blockBytes: number;
  readonly #free: Block[] = [];

  /** `blockBytes`: most that one read asks for, at least 1. */
  constructor(blockBytes: number) {
    this.blockBytes = blockBytes;
  }

  /** A block with at least `room` bytes of headroom. */
  take(room: number): Block {
    const usual = Math.min(HEADROOM_BYTES, 4 * this.blockBytes);
    if (room <= usual) return this.#free.pop() ?? new Block(usual, this.blockBytes);
    return new Block(room, this.blockBytes);
  }

  /** Takes a block back that nobody reads from or writes to any more. */
  give(block: Block): void {
    if (this.#free.length < 2) this.#free.push(block);
  }
}

/**
 * Reads a supply in large blocks into two buffers in turn: while one is being parsed, the other is filled.
 * What the parser has not used of a block is copied in front of the next one, so that a record is always in one
 * piece. Memory is two blocks and the longest record that the parser asks for.
 */
export class BlockReader {
  /** The bytes at hand are `bytes[start, end)`; valid until the next `advance`. */
  bytes: Uint8Array;
  view: DataView;
  start = 0;
  end = 0;
  /** Why the supply ended before its time; null while it has not. */
  fault: string | null = null;

  readonly #supply: ByteSupply;
  readonly #pool: BlockPool;
  #current: Block;
  #spare: Block | null = null;
  #reading: Promise<number> | null = null;
  #endOffset = 0;
  #ended = false;
  #closed = false;

  constructor(supply: ByteSupply, pool: BlockPool) {
    this.#supply = supply;
    this.#pool = pool;
    this.#current = new Block(0, 0);
    this.bytes = this.#current.bytes;
    this.view = this.#current.view;
  }

  /** Offset in the capture of `bytes[at]`. */
  offsetOf(at: number): number {
    return this.#endOffset - (this.end - at);
  }

  /**
   * Keeps `bytes[keepFrom, end)` and adds what comes next; resolves as soon as there is more.
   * False: nothing more comes, and the bytes are as they were.
   */
  async advance(keepFrom: number): Promise<boolean> {
    if (this.#ended || this.#closed) return false;
    this.#spare ??= this.#pool.take(0);
    this.#reading ??= this.#read(this.#spare);
    const count = await this.#reading;
    this.#reading = null;
    if (this.#closed) return false;
    if (count === 0) {
      this.#ended = true;
      return false;
    }
    const filled = this.#carryOver(keepFrom, this.#spare, count);
    this.#spare = this.#current.bytes.length === 0 ? null : this.#current;
    this.#current = filled;
    this.bytes = filled.bytes;
    this.view = filled.view;
    this.start = filled.room - (this.end - keepFrom);
    this.end = filled.room + count;
    this.#endOffset += count;
    this.#spare ??= this.#pool.take(0);
    this.#reading = this.#read(this.#spare);
    return true;
  }

  /** Copies what is kept in front of the fresh bytes; into a larger block when there is not enough room. */
  #carryOver(keepFrom: number, fresh: Block, count: number): Block {
    const kept = this.bytes.subarray(keepFrom, this.end);
    let target = fresh;
    if (kept.length > fresh.room) {
      target = this.#pool.take(2 * kept.length);
      target.bytes.set(fresh.bytes.subarray(fresh.room, fresh.room + count), target.room);
    }
    target.bytes.set(kept, target.room - kept.length);
    return target;
  }

  /** Never rejects: a read ahead may fail before anyone waits for it. */
  async #read(block: Block): Promise<number> {
    try {
      return await this.#supply.read(block.bytes, block.room, this.#pool.blockBytes);
    } catch (error) {
      this.fault = error instanceof BrokenSupply ? error.message : `reading failed (${String(error)})`;
      return 0;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#supply.close();
    await this.#reading;
    if (this.#current.bytes.length > 0) this.#pool.give(this.#current);
    if (this.#spare !== null) this.#pool.give(this.#spare);
    this.#spare = null;
  }
}
