import { UserError } from '../../model/errors.ts';
import { type CaptureFacts, type DropReport, emptyPacket, type PacketSource } from '../../model/packet.ts';
import { BufferPool } from './blocks.ts';
import type { FollowedFile } from './file.ts';
import type { FollowMember } from './member.ts';
import { FollowMembers, TOO_MANY } from './members.ts';
import type { FollowOptions } from './options.ts';
import type { FollowReport } from './report.ts';
import { FollowSet, PACKED_REST_MS } from './set.ts';
import { leaveOutOlder } from './start.ts';
import type { FollowTarget } from './target.ts';
import { FollowTeller } from './teller.ts';
import type { FileWatch } from './watch.ts';

const BLOCK_BYTES = 256 * 1024;
/** Time for reading what is left when a user ends it. */
const REST_MS = 1000;

/**
 * Packets of files that grow and of files that follow each other, as one sequence: `more` waits for what is not
 * there yet. Each content of each file is a capture of its own, in the order in which their turn came.
 *
 * By time: a packet is given out when no other file can have an earlier one, or when the merge wait is over. A
 * file that another one has followed is not waited for, so a ring of files costs no waiting.
 */
export class FollowSource implements PacketSource {
  readonly packet = emptyPacket();
  onDrops: ((report: DropReport) => void) | null = null;
  /** The same array all the time; it grows. */
  readonly facts: CaptureFacts[] = [];
  readonly report: FollowReport;
  readonly #options: FollowOptions;
  readonly #targets: readonly FollowTarget[];
  readonly #watch: FileWatch;
  readonly #teller: FollowTeller;
  readonly #set: FollowSet;
  readonly #members: FollowMembers;
  /** To be read when their time comes, the next one last. */
  #waiting: FollowedFile[] = [];
  #given: FollowMember | null = null;
  /** Packets up to this time need not wait for anybody. */
  #freeUntilNs = Number.POSITIVE_INFINITY;
  /** Time of the first packet of the next file that waits. */
  #nextFileNs = Number.POSITIVE_INFINITY;
  #lastNs = Number.NEGATIVE_INFINITY;
  #lastCapture = -1;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #activeMs: number;
  #stopped = false;
  #readRest = false;
  /** Reading the rest ends at this time. */
  #restUntilMs: number | null = null;
  #over = false;

