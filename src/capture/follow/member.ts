import type { CaptureFacts } from '../../model/packet.ts';
import type { CaptureReader } from '../capture-reader.ts';
import type { GrowingBlocks } from './blocks.ts';
import type { FollowedFile } from './file.ts';

/** A file that is being read. */
export class FollowMember {
  readonly file: FollowedFile;
  readonly reader: CaptureReader;
  readonly #blocks: GrowingBlocks | null;
  /** The reader stands at a packet that was not given out yet. */
  hasHead = false;
  ended = false;
  /** Size of the file when its buffer and its descriptor were given back, until it grows; null: they were not. */
  #restedBytes: number | null = null;
  /** Since when there has been nothing more in it; null: there is. */
  atEndSinceMs: number | null = null;
  /** What is at hand has been in the file for so long that no other file can bring anything earlier. */
  settled = false;

  constructor(file: FollowedFile, reader: CaptureReader, blocks: GrowingBlocks | null) {
    this.file = file;
    this.reader = reader;
    this.#blocks = blocks;
  }

  get facts(): CaptureFacts {
    return this.reader.facts[0]!;
  }

  /** Can become more; a compressed file is read from one end to the other. */
  get grows(): boolean {
    return this.#blocks !== null;
  }

  /** Time of its latest packet, ns since the run's epoch; null: it has none yet. */
  get lastNs(): number | null {
    return this.facts.lastNs;
  }

  /** Bytes in the file that no packet was made of yet. */
  get unreadBytes(): number {
    return this.grows ? Math.max(0, this.file.largestBytes - this.facts.fileBytes) : 0;
  }

  get resting(): boolean {
    return this.#restedBytes !== null;
  }

  /** At rest, and nothing has been added to it since. */
  get asleep(): boolean {
    return this.#restedBytes !== null && this.file.facts.bytes <= this.#restedBytes;
  }

  /** Steps to the next packet, as far as there is one in the file. True: bytes came. */
  async fill(nowMs: number): Promise<boolean> {
    let came = false;
    this.#restedBytes = null;
    for (;;) {
      if (this.reader.next()) {
        this.hasHead = true;
        this.atEndSinceMs = null;
        return came;
      }
      if (!(await this.reader.more())) {
        this.ended = true;
        return came;
      }
      if (this.#blocks?.atEnd === true) {
        this.atEndSinceMs ??= nowMs;
        return came;
      }
      came = true;
    }
  }

  /** Since when everything that was read has certainly been in the file. */
  presentSinceMs(): number {
    return this.#blocks === null ? Number.NEGATIVE_INFINITY : this.file.presentSinceMs(this.#blocks.position);
  }

  /** Gives the buffer and the file back; `fill` takes them again. */
  async rest(): Promise<void> {
    if (this.#blocks === null || this.resting) return;
    this.#restedBytes = this.file.facts.bytes;
    this.#blocks.rest();
    await this.reader.more();
    await this.file.close();
  }

  /** Nothing more will come: what is there of a packet without its end becomes damage. */
  async finish(): Promise<void> {
    const { facts, unreadBytes, file } = this;
    if (file.overwritten && unreadBytes > 0) {
      facts.damage ??= {
        what: `it was overwritten before it was read to its end: at least ${unreadBytes} bytes are lost`,
        packet: facts.packets,
        byteOffset: facts.fileBytes,
      };
    } else if (this.resting && unreadBytes > 0) {
      facts.damage ??= {
        what: `it ends in the middle of packet ${facts.packets + 1}`,
        packet: facts.packets,
        byteOffset: facts.fileBytes,
      };
    }
    this.#blocks?.finish();
    this.ended = true;
    if (this.#blocks !== null) await this.reader.more();
  }

  async close(): Promise<void> {
    await this.reader.close();
    await this.file.close();
  }
}
