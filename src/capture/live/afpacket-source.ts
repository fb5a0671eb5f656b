import type { LiveCounters, LiveDriver, LiveSource } from '../../model/live.ts';
import {
  type CaptureFacts,
  type CaptureInterface,
  type DropReport,
  emptyPacket,
} from '../../model/packet.ts';
import { captureInterface, emptyFacts } from '../capture-facts.ts';
import { DropReadings } from '../drop-readings.ts';
import { hasVlanTag, restoreEthernetTag, writeCookedHeader } from './cooked-header.ts';
import { Ending, LAST_STEP_MS } from './ending.ts';
import { InterfaceTable } from './interface-table.ts';
import { LITTLE_ENDIAN } from './libc.ts';
import { count, emptyCounters } from './live-counts.ts';
import type { LiveOptions } from './live-options.ts';
import type { LiveSocket } from './live-socket.ts';
import { PacketChecks } from './packet-checks.ts';
import { LINKTYPE_ETHERNET } from './socket-kind.ts';
import { type BlockWalker, HEADER } from './tpacket.ts';

/** Time of work after which keys, timers and signals get their turn. */
const TURN_MS = 20;
/** Time after which states and names of interfaces are asked for again, and while one is missing. */
const LOOK_MS = 250;
const LOOK_MISSING_MS = 20;
/**
 * Being woken costs as much as a thousand packets. So where blocks become full before their time, the reader comes
 * back after this time and not for each block. A ring of this size holds what 10 Gbit/s bring meanwhile, and more.
 */
const REST_MS = 25;
const REST_RING_BYTES = 48 * 1024 * 1024;
const NS_PER_SECOND = 1e9;
const NOWHERE = new Uint8Array(0);

/**
 * Packets of AF_PACKET's ring, read where the kernel put them. The ring is the queue between the kernel and whoever
 * reads: a block is given back when the reader has stepped past it, and when none is free the kernel drops and counts.
 *
 * The kernel counts per socket and not per interface, so `received` and `dropped` of all interfaces stand at the
 * first entry of `facts[0].interfaces`; the other entries have null.
 */
export class AfPacketSource implements LiveSource {
  readonly driver: LiveDriver = 'afpacket';
  readonly shortcomings: readonly string[] = [];
  readonly packet = emptyPacket();
  onDrops: ((report: DropReport) => void) | null = null;
  readonly facts: readonly CaptureFacts[];
  readonly counters: LiveCounters;
  readonly #facts: CaptureFacts;
  readonly #options: LiveOptions;
  readonly #socket: LiveSocket;
  readonly #table: InterfaceTable;
  #walker: BlockWalker;
  #raw = false;
  /** Frames are Ethernet's, where a VLAN tag has its place. */
  #tags = false;
  readonly #checks: PacketChecks;
  /** The kernel leaves out less than it should. */
  #unfiltered = false;
  #accepts: ((start: number, end: number, originalBytes: number) => boolean) | null = null;
  /** Of the last packet's interface, whose entry is known. -1: to be asked for. */
  #interfaceIndex = -1;
  #entry: CaptureInterface = captureInterface(0, 0, 0);
  readonly #snaplen: number;
  /**
   * The run's epoch in Unix seconds. In an array of doubles, so that times are computed as doubles from the first
   * packet on: compiled for the small integers of the first two seconds, the code is thrown away after them.
   */
  readonly #epochSeconds = new Float64Array(1);
  #number = 0;
  /** Packets that are counted in their interface's entry. */
  #countedNumber = 0;
  /** Not in the facts yet; of one block, so that they stay small integers. */
  #freshCapturedBytes = 0;
  #freshOriginalBytes = 0;
  #firstNs = Number.POSITIVE_INFINITY;
  #lastNs = Number.NEGATIVE_INFINITY;
  #previousNs = Number.NEGATIVE_INFINITY;
  #timeReversals = 0;
  #damagedPackets = 0;
  #toldDamage = false;
  /** However far apart: nothing is more exact. */
  readonly #drops = new DropReadings(Number.POSITIVE_INFINITY);
  #turnMs = performance.now();
  #lookedMs = performance.now();
  #hadError = false;
  /** Before the next wait. */
  #restMs = 0;
  /** Set when it was stopped. */
  #ending: Ending | null = null;
  #over = false;

