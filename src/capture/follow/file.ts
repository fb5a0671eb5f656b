import type { UserError } from '../../model/errors.ts';
import type { GrowingBytes } from './blocks.ts';
import type { FileFacts, FileWatch, OpenedFile } from './watch.ts';

/** First bytes of a file by which its content is recognised: beyond the file header, into the first packet. */
const FINGERPRINT_BYTES = 1024;

/**
 * Where a file stands:
 * - `new`: its first packet has not been seen yet
 * - `refused`: not a capture
 * - `left-out`: it was there before, and nobody has written to it since
 * - `waiting`: to be read when its time comes
 * - `open`: being read, or at its end
 * - `over`: nothing more will be read of it
 * - `copy`: the compressed copy of a file that was read
 */
export type FileState = 'new' | 'refused' | 'left-out' | 'waiting' | 'open' | 'over' | 'copy';

/** How many files may stay open for as long as they wait. */
export class OpenFiles {
  readonly most: number;
  count = 0;

  constructor(most: number) {
    this.most = most;
  }
}

interface Mark {
  readonly bytes: number;
  readonly sinceMs: number;
}

/** One content under one name: a file that is written anew is another one. Bytes can be read while it grows. */
export class FollowedFile implements GrowingBytes {
  path: string;
  /** Index of the target it belongs to. */
  readonly target: number;
  facts: FileFacts;
  state: FileState = 'new';
  /** Compressed by content. */
  packed = false;
  /** Time of its first packet, Unix ns; null while it has none. */
  firstNs: bigint | null = null;
  /** Its name is gone, or means another file; null: it is there. */
  goneSinceMs: number | null = null;
  /** Other bytes are where its own were. */
  overwritten = false;
  /** Packets that were given out before the file was opened again. */
  packetsDone = 0;
  /** Index in the run; -1 until it is read. */
  index = -1;
  /** Last time at which it grew. */
  grewMs: number;
  /** The most bytes that it was seen to have, and that certainly were its own. */
  largestBytes = 0;
  /** Why it is not a capture. */
  refusal: UserError | null = null;
  /** What was there when its beginning was last looked at. */
  probed: string | null = null;
  /** Why it cannot be opened; null: it can, as far as known. */
  problem: string | null = null;

  readonly #watch: FileWatch;
  readonly #openFiles: OpenFiles;
  #handle: OpenedFile | null = null;
  #fingerprint = new Uint8Array(0);
  /** Sizes, and since when at least they were reached. */
  #marks: Mark[] = [];

  constructor(path: string, target: number, facts: FileFacts, watch: FileWatch, openFiles: OpenFiles) {
    this.path = path;
    this.target = target;
    this.facts = facts;
    this.#watch = watch;
    this.#openFiles = openFiles;
    this.grewMs = watch.nowMs();
    this.#mark(facts.bytes);
  }

  /** Takes what the file system says now. True: it has grown. */
  look(facts: FileFacts): boolean {
    const grown = facts.bytes > this.facts.bytes;
    this.facts = facts;
    if (grown) {
      this.grewMs = this.#watch.nowMs();
      this.#mark(facts.bytes);
    }
    return grown;
  }

  /** Since when the first `bytes` of it have certainly been there. */
  presentSinceMs(bytes: number): number {
    const mark = this.#marks.find((one) => one.bytes >= bytes);
    return mark === undefined ? this.#watch.nowMs() : mark.sinceMs;
  }

  /** Forgets since when exactly bytes have been there that were so at `ms`. */
  forgetMarksBefore(ms: number): void {
    const old = this.#marks.findLastIndex((one) => one.sinceMs <= ms);
    if (old > 0) this.#marks.splice(0, old);
  }

  #mark(bytes: number): void {
    this.#marks.push({ bytes, sinceMs: this.#watch.nowMs() });
  }

  get isOpen(): boolean {
    return this.#handle !== null;
  }

  /** Gives nothing as soon as the content is another one; `overwritten` then says so. Rejects as node:fs does. */
  async readAt(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const handle = await this.#open();
    if (handle === null || this.overwritten) return 0;
    const count = await handle.read(target, offset, length, position);
    // Looked at after the bytes were read: what changed before that is noticed.
    const { bytes } = this.facts;
    if (!(await this.#isSame(handle))) {
      this.overwritten = true;
      return 0;
    }
    this.largestBytes = Math.max(this.largestBytes, bytes, position + count);
    const known = this.#fingerprint.length;
    if (count > 0 && position <= known && known < FINGERPRINT_BYTES && position + count > known) {
      const end = Math.min(FINGERPRINT_BYTES, position + count);
      const longer = new Uint8Array(end);
      longer.set(this.#fingerprint);
      longer.set(target.subarray(offset + known - position, offset + end - position), known);
      this.#fingerprint = longer;
    }
    if (position + count > this.facts.bytes) this.look({ ...this.facts, bytes: position + count });
    return count;
  }

  /** Looks whether the content is still the one known; sets `overwritten` when it is not. */
  async verify(): Promise<boolean> {
    const handle = await this.#open();
    if (handle !== null && !this.overwritten && !(await this.#isSame(handle))) this.overwritten = true;
    return !this.overwritten;
  }

  async #isSame(handle: OpenedFile): Promise<boolean> {
    const known = this.#fingerprint;
    if (known.length === 0) return true;
    const now = new Uint8Array(known.length);
    let filled = 0;
    while (filled < now.length) {
      const count = await handle.read(now, filled, now.length - filled, filled);
      if (count === 0) return false;
      filled += count;
    }
    return known.every((byte, at) => byte === now[at]);
  }

  /** null: it cannot be opened now, `problem` says why; or another file has its name. */
  async #open(): Promise<OpenedFile | null> {
    if (this.#handle !== null) return this.#handle;
    let handle: OpenedFile;
    try {
      handle = await this.#watch.open(this.path);
    } catch (error) {
      const { code, message } = error as { code?: string; message?: string };
      if (code === 'ENOENT') this.overwritten = true;
      else this.problem = code ?? message ?? 'unknown error';
      return null;
    }
    this.problem = null;
    if ((await handle.facts()).id !== this.facts.id) {
      this.overwritten = true;
      await handle.close();
      return null;
    }
    this.#handle = handle;
    this.#openFiles.count++;
    return handle;
  }

  /** Stays open where there is room for it: then it can be read also after it was deleted. */
  async closeUnlessRoom(): Promise<void> {
    if (this.#openFiles.count > this.#openFiles.most) await this.close();
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    if (handle === null) return;
    this.#handle = null;
    this.#openFiles.count--;
    await handle.close();
  }
}