  constructor(targets: readonly FollowTarget[], watch: FileWatch, options: FollowOptions) {
    this.#options = options;
    this.#targets = targets;
    this.#watch = watch;
    this.#activeMs = watch.nowMs();
    const { clock, limits, mergeWaitMs } = options;
    const teller = new FollowTeller(options.onNotice);
    this.#teller = teller;
    this.report = teller.report;
    const buffers = new BufferPool(options.blockBytes ?? BLOCK_BYTES);
    this.#members = new FollowMembers({
      clock,
      limits,
      buffers,
      mergeWaitMs,
      facts: this.facts,
      nowMs: () => watch.nowMs(),
      onDrops: (report) => this.onDrops?.(report),
      onRetired: (file, { damage }) => damage !== null && teller.damaged(file.path, damage),
    });
    this.#set = new FollowSet({ targets, watch, limits, buffers, told: teller });
  }

  /** Looks for the first time, and decides what of that is read. */
  async begin(): Promise<void> {
    await this.#set.look();
    for (const [index, { text, literal }] of this.#targets.entries()) {
      const files = [...this.#set.files()].filter(({ target }) => target === index);
      if (files.length === 0) this.#teller.missing(text);
      const [only] = files;
      if (literal && only?.path === text && only.refusal !== null) throw only.refusal;
      if (!this.#options.fromStart) this.report.leftOut += leaveOutOlder(files, this.#set);
    }
    this.#sort();
  }

  /**
   * Ends the source, also while it waits: before its next block, or with `readRest` after what is in the files at
   * this moment, as far as that is read within a second.
   */
  stop(readRest = false): void {
    this.#stopped = true;
    this.#readRest = readRest;
    this.#watch.wake();
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Bytes that are in the files and not read yet. */
  get unreadBytes(): number {
    let bytes = this.#members.unreadBytes;
    for (const file of this.#waiting) bytes += file.facts.bytes;
    return bytes;
  }

  /**
   * The time that it is now by the packets' clocks, ns since the run's epoch: the last packet's, and what has passed
   * since it came. null before the first.
   */
  get nowNs(): number | null {
    if (this.#lastCapture < 0) return null;
    return this.#lastNs + (this.#watch.nowMs() - this.#activeMs) * 1e6;
  }

  /** Path of the file that the last packet came from; null before the first. */
  get current(): string | null {
    return this.facts[this.#lastCapture]?.path ?? null;
  }

  next(): boolean {
    if (this.#over) return false;
    const given = this.#given;
    if (given !== null) {
      this.#given = null;
      given.hasHead = given.reader.next();
      if (!given.hasHead) return false;
    }
    const member = this.#members.earliest();
    if (member === null) return false;
    const from = member.reader.packet;
    if (from.timeNs > this.#nextFileNs || (from.timeNs > this.#freeUntilNs && !member.settled)) return false;
    const to = this.packet;
    to.bytes = from.bytes;
    to.start = from.start;
    to.end = from.end;
    to.originalBytes = from.originalBytes;
    to.timeNs = from.timeNs;
    to.linkType = from.linkType;
    to.capture = from.capture;
    to.interfaceNumber = from.interfaceNumber;
    to.number = from.number;
    if (from.timeNs >= this.#lastNs) {
      this.#lastNs = from.timeNs;
      this.#lastCapture = from.capture;
    } else if (from.capture !== this.#lastCapture) this.report.late++;
    this.#given = member;
    return true;
  }

  async more(): Promise<boolean> {
    if (this.#watch.nowMs() - this.#lookedMs >= this.#options.pollMs) await this.#look();
    for (;;) {
      if (this.#over) return false;
      if (this.#stopped && !(await this.#goesOn())) return this.#end();
      await this.#fill();
      const heldMs = await this.#choose();
      if (heldMs === 0) return true;
      if (this.#stopped || this.#isIdle()) return this.#end();
      this.#options.onWait?.();
      await this.#watch.wait(Math.min(this.#options.pollMs, heldMs));
      if (!this.#stopped) await this.#look();
    }
  }

  /** Stopped: is there a rest that is still to be read? */
  async #goesOn(): Promise<boolean> {
    if (!this.#readRest) return false;
    const nowMs = this.#watch.nowMs();
    if (this.#restUntilMs === null) {
      this.#members.hurry = true;
      this.#restUntilMs = nowMs + REST_MS;
      await this.#look();
    }
    return nowMs < this.#restUntilMs;
  }

  async #fill(): Promise<void> {
    if (await this.#members.fill()) this.#activeMs = this.#watch.nowMs();
  }

  async #look(): Promise<void> {
    await this.#set.look();
    this.#sort();
    this.#lookedMs = this.#watch.nowMs();
  }

  #sort(): void {
    this.#waiting = [];
    const newest: (FollowedFile | undefined)[] = [];
    const sinceMs = this.#watch.nowMs() - this.#options.mergeWaitMs;
    for (const file of this.#set.files()) {
      file.forgetMarksBefore(sinceMs);
      if (file.state === 'waiting') this.#waiting.push(file);
      if (file.firstNs === null || file.state === 'left-out' || file.state === 'copy') continue;
      const other = newest[file.target];
      if (other === undefined || isBefore(other, file)) newest[file.target] = file;
    }
    this.#members.newest = newest;
    this.#waiting.sort((a, b) => (isBefore(a, b) ? 1 : -1));
  }

  /**
   * Begins to read files whose time has come. Gives the time for which the earliest packet has to wait: 0 when it
   * can be given out, Infinity when there is none.
   */
  async #choose(): Promise<number> {
    for (;;) {
      const earliest = this.#members.earliest();
      const file = this.#waiting.at(-1);
      if (file !== undefined) {
        const firstNs = this.#members.sinceEpoch(file.firstNs as bigint);
        if (
          earliest === null ||
          this.#options.clock.epochSeconds === null ||
          firstNs < earliest.reader.packet.timeNs
        ) {
          this.#waiting.pop();
          await this.#open(file);
          await this.#fill();
          continue;
        }
        this.#nextFileNs = firstNs;
      } else this.#nextFileNs = Number.POSITIVE_INFINITY;
      if (earliest === null) return Number.POSITIVE_INFINITY;
      const nowMs = this.#watch.nowMs();
      this.#freeUntilNs = this.#members.waitedForNs();
      if (earliest.settled || earliest.reader.packet.timeNs <= this.#freeUntilNs) return 0;
      return Math.max(1, earliest.presentSinceMs() + this.#options.mergeWaitMs - nowMs);
    }
  }

  async #open(file: FollowedFile): Promise<void> {
    try {
      await this.#members.open(file);
      this.#set.remember(file);
      if (file.packetsDone === 0) this.report.files++;
    } catch (error) {
      if (error instanceof UserError && error.code === TOO_MANY) throw error;
      this.#teller.notOpened(file, error);
    }
  }

  #isIdle(): boolean {
    const { idleMs } = this.#options;
    if (idleMs === null) return false;
    let activeMs = this.#activeMs;
    for (const { state, grewMs, packed } of this.#set.files()) {
      if (state === 'new') activeMs = Math.max(activeMs, grewMs + (packed ? PACKED_REST_MS : 0));
    }
    return this.#watch.nowMs() - activeMs >= idleMs;
  }

  async #end(): Promise<false> {
    this.#over = true;
    this.report.unfinished = await this.#members.end();
    this.report.unread = this.#waiting.length;
    await this.close();
    return false;
  }

  async close(): Promise<void> {
    this.#over = true;
    this.#watch.close();
    await this.#members.close();
    await this.#set.close();
  }
}

/** By their first packets, then by name, numbers in names as numbers. */
function isBefore(one: FollowedFile, other: FollowedFile): boolean {
  const a = one.firstNs as bigint;
  const b = other.firstNs as bigint;
  return a === b ? one.path.localeCompare(other.path, 'en', { numeric: true }) < 0 : a < b;
}