  /** `socket` becomes the source's. `label`: what `facts` call the capture. */
  constructor(socket: LiveSocket, label: string, options: LiveOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#facts = emptyFacts(label, 'live', 'none', LITTLE_ENDIAN ? 'little' : 'big');
    this.facts = [this.#facts];
    const { ring, kind } = socket;
    this.#snaplen = options.snaplen;
    const { interfaces } = this.#facts;
    this.#table = new InterfaceTable(interfaces, kind.linkType, options.snaplen, (index) =>
      socket.nameOf(index),
    );
    this.#walker = ring.walker;
    this.#checks = new PacketChecks(socket.named !== null);
    this.counters = emptyCounters(ring.ringBytes);
    // For the same reason as with the epoch: from now on a double.
    this.packet.timeNs = Number.MAX_SAFE_INTEGER;
    this.packet.timeNs = 0;
    this.#adopt();
    void options.begun?.then(() => this.#begin());
  }

  #begin(): void {
    if (this.#ending !== null || this.#over) return;
    this.#socket.takePackets();
    this.#useChecks();
  }

  get stopped(): boolean {
    return this.#ending !== null;
  }

  get nowNs(): number | null {
    if (this.#number === 0) return null;
    return Math.max(this.#lastNs, this.#socket.libc.realTimeNs(this.#epochSeconds[0]));
  }

  next(): boolean {
    const walker = this.#walker;
    while (walker.step()) {
      if (walker.interfaceIndex !== this.#interfaceIndex) this.#changeInterface(walker.interfaceIndex);
      if (this.#unfiltered && this.#checks.unwanted(walker)) continue;
      const { words } = walker;
      const word = walker.at >>> 2;
      const second = words[word + HEADER.seconds / 4] >>> 0;
      const nanosecond = words[word + HEADER.nanoseconds / 4];
      let { start, originalBytes } = walker;
      if (!this.#raw) {
        start = writeCookedHeader(walker);
        originalBytes += walker.start - start;
      } else if (this.#tags && hasVlanTag(walker)) {
        start = restoreEthernetTag(walker);
        originalBytes += walker.start - start;
      }
      const end = Math.min(walker.end, start + this.#snaplen);
      if (this.#accepts !== null && !this.#accepts(start, end, originalBytes)) continue;
      if (this.#number === 0) this.#startClock(second, nanosecond);
      const timeNs = (second - this.#epochSeconds[0]) * NS_PER_SECOND + nanosecond;
      const { packet } = this;
      packet.start = start;
      packet.end = end;
      packet.originalBytes = originalBytes;
      packet.timeNs = timeNs;
      packet.number = ++this.#number;
      this.#freshCapturedBytes += end - start;
      this.#freshOriginalBytes += originalBytes;
      if (timeNs > this.#lastNs) this.#lastNs = timeNs;
      else if (timeNs < this.#previousNs) this.#wentBack(timeNs);
      this.#previousNs = timeNs;
      return true;
    }
    return false;
  }

  async more(): Promise<boolean> {
    this.#giveBack();
    let nowMs = performance.now();
    if (nowMs - this.#turnMs > TURN_MS) {
      await turn();
      nowMs = performance.now();
      this.#turnMs = nowMs;
    }
    const untilMs = nowMs + this.#options.tickMs;
    for (;;) {
      if (this.#over) return false;
      const { ring } = this.#socket;
      this.#look(nowMs);
      if (this.#ending?.isOver(ring, nowMs)) return this.#end();
      if (ring.ready) break;
      if (this.#ending === null) {
        if (this.#socket.reopenDue && ring.empty && this.#socket.reopen()) {
          this.#adopt();
          continue;
        }
        if (nowMs >= untilMs) break;
      }
      const rests = this.#restMs > 0 && this.#ending === null;
      const failed = await (rests ? ring.rest(this.#restMs) : ring.wait(this.#waitMs(untilMs - nowMs)));
      if (failed) this.#hadError = true;
      this.#restMs = 0;
      nowMs = performance.now();
      this.#turnMs = nowMs;
    }
    const { ring } = this.#socket;
    if (ring.ready) this.#restMs = ring.take() && ring.ringBytes >= REST_RING_BYTES ? REST_MS : 0;
    this.#settle();
    return true;
  }

  stop(): void {
    if (this.#ending !== null) return;
    this.#ending = new Ending(performance.now(), this.#over || this.#socket.takeNothing());
    this.#socket.ring.wake();
  }

  async close(): Promise<void> {
    if (!this.#over) {
      this.#giveBack();
      this.#settle();
    }
    this.#over = true;
    this.#socket.close();
    const { packet } = this;
    packet.bytes = NOWHERE;
    packet.start = 0;
    packet.end = 0;
  }

  #end(): false {
    this.#giveBack();
    this.#settle();
    this.#over = true;
    return false;
  }

  #waitMs(tickLeftMs: number): number {
    if (this.#ending !== null) return LAST_STEP_MS;
    const missing = this.#socket.named?.someMissing === true || this.#socket.reopenDue;
    return missing ? Math.min(tickLeftMs, LOOK_MISSING_MS) : tickLeftMs;
  }

  /** What may have changed about the interfaces, at times. */
  #look(nowMs: number): void {
    const socket = this.#socket;
    const pauseMs = socket.named?.someMissing === true ? LOOK_MISSING_MS : LOOK_MS;
    if (this.#ending !== null || (nowMs - this.#lookedMs < pauseMs && !this.#hadError)) return;
    this.#lookedMs = nowMs;
    socket.look(this.#hadError);
    this.#hadError = false;
    this.#useChecks();
    this.#table.expire();
    this.#interfaceIndex = -1;
  }

  /** Takes over the socket's ring and kind, at the beginning and after it was opened anew. */
  #adopt(): void {
    const { ring, kind, named, probe } = this.#socket;
    this.#walker = ring.walker;
    this.#raw = kind.raw;
    this.#tags = kind.linkType === LINKTYPE_ETHERNET;
    this.packet.bytes = ring.walker.bytes;
    this.packet.linkType = kind.linkType;
    this.#table.changeLinkType(kind.linkType);
    this.#interfaceIndex = -1;
    // A recording describes the interfaces that were asked for, also those without packets.
    for (const index of named?.indexes ?? []) this.#table.entry(probe.name(index));
    this.#useChecks();
  }

  /** What is to be looked at in each packet, because the kernel does not. */
  #useChecks(): void {
    const { filtersInKernel, named } = this.#socket;
    if (named !== null) this.#checks.add(named.indexes);
    this.#unfiltered = !filtersInKernel;
    const { filter } = this.#options;
    const { packet } = this;
    this.#accepts =
      filtersInKernel || filter === null
        ? null
        : (start, end, originalBytes) =>
            filter.accepts(packet.bytes, start, end, originalBytes, packet.linkType);
  }

  #changeInterface(index: number): void {
    this.#countEntry();
    this.#interfaceIndex = index;
    this.#entry = this.#table.find(index);
    this.packet.interfaceNumber = this.#entry.number;
  }

  /** What came since the last call came from the current interface. */
  #countEntry(): void {
    this.#entry.packets += this.#number - this.#countedNumber;
    this.#countedNumber = this.#number;
  }

  #startClock(second: number, nanosecond: number): void {
    const { clock } = this.#options;
    clock.epochSeconds ??= second;
    this.#epochSeconds[0] = clock.epochSeconds;
    this.#firstNs = (second - clock.epochSeconds) * NS_PER_SECOND + nanosecond;
  }

  #wentBack(timeNs: number): void {
    this.#timeReversals += 1;
    if (timeNs < this.#firstNs) this.#firstNs = timeNs;
  }

  #giveBack(): void {
    const walker = this.#walker;
    if (walker.damaged && walker.left > 0) {
      this.#damagedPackets += walker.left;
      if (!this.#toldDamage) {
        const text = 'a block of the kernel contradicts itself; its rest counts as dropped';
        this.#options.onNotice({ code: 'ring-damaged', text });
      }
      this.#toldDamage = true;
    }
    this.#socket.ring.giveBack();
  }

  /** Facts and counters are true again. */
  #settle(): void {
    this.#countEntry();
    const facts = this.#facts;
    facts.packets = this.#number;
    facts.capturedBytes += this.#freshCapturedBytes;
    facts.originalBytes += this.#freshOriginalBytes;
    facts.fileBytes = facts.capturedBytes;
    this.#freshCapturedBytes = 0;
    this.#freshOriginalBytes = 0;
    facts.timeReversals = this.#timeReversals;
    if (this.#number > 0) {
      facts.firstNs = this.#firstNs;
      facts.lastNs = this.#lastNs;
    }
    count(this.counters, facts, this.#socket, {
      packets: this.#number,
      damaged: this.#damagedPackets,
      unfiltered: this.#unfiltered,
      loopbackCopies: this.#checks.loopbackCopies,
    });
    this.#readDrops();
  }

  /** Before the first packet nothing could be touched; what was dropped by then belongs to what comes. */
  #readDrops(): void {
    const { nowNs } = this;
    if (nowNs === null) return;
    const first = this.#facts.interfaces[0]?.number ?? 0;
    if (!this.#drops.begun) this.#drops.read(first, this.#firstNs - 1, 0);
    const report = this.#drops.read(first, nowNs, this.counters.dropped ?? 0);
    if (report !== null) this.onDrops?.(report);
  }
}

/** Lets the event loop turn once. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
