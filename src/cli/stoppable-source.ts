import type { CaptureFacts, DropReport, Packet, PacketSource } from '../model/packet.ts';

/**
 * A packet source that can be told to end early, by a signal or because nobody reads the output any more. To the
 * pipeline it looks like the end of the capture.
 */
export class StoppableSource implements PacketSource {
  readonly packet: Packet;
  readonly #inner: PacketSource;
  #stopped = false;
  #wake: (() => void) | null = null;

  constructor(inner: PacketSource) {
    this.#inner = inner;
    this.packet = inner.packet;
  }

  get onDrops(): ((report: DropReport) => void) | null {
    return this.#inner.onDrops;
  }

  set onDrops(listener: ((report: DropReport) => void) | null) {
    this.#inner.onDrops = listener;
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
    return this.#inner.next();
  }

  async more(): Promise<boolean> {
    if (this.#stopped) return false;
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
