import type { Limits } from '../model/limits.ts';
import {
  type CaptureFacts,
  type DropReport,
  emptyPacket,
  type PacketSource,
  type RunClock,
} from '../model/packet.ts';
import type { BlockReader } from './block-reader.ts';

/** What every reader of a capture is given. */
export interface ReaderContext {
  readonly blocks: BlockReader;
  /** Filled in place while reading. */
  readonly facts: CaptureFacts;
  readonly clock: RunClock;
  readonly limits: Limits;
  /** Index of the capture in the run. */
  readonly capture: number;
  /** Gives the next interface number of the run. */
  readonly takeInterfaceNumber: () => number;
}

export const NS_PER_SECOND = 1e9;

/**
 * What the readers of all formats share: the window of bytes at hand, the running counts, the way to the end.
 * A format adds `next`, which may only step inside `[position, limit)` and leaves `position` at the first byte
 * that it has not used.
 */
export abstract class CaptureReader implements PacketSource {
  readonly packet = emptyPacket();
  onDrops: ((report: DropReport) => void) | null = null;

  protected bytes: Uint8Array;
  protected view: DataView;
  protected position = 0;
  protected limit = 0;
  /** Records counted as Wireshark numbers frames. */
  protected number = 0;
  /** Second that the packets' times count from; NaN until the first time stamp. */
  protected epochSeconds = Number.NaN;

  protected readonly captureFacts: CaptureFacts;
  protected readonly limits: Limits;
  protected readonly takeInterfaceNumber: () => number;
  readonly #blocks: BlockReader;
  #clock: RunClock;
  #ended = false;

  // Kept here as plain numbers and copied into the facts when asked: no allocation per packet.
  #packets = 0;
  #capturedBytes = 0;
  #originalBytes = 0;
  #earliestNs = Number.POSITIVE_INFINITY;
  #latestNs = Number.NEGATIVE_INFINITY;
  #previousNs = Number.NEGATIVE_INFINITY;
  #timeReversals = 0;

  constructor(context: ReaderContext) {
    this.#blocks = context.blocks;
    this.#clock = context.clock;
    this.captureFacts = context.facts;
    this.limits = context.limits;
    this.takeInterfaceNumber = context.takeInterfaceNumber;
    this.bytes = context.blocks.bytes;
    this.view = context.blocks.view;
    this.packet.capture = context.capture;
    this.packet.bytes = this.bytes;
  }

  abstract next(): boolean;

  /** Copies what a format counts by itself into the facts. */
  protected abstract settle(): void;

  /** The epoch moved from `previousSeconds` to `epochSeconds`. */
  protected epochMoved(): void {}

  get facts(): readonly CaptureFacts[] {
    return [this.#countedFacts()];
  }

  #countedFacts(): CaptureFacts {
    const facts = this.captureFacts;
    facts.packets = this.#packets;
    facts.capturedBytes = this.#capturedBytes;
    facts.originalBytes = this.#originalBytes;
    facts.fileBytes = this.#blocks.offsetOf(this.position);
    facts.firstNs = this.#packets === 0 ? null : this.#earliestNs;
    facts.lastNs = this.#packets === 0 ? null : this.#latestNs;
    facts.timeReversals = this.#timeReversals;
    this.settle();
    return facts;
  }

  async more(): Promise<boolean> {
    if (this.#ended) return false;
    // Who holds the facts sees them as they are now, without asking again.
    this.#countedFacts();
    const blocks = this.#blocks;
    if (await blocks.advance(this.position)) {
      if (this.#ended) return false;
      this.bytes = blocks.bytes;
      this.view = blocks.view;
      this.packet.bytes = blocks.bytes;
      this.position = blocks.start;
      this.limit = blocks.end;
      return true;
    }
    if (this.#ended) return false;
    if (blocks.fault !== null) this.damaged(blocks.fault);
    else if (this.position < this.limit || blocks.offsetOf(this.limit) === 0) this.damaged(this.cutShort());
    this.#finish();
    return false;
  }

  /** What to say of a capture that ends inside a record. */
  protected cutShort(): string {
    return `it ends in the middle of packet ${this.number + 1}`;
  }

  /** Notes where and why reading stops; `next` and `more` give false from now on. */
  protected damaged(what: string): false {
    this.captureFacts.damage ??= {
      what,
      packet: this.number,
      byteOffset: this.#blocks.offsetOf(this.position),
    };
    this.#finish();
    return false;
  }

  #finish(): void {
    this.#ended = true;
    this.limit = this.position;
    // Packets without any time stamp: they count from 1970, as other tools show them.
    if (this.#packets > 0) this.#clock.epochSeconds ??= 0;
  }

  /** Epoch of the run; `seconds`, the whole second of this packet, becomes it when there is none yet. */
  protected startClock(seconds: number): void {
    this.#clock.epochSeconds ??= seconds;
    this.epochSeconds = this.#clock.epochSeconds;
  }

  /** Counts the packet whose length and time are now in `packet`. */
  protected counted(captured: number, timeNs: number): void {
    this.#packets++;
    this.#capturedBytes += captured;
    this.#originalBytes += this.packet.originalBytes;
    if (timeNs < this.#previousNs) this.#timeReversals++;
    if (timeNs < this.#earliestNs) this.#earliestNs = timeNs;
    if (timeNs > this.#latestNs) this.#latestNs = timeNs;
    this.#previousNs = timeNs;
  }

  /**
   * Lets times count from the epoch of another clock, from the current packet on. For captures that are
   * merged: which first packet is the run's first is known only when all have been looked at.
   */
  rebase(clock: RunClock): void {
    this.#clock = clock;
    if (clock.epochSeconds === null || Number.isNaN(this.epochSeconds)) return;
    const shiftNs = (this.epochSeconds - clock.epochSeconds) * NS_PER_SECOND;
    this.epochSeconds = clock.epochSeconds;
    this.packet.timeNs += shiftNs;
    this.#earliestNs += shiftNs;
    this.#latestNs += shiftNs;
    this.#previousNs += shiftNs;
    this.epochMoved();
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.limit = this.position;
    await this.#blocks.close();
  }
}
