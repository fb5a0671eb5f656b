import {
  type CaptureFacts,
  type DropReport,
  emptyPacket,
  type PacketSource,
  type RunClock,
} from '../model/packet.ts';
import { emptyFacts } from './capture-facts.ts';
import type { CaptureReader } from './capture-reader.ts';

/** Opens one capture of the run; `brief`: only to look at its beginning. */
export type OpenOne = (
  capture: number,
  clock: RunClock,
  takeInterfaceNumber: () => number,
  brief: boolean,
) => Promise<{ reader: CaptureReader; regular: boolean }>;

interface Member {
  readonly capture: number;
  /** Holds the packet that the merge looks at next; null while the file is closed and waits for its time. */
  reader: CaptureReader | null;
  /** What is known of it while it is closed. */
  resting: CaptureFacts;
  firstNs: number;
  interfaceNumbers: number[];
}

/** Finds the capture's first packet. False: it has none. */
async function toPacket(reader: CaptureReader): Promise<boolean> {
  do {
    if (reader.next()) return true;
  } while (await reader.more());
  return false;
}

/**
 * Several captures as one, by time; packets of one capture keep their order, and of equal times the earlier
 * capture comes first. Every file is looked into for its first packet, then closed until its time has come:
 * a thousand files that follow each other in time take the memory and the descriptors of one.
 */
export class MergedSource implements PacketSource {
  readonly packet = emptyPacket();
  onDrops: ((report: DropReport) => void) | null = null;
  readonly #open: OpenOne;
  readonly #clock: RunClock;
  readonly #takeNumber: () => number;
  readonly #members: Member[] = [];
  /** Not yet open, by their first packets; the next one last. */
  #resting: Member[] = [];
  /** Open members as a binary heap by the packets they stand at. */
  readonly #heap: CaptureReader[] = [];
  /** The heap's top was given out and has to step on. */
  #given = false;
  /** `next` cannot go on before `more`. */
  #stalled = false;
  #closed = false;

  private constructor(open: OpenOne, clock: RunClock, takeNumber: () => number) {
    this.#open = open;
    this.#clock = clock;
    this.#takeNumber = takeNumber;
  }

  /** Throws what `open` throws; nothing stays open then. */
  static async create(
    count: number,
    open: OpenOne,
    clock: RunClock,
    takeNumber: () => number,
  ): Promise<MergedSource> {
    const source = new MergedSource(open, clock, takeNumber);
    try {
      await source.#lookIntoAll(count);
    } catch (error) {
      await source.close();
      throw error;
    }
    return source;
  }

  async #lookIntoAll(count: number): Promise<void> {
    const probes: { member: Member; reader: CaptureReader }[] = [];
    let earliest = Number.POSITIVE_INFINITY;
    for (let capture = 0; capture < count; capture++) {
      const clock: RunClock = { epochSeconds: null };
      const { reader, regular } = await this.#open(capture, clock, this.#takeNumber, true);
      this.#listen(reader);
      const resting = reader.facts[0]!;
      const member: Member = { capture, reader, resting, firstNs: 0, interfaceNumbers: [] };
      this.#members.push(member);
      if (!(await toPacket(reader))) {
        await this.#retire(reader);
        continue;
      }
      earliest = Math.min(earliest, clock.epochSeconds ?? earliest);
      probes.push({ member, reader });
      if (regular) {
        member.interfaceNumbers = resting.interfaces.map((one) => one.number);
        member.reader = null;
        await reader.close();
      }
    }
    if (Number.isFinite(earliest)) this.#clock.epochSeconds ??= earliest;
    for (const { member, reader } of probes) {
      reader.rebase(this.#clock);
      member.firstNs = reader.packet.timeNs;
      if (member.reader !== null) {
        this.#push(reader);
      } else {
        member.resting = unread(member.resting);
        this.#resting.push(member);
      }
    }
    this.#resting.sort((a, b) => b.firstNs - a.firstNs || b.capture - a.capture);
  }

  next(): boolean {
    if (this.#stalled || this.#closed) return false;
    const heap = this.#heap;
    if (this.#given) {
      if (!heap[0]!.next()) {
        this.#stalled = true;
        return false;
      }
      this.#given = false;
      this.#sink();
    }
    if (heap.length === 0 || this.#mustOpen(heap[0]!)) {
      this.#stalled = true;
      return false;
    }
    const from = heap[0]!.packet;
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
    this.#given = true;
    return true;
  }

  async more(): Promise<boolean> {
    if (this.#closed) return false;
    const heap = this.#heap;
    if (this.#given) {
      const reader = heap[0]!;
      const found = await toPacket(reader);
      if (this.#closed) return false;
      this.#given = false;
      if (found) {
        this.#sink();
      } else {
        this.#pop();
        await this.#retire(reader);
      }
    }
    while (this.#resting.length > 0 && (heap.length === 0 || this.#mustOpen(heap[0]!))) {
      await this.#wake(this.#resting.pop()!);
      if (this.#closed) return false;
    }
    this.#stalled = false;
    return heap.length > 0;
  }

  #mustOpen(top: CaptureReader): boolean {
    if (this.#resting.length === 0) return false;
    const { firstNs, capture } = this.#resting[this.#resting.length - 1]!;
    const { packet } = top;
    return firstNs < packet.timeNs || (firstNs === packet.timeNs && capture < packet.capture);
  }

  async #wake(member: Member): Promise<void> {
    const { interfaceNumbers } = member;
    const takeNumber = () => interfaceNumbers.shift() ?? this.#takeNumber();
    const { reader } = await this.#open(member.capture, this.#clock, takeNumber, false);
    this.#listen(reader);
    member.reader = reader;
    if (this.#closed) await reader.close();
    else if (await toPacket(reader)) this.#push(reader);
    else await this.#retire(reader);
  }

  /** A reader stands one packet further than what was given out, so that drops may be told a packet early. */
  #listen(reader: CaptureReader): void {
    reader.onDrops = (report) => this.onDrops?.(report);
  }

  /** Its facts stay, its file and buffers go. */
  async #retire(reader: CaptureReader): Promise<void> {
    await reader.close();
  }

  get facts(): readonly CaptureFacts[] {
    return this.#members.map(({ reader, resting }) => (reader === null ? resting : reader.facts[0]!));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#members.map(({ reader }) => reader?.close()));
  }

  #push(reader: CaptureReader): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(reader);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(reader, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = reader;
  }

  #pop(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink();
  }

  /** Moves the top down to where it belongs. */
  #sink(): void {
    const heap = this.#heap;
    const count = heap.length;
    const moving = heap[0]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= count) break;
      if (child + 1 < count && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, moving)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = moving;
  }
}

function isBefore(one: CaptureReader, other: CaptureReader): boolean {
  const a = one.packet;
  const b = other.packet;
  return a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.capture < b.capture);
}

/** What a capture says about itself before its packets are read. */
function unread(facts: CaptureFacts): CaptureFacts {
  const { path, format, compression, byteOrder } = facts;
  const interfaces = facts.interfaces.map((one) => ({ ...one, packets: 0 }));
  return { ...emptyFacts(path, format, compression, byteOrder), interfaces };
}
