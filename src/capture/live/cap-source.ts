import { type LiveCounters, type LiveDriver, type LiveSource, unknownCounters } from '../../model/live.ts';
import { type CaptureFacts, type CaptureInterface, emptyPacket } from '../../model/packet.ts';
import { captureInterface, emptyFacts } from '../capture-facts.ts';
import { CAP_SNAPLEN, openHandle, shortcomingsOf } from './cap-opening.ts';
import { type CapHandle, type CapPackage, loadCap } from './cap-package.ts';
import { ANY, type LiveOptions } from './live-options.ts';
import { PacketQueue } from './packet-queue.ts';

/** Where the outside world comes in; replaced in tests. */
export interface CapSurroundings {
  readonly load: () => Promise<CapPackage>;
  /** Unix time in ms, with fractions. Must not go back. */
  readonly nowMs: () => number;
}

const SURROUNDINGS: CapSurroundings = {
  load: loadCap,
  nowMs: () => performance.timeOrigin + performance.now(),
};

/** A queue that holds less than a few packets is none. */
const LEAST_QUEUE_BYTES = 1024 * 1024;
/** While packets keep coming the package does not let the event loop turn, so that no signal and no timer comes. */
const STUCK_MS = 2_000;
const PULSE_MS = 250;
/** Work of the reader after which keys, timers and signals get their turn. */
const TURN_MS = 20;
const NS_PER_MS = 1e6;

/**
 * Captures through the npm package `cap`, and so through libpcap.
 *
 * @throws UserError `no-cap`, `no-such-interface`, `no-capture-right`, `cap-refused`
 */
export async function openCap(
  options: LiveOptions,
  surroundings: CapSurroundings = SURROUNDINGS,
): Promise<LiveSource> {
  const loaded = await surroundings.load();
  const named = [...new Set(options.interfaces)];
  const names = named.length === 0 || named.includes(ANY) ? [ANY] : named;
  return new CapSource(loaded, names, options, surroundings.nowMs);
}

/** One interface. It owns the buffer that the package writes into, for as long as the handle is open. */
interface Device {
  readonly name: string;
  readonly buffer: Uint8Array;
  readonly entry: CaptureInterface;
  handle: CapHandle;
}

/** Buffers under open handles: nothing may free them, also when a source is forgotten without being closed. */
const openBuffers = new Set<Uint8Array>();

class CapSource implements LiveSource {
  readonly driver: LiveDriver = 'cap';
  readonly shortcomings: readonly string[];
  readonly packet = emptyPacket();
  /** It knows of no drops, and calls nobody. */
  onDrops: LiveSource['onDrops'] = null;
  readonly facts: readonly CaptureFacts[];
  readonly counters: LiveCounters;
  readonly #facts: CaptureFacts;
  readonly #options: LiveOptions;
  readonly #package: CapPackage;
  readonly #nowMs: () => number;
  readonly #queue: PacketQueue;
  readonly #devices: Device[] = [];
  #queueDrops = 0;
  #turnedMs: number;
  #restTurnMs: number;
  #wake: (() => void) | null = null;
  #stopped = false;
  #closed = false;
  #restarting = false;
  /** Tells whether the event loop turns. */
  readonly #pulse: NodeJS.Timeout;

