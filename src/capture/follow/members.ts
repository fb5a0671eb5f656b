import { UserError } from '../../model/errors.ts';
import type { Limits } from '../../model/limits.ts';
import type { CaptureFacts, DropReport, RunClock } from '../../model/packet.ts';
import { NS_PER_SECOND } from '../capture-reader.ts';
import type { BufferPool } from './blocks.ts';
import type { FollowedFile } from './file.ts';
import { FollowLanes } from './lanes.ts';
import { FollowMember } from './member.ts';
import { openFollowed } from './probe.ts';

export interface FollowMembersOptions {
  readonly clock: RunClock;
  readonly limits: Limits;
  readonly buffers: BufferPool;
  readonly mergeWaitMs: number;
  /** By capture; filled in place. */
  readonly facts: CaptureFacts[];
  readonly nowMs: () => number;
  readonly onDrops: (report: DropReport) => void;
  /** A file came to its end, and `facts` say how. */
  readonly onRetired: (file: FollowedFile, facts: CaptureFacts) => unknown;
}

/** Code of the error when too many files have packets of one and the same time. */
export const TOO_MANY = 'too-many-captures';
/** Files with packets of one and the same time. */
const MOST_AT_ONCE = 256;
/** A file that another has followed gives back its buffer and descriptor after so many times the merge wait. */
const WAITS_BEFORE_REST = 4;

/** The files that are being read, or were read to an end that may not be the last. */
export class FollowMembers {
  readonly #options: FollowMembersOptions;
  readonly #lanes = new FollowLanes();
  #members: FollowMember[] = [];
  /** The file of each target that began last; kept by who looks at the files. */
  newest: readonly (FollowedFile | undefined)[] = [];
  /** Nobody is waited for any more. */
  hurry = false;

  constructor(options: FollowMembersOptions) {
    this.#options = options;
  }

  /** Bytes in these files of which no packet was made yet. */
  get unreadBytes(): number {
    return this.#members.reduce((bytes, member) => bytes + member.unreadBytes, 0);
  }

  /** A time of packet or file in ns since the run's epoch. */
  sinceEpoch(ns: bigint): number {
    return Number(ns - BigInt(this.#options.clock.epochSeconds ?? 0) * BigInt(NS_PER_SECOND));
  }

  /** The one whose packet comes next; null: none has a packet at hand. */
  earliest(): FollowMember | null {
    const members = this.#members;
    let earliest: FollowMember | null = null;
    for (let index = 0; index < members.length; index++) {
      const member = members[index];
      if (!member.hasHead) continue;
      if (earliest === null || member.reader.packet.timeNs < earliest.reader.packet.timeNs) earliest = member;
    }
    return earliest;
  }

  /** Brings every file that is read to a packet, or to its end. True: bytes came. */
  async fill(): Promise<boolean> {
    const { facts, mergeWaitMs } = this.#options;
    const nowMs = this.#options.nowMs();
    let came = false;
    for (const member of this.#members) {
      if (member.hasHead || member.ended) continue;
      if (!member.asleep && (await member.fill(nowMs))) came = true;
      if (!member.hasHead && !member.ended) await this.#considerEnd(member, nowMs);
    }
    const ended = this.#members.filter((member) => member.ended && !member.hasHead);
    for (const member of ended) await this.#retire(member);
    for (const member of this.#members) {
      facts[member.file.index] = member.facts;
      member.settled = this.hurry || nowMs - member.presentSinceMs() >= mergeWaitMs;
    }
    return came;
  }

  /** What becomes of a file that has nothing more now. */
  async #considerEnd(member: FollowMember, nowMs: number): Promise<void> {
    const { file } = member;
    const { mergeWaitMs } = this.#options;
    const quietMs = nowMs - Math.max(member.atEndSinceMs ?? nowMs, file.goneSinceMs ?? 0);
    if (file.overwritten) await member.finish();
    else if (file.goneSinceMs !== null && (quietMs >= mergeWaitMs || member.resting)) await member.finish();
    else if (this.#isFollowed(member, nowMs) && quietMs >= WAITS_BEFORE_REST * mergeWaitMs)
      await member.rest();
  }

  /** A newer file of its target has begun after all of its packets, and nothing came for the merge wait. */
  #isFollowed(member: FollowMember, nowMs: number): boolean {
    if (member.resting) return true;
    const newest = this.newest[member.file.target];
    if (newest === undefined || newest === member.file || member.atEndSinceMs === null) return false;
    if (nowMs - member.atEndSinceMs < this.#options.mergeWaitMs) return false;
    return this.sinceEpoch(newest.firstNs as bigint) >= (member.lastNs ?? Number.POSITIVE_INFINITY);
  }

  async #retire(member: FollowMember): Promise<void> {
    const { file, facts } = member;
    this.#members = this.#members.filter((one) => one !== member);
    this.#options.facts[file.index] = facts;
    file.packetsDone = facts.packets;
    file.state = 'over';
    this.#options.onRetired(file, facts);
    await member.close();
  }

  /** The time up to which all files have been read that are still being written. */
  waitedForNs(): number {
    const nowMs = this.#options.nowMs();
    let untilNs = Number.POSITIVE_INFINITY;
    for (const member of this.#members) {
      const { lastNs } = member;
      if (member.hasHead || lastNs === null || this.#isFollowed(member, nowMs)) continue;
      untilNs = Math.min(untilNs, lastNs);
    }
    return untilNs;
  }

  /** Begins to read a file. Rejects when that is not possible; it is as it was then. */
  async open(file: FollowedFile): Promise<void> {
    const busy = this.#members.filter((member) => member.hasHead).length;
    if (busy >= MOST_AT_ONCE) {
      throw new UserError(TOO_MANY, `more than ${MOST_AT_ONCE} captures go on at the same time`, {
        hint: 'follow fewer of them at once',
      });
    }
    const { clock, limits, buffers, facts } = this.#options;
    const index = file.index < 0 ? facts.length : file.index;
    const lane = this.#lanes.take(file, this.sinceEpoch(file.firstNs as bigint));
    const takeInterfaceNumber = this.#lanes.numbersOf(lane);
    const context = { clock, limits, buffers, capture: index, takeInterfaceNumber };
    try {
      const { reader, blocks } = await openFollowed(file, context);
      const member = new FollowMember(file, reader, blocks);
      await skip(member, file.packetsDone);
      // What was told already is not told again.
      reader.onDrops = this.#options.onDrops;
      file.index = index;
      file.state = 'open';
      facts[index] = member.facts;
      this.#members.push(member);
      lane.member = member;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * What ended in the middle of a packet is damaged if another file has followed it, else it is only unfinished.
   * Gives the number of the unfinished.
   */
  async end(): Promise<number> {
    const { facts, nowMs } = this.#options;
    let unfinished = 0;
    for (const member of [...this.#members]) {
      const broken = !member.ended && !member.hasHead && member.unreadBytes > 0;
      if (broken && this.#isFollowed(member, nowMs())) {
        await member.finish();
        await this.#retire(member);
        continue;
      }
      if (broken) unfinished++;
      facts[member.file.index] = member.facts;
    }
    return unfinished;
  }

  async close(): Promise<void> {
    for (const member of this.#members) await member.close();
  }
}

/** Goes over packets that were given out when the file was read before. */
async function skip({ reader }: FollowMember, packets: number): Promise<void> {
  for (let left = packets; left > 0; ) {
    if (reader.next()) left--;
    else if (!(await reader.more())) return;
  }
}
