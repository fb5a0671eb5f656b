import type { CaptureFacts } from '../../model/packet.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from '../../report/units.ts';
import { type StatusLine, statusLineOnStderr } from '../status-line.ts';

const REFRESH_MS = 200;

/** How far an upload is. */
export interface UploadState {
  readonly exchanges: number;
  /** Exchanges that the server has for certain, those of before included. */
  readonly confirmed: number;
  readonly sentBytes: number;
  /** Filled while packets are read. */
  readonly captures: readonly CaptureFacts[];
  /** Bytes of all files; null: how far reading is cannot be told from them. */
  readonly totalBytes: number | null;
}

/** `42 %  12,000 exchanges  9,800 at the server  31,000/s  1.20 MB sent  1.70 s left` */
export function uploadText(state: UploadState, elapsedMs: number): string {
  const { exchanges, confirmed, sentBytes, captures, totalBytes } = state;
  const seconds = Math.max(0.001, elapsedMs / 1000);
  const parts = [
    `${formatCount(exchanges)} exchanges`,
    `${formatCount(confirmed)} at the server`,
    `${formatRate(confirmed / seconds)}/s`,
    `${formatBytes(sentBytes)} sent`,
  ];
  const read = captures.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
  const known =
    totalBytes !== null && totalBytes > 0 && captures.every(({ compression }) => compression === 'none');
  if (known && read > 0 && exchanges > 0) {
    // What is read and not yet confirmed is not done.
    const share = Math.min(1, read / totalBytes) * (confirmed / exchanges);
    parts.unshift(`${String(Math.floor(share * 100)).padStart(3)} %`);
    if (share > 0.01) parts.push(`${formatDuration(((1 - share) / share) * elapsedMs * 1e6)} left`);
  }
  return parts.join('  ');
}

/** One line on a terminal that says how far it is; others that write to the terminal clear it first. */
export class UploadProgress {
  readonly #line: StatusLine | null;
  #timer: NodeJS.Timeout | undefined;

  constructor(shown: boolean) {
    this.#line = shown ? statusLineOnStderr() : null;
  }

  start(text: (elapsedMs: number) => string): void {
    this.stop();
    const line = this.#line;
    if (line === null) return;
    const begunMs = performance.now();
    this.#timer = setInterval(() => line.update(() => text(performance.now() - begunMs)), REFRESH_MS);
    this.#timer.unref();
  }

  clear(): void {
    this.#line?.clear();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.clear();
  }
}
