import type { CaptureFacts } from '../model/packet.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from '../report/units.ts';

/** Work shorter than this shows nothing. */
const QUIET_MS = 700;
const REFRESH_MS = 150;

export interface ProgressOptions {
  /** Bytes of all captures together; null: not known beforehand (standard input, compressed files). */
  readonly totalBytes: number | null;
  readonly write: (text: string) => void;
  /** Cells of the terminal's line; the progress line stays shorter. */
  readonly columns: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** One line on a terminal that says how far the work is; it erases itself. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #startedMs: number;
  #shownMs: number;
  #shown = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startedMs = options.now();
    this.#shownMs = this.#startedMs + QUIET_MS - REFRESH_MS;
  }

  /** Called between blocks; cheap when there is nothing to show. */
  update(facts: readonly CaptureFacts[]): void {
    const now = this.#options.now();
    if (now - this.#shownMs < REFRESH_MS) return;
    this.#shownMs = now;
    this.#show(progressText(facts, this.#options.totalBytes, now - this.#startedMs));
  }

  /** The same where rows of a SQLite file are read. */
  rows(done: number, total: number): void {
    const now = this.#options.now();
    if (now - this.#shownMs < REFRESH_MS) return;
    this.#shownMs = now;
    const share = total === 0 ? 1 : Math.min(1, done / total);
    this.#show(`${String(Math.floor(share * 100)).padStart(3)} %  ${formatCount(done)} exchanges`);
  }

  /** What is going on after the last packet, as long as work goes on long enough. */
  phase(text: string): void {
    if (this.#shown) this.#show(text);
  }

  clear(): void {
    if (!this.#shown) return;
    this.#options.write('\r\x1b[K');
    this.#shown = false;
  }

  #show(text: string): void {
    this.#shown = true;
    this.#options.write(`\r${text.slice(0, Math.max(1, this.#options.columns - 1))}\x1b[K`);
  }
}

/** `42 %  382 MB  310 MB/s  280,000 packets/s  1.70 s left` */
export function progressText(
  facts: readonly CaptureFacts[],
  totalBytes: number | null,
  elapsedMs: number,
): string {
  let bytes = 0;
  let packets = 0;
  for (const capture of facts) {
    bytes += capture.fileBytes;
    packets += capture.packets;
  }
  // Of a compressed capture the size when unpacked is not known.
  if (facts.some(({ compression }) => compression !== 'none')) totalBytes = null;
  const seconds = Math.max(0.001, elapsedMs / 1000);
  const parts = [formatBytes(bytes), `${formatBytes(bytes / seconds)}/s`];
  if (totalBytes === null) parts.push(`${formatCount(packets)} packets`);
  parts.push(`${formatRate(packets / seconds)} packets/s`);
  if (totalBytes !== null && totalBytes > 0 && bytes > 0) {
    const share = Math.min(1, bytes / totalBytes);
    parts.unshift(`${String(Math.floor(share * 100)).padStart(3)} %`);
    parts.push(`${formatDuration(((1 - share) / share) * elapsedMs * 1e6)} left`);
  }
  return parts.join('  ');
}