  constructor(loaded: CapPackage, names: readonly string[], options: LiveOptions, nowMs: () => number) {
    this.#package = loaded;
    this.#options = options;
    this.#nowMs = nowMs;
    this.#turnedMs = nowMs();
    this.#restTurnMs = this.#turnedMs;
    this.#queue = new PacketQueue(Math.max(options.ringBytes, LEAST_QUEUE_BYTES));
    this.#facts = emptyFacts(names.join(', '), 'live', 'none', 'little');
    this.facts = [this.#facts];
    this.shortcomings = shortcomingsOf(names, options);
    this.counters = { ...unknownCounters(), ringBytes: this.#queue.capacityBytes };
    try {
      for (const name of names) this.#open(name);
    } catch (error) {
      this.#closeDevices();
      throw error;
    }
    this.#pulse = setInterval(() => {
      this.#turnedMs = this.#nowMs();
    }, PULSE_MS).unref();
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  get nowNs(): number | null {
    return this.#facts.packets === 0 ? null : this.#timeNs(this.#nowMs());
  }

  next(): boolean {
    const { packet, filter } = { packet: this.packet, filter: this.#options.filter };
    for (;;) {
      const device = this.#queue.read(packet);
      if (device < 0) return false;
      const { entry } = this.#devices[device];
      const { bytes, start, end, originalBytes } = packet;
      if (filter?.accepts(bytes, start, end, originalBytes, entry.linkType) === false) continue;
      packet.linkType = entry.linkType;
      packet.interfaceNumber = entry.number;
      entry.packets += 1;
      this.#count();
      return true;
    }
  }

  async more(): Promise<boolean> {
    // Under load the loop does not turn anyway before the package comes to rest, and packets would only pile up.
    if (this.#nowMs() - this.#restTurnMs > TURN_MS && this.#queue.waiting === 0) await this.#turn();
    if (this.#queue.waiting === 0) {
      if (this.#stopped) return false;
      await this.#packetOrTick();
    }
    this.#queue.swap();
    this.counters.ringUsedBytes = this.#queue.usedBytes;
    return true;
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#pulse);
    this.#closeDevices();
    this.#wake?.();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.stop();
  }

  #open(name: string): void {
    const { interfaces } = this.#facts;
    const buffer = Buffer.alloc(CAP_SNAPLEN + 1);
    const entry = captureInterface(interfaces.length, 0, Math.min(this.#options.snaplen, CAP_SNAPLEN));
    entry.name = name;
    const index = this.#devices.length;
    const device = { name, buffer, entry, handle: this.#start(name, buffer, entry, index) };
    this.#devices.push(device);
    interfaces.push(entry);
  }

  #start(name: string, buffer: Uint8Array, entry: CaptureInterface, index: number): CapHandle {
    const expression = this.#options.filter?.expression ?? '';
    openBuffers.add(buffer);
    try {
      // `accepts` decides in any case; libpcap decides before, which spares packets.
      const bufferBytes = Math.max(this.#options.ringBytes, LEAST_QUEUE_BYTES);
      const { handle, linkType } = openHandle(this.#package, { name, expression, buffer, bufferBytes });
      entry.linkType = linkType;
      handle.setMinBytes?.(0);
      handle.on('packet', (bytes) => this.#take(index, buffer, bytes));
      return handle;
    } catch (error) {
      openBuffers.delete(buffer);
      throw error;
    }
  }

  /** A packet is in the buffer until this returns. */
  #take(device: number, buffer: Uint8Array, bytes: number): void {
    if (this.#stopped) return;
    const nowMs = this.#nowMs();
    this.#options.clock.epochSeconds ??= Math.floor(nowMs / 1000);
    const kept = Math.min(bytes, this.#options.snaplen);
    if (!this.#queue.offer(buffer, kept, bytes, this.#timeNs(nowMs), device)) this.#dropped();
    if (nowMs - this.#turnedMs > STUCK_MS) this.#restart();
    this.#wake?.();
  }

  #dropped(): void {
    if (this.#queueDrops === 0) {
      const text =
        'packets come faster than they are read, and some are left out; only those are counted as dropped';
      this.#options.onNotice({ code: 'queue-full', text });
    }
    this.#queueDrops += 1;
    this.counters.dropped = this.#queueDrops;
    this.#facts.interfaces[0].dropped = this.#queueDrops;
  }

  /** The only way to make the package return to the event loop is to close the handle. */
  #restart(): void {
    if (this.#restarting) return;
    this.#restarting = true;
    for (const { handle } of this.#devices) handle.close();
    const text = 'packets come faster than the driver cap can hand them on; capturing pauses for a moment';
    this.#options.onNotice({ code: 'cap-overrun', text });
    setImmediate(() => {
      this.#restarting = false;
      this.#turnedMs = this.#nowMs();
      if (this.#stopped || this.#closed) return;
      try {
        this.#devices.forEach((device, index) => {
          device.handle = this.#start(device.name, device.buffer, device.entry, index);
        });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        this.#options.onNotice({ code: 'interface-gone', text: `the capture ends: ${why}` });
        this.stop();
      }
    });
  }

  #timeNs(nowMs: number): number {
    return Math.round((nowMs - (this.#options.clock.epochSeconds ?? 0) * 1000) * NS_PER_MS);
  }

  /** Facts about the current packet. */
  #count(): void {
    const facts = this.#facts;
    const { packet } = this;
    const captured = packet.end - packet.start;
    packet.number = ++facts.packets;
    facts.capturedBytes += captured;
    facts.fileBytes += captured;
    facts.originalBytes += packet.originalBytes;
    facts.firstNs ??= packet.timeNs;
    facts.lastNs = Math.max(facts.lastNs ?? packet.timeNs, packet.timeNs);
  }

  async #turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#restTurnMs = this.#nowMs();
  }

  /** Resolves in the middle of the package's work when a packet comes, so that the reader keeps up with it. */
  async #packetOrTick(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), this.#options.tickMs);
      this.#wake = () => {
        this.#wake = null;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #closeDevices(): void {
    for (const { handle, buffer } of this.#devices) {
      handle.close();
      openBuffers.delete(buffer);
    }
  }
}
