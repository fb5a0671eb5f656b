import type { CaptureFacts, Packet, PacketSource } from '../model/packet.ts';

/**
 * A packet source that can be told to end early: by a signal, by a reader that left, or after a number of
 * packets. To the pipeline it looks like the end of the capture.
 */
export class StoppableSource implements PacketSource {
  readonly packet: Packet;
  readonly #inner: PacketSource;
  #left: number;
  #stopped = false;
  #wake: (() => void) | null = null;

  /** `packets`: how many to hand on at most; Infinity: all. */
  constructor(inner: PacketSource, packets = Number.POSITIVE_INFINITY) {
    this.#inner = inner;
    this.packet = inner.packet;
    this.#left = packets;
  }

  get facts(): readonly CaptureFacts[] {
    return this.#inner.facts;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Ends the source before the next block; also while it waits for bytes. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  next(): boolean {
    if (this.#left <= 0) return false;
    if (!this.#inner.next()) return false;
    this.#left -= 1;
    return true;
  }

  async more(): Promise<boolean> {
    if (this.#stopped || this.#left <= 0) return false;
    const stopped = new Promise<boolean>((resolve) => {
      this.#wake = () => resolve(false);
    });
    const more = await Promise.race([this.#inner.more(), stopped]);
    this.#wake = null;
    return more && !this.#stopped;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
