import type { CaptureInterface } from '../model/packet.ts';
import { captureInterface, countSkipped, keepComment, optionText } from './capture-facts.ts';
import { CaptureReader, type ReaderContext } from './capture-reader.ts';
import { DropReadings, LONGEST_DROP_SPAN_NS } from './drop-readings.ts';
import { DEFAULT_RESOLUTION, InterfaceClock } from './interface-clock.ts';
import { BLOCK, FRAME, INTERFACE, OPTION, PACKET, SECTION, SIMPLE, STATISTICS } from './pcapng-layout.ts';
import { OptionWalk } from './pcapng-options.ts';
import { BYTE_ORDER_MAGIC, SECTION_HEADER } from './recognise.ts';

/** Entries of the systemd journal and custom blocks: no packets, but Wireshark gives them frame numbers. */
const NUMBERED_BLOCKS: ReadonlySet<number> = new Set([0x0000_0009, 0x0000_0bad, 0x4000_0bad]);

/** Bytes a block may have beside the longest packet, for its options. */
const BLOCK_ALLOWANCE_BYTES = 1024 * 1024;
/** Interfaces of one capture, all sections together; each keeps some memory for the whole run. */
const MAX_INTERFACES = 65_536;

interface Interface {
  readonly shown: CaptureInterface;
  readonly clock: InterfaceClock;
  readonly linkType: number;
  readonly snaplen: number;
  readonly number: number;
  /** null: no statistics of it have come. */
  drops: DropReadings | null;
  packets: number;
}

/** pcapng: any number of sections, in either byte order, each with its own interfaces. */
export class PcapngReader extends CaptureReader {
  #little = true;
  #inSection = false;
  /** Of the current section, by their number in it. */
  #interfaces: Interface[] = [];
  readonly #allInterfaces: Interface[] = [];
  readonly #options = new OptionWalk();
  readonly #blockBytes: number;
  readonly #packetBytes: number;

  constructor(context: ReaderContext) {
    super(context);
    this.#packetBytes = context.limits.packetBytes;
    this.#blockBytes = context.limits.packetBytes + BLOCK_ALLOWANCE_BYTES;
  }

  next(): boolean {
    for (;;) {
      const at = this.position;
      if (at + FRAME.minimum > this.limit) return false;
      const view = this.view;
      const type = view.getUint32(at + FRAME.type, this.#little);
      if (type === SECTION_HEADER) {
        if (!this.#readByteOrder(at)) return false;
      } else if (!this.#inSection) {
        return this.damaged('it does not begin with a section header');
      }
      const little = this.#little;
      const length = view.getUint32(at + FRAME.length, little);
      if (length < FRAME.minimum || length > this.#blockBytes) return this.#badLength(length);
      const end = at + length;
      if (end > this.limit) return false;
      if (view.getUint32(end - FRAME.trailer, little) !== length) return this.#badTrailer(length);
      if (type === BLOCK.enhancedPacket || type === BLOCK.obsoletePacket) {
        return this.#readPacket(at, end, type === BLOCK.obsoletePacket);
      }
      if (type === BLOCK.simplePacket) return this.#readSimplePacket(at, end);
      if (!this.#readOther(type, at, end)) return false;
      this.position = end;
    }
  }

  #readPacket(at: number, end: number, obsolete: boolean): boolean {
    if (end - at < PACKET.minimum) return this.#tooShort('a packet block', end - at);
    const view = this.view;
    const little = this.#little;
    const id = obsolete
      ? view.getUint16(at + PACKET.interface, little)
      : view.getUint32(at + PACKET.interface, little);
    if (id >= this.#interfaces.length) return this.#unknownInterface(id);
    const entry = this.#interfaces[id]!;
    const captured = view.getUint32(at + PACKET.captured, little);
    const original = view.getUint32(at + PACKET.original, little);
    const start = at + PACKET.data;
    const dataEnd = start + captured;
    if (dataEnd > end - FRAME.trailer || captured > this.#packetBytes) return this.#tooMuchData(captured);
    const high = view.getUint32(at + PACKET.high, little);
    const low = view.getUint32(at + PACKET.low, little);
    if (Number.isNaN(this.epochSeconds)) this.#startClock(entry.clock.wholeSeconds(high, low));

    const timeNs = entry.clock.nanoseconds(high, low);
    const packet = this.packet;
    packet.start = start;
    packet.end = dataEnd;
    packet.originalBytes = original < captured ? captured : original;
    packet.timeNs = timeNs;
    packet.linkType = entry.linkType;
    packet.interfaceNumber = entry.number;
    packet.number = ++this.number;
    entry.packets++;
    this.counted(captured, timeNs);
    const optionsAt = start + ((captured + 3) & ~3);
    if (optionsAt < end - FRAME.trailer) this.#readPacketComments(optionsAt, end);
    this.position = end;
    return true;
  }

  /** No interface number and no time: it belongs to the first interface, and is as old as its predecessor. */
  #readSimplePacket(at: number, end: number): boolean {
    if (end - at < SIMPLE.minimum) return this.#tooShort('a simple packet block', end - at);
    if (this.#interfaces.length === 0) return this.#unknownInterface(0);
    const entry = this.#interfaces[0]!;
    const original = this.view.getUint32(at + SIMPLE.original, this.#little);
    const room = end - at - SIMPLE.minimum;
    let captured = Math.min(original, room);
    if (entry.snaplen !== 0) captured = Math.min(captured, entry.snaplen);
    if (captured > this.#packetBytes) return this.#tooMuchData(captured);
    const packet = this.packet;
    packet.start = at + SIMPLE.data;
    packet.end = packet.start + captured;
    packet.originalBytes = original;
    packet.linkType = entry.linkType;
    packet.interfaceNumber = entry.number;
    packet.number = ++this.number;
    entry.packets++;
    this.counted(captured, packet.timeNs);
    this.position = end;
    return true;
  }

  #readOther(type: number, at: number, end: number): boolean {
    switch (type) {
      case SECTION_HEADER:
        return this.#readSection(at, end);
      case BLOCK.interface:
        return this.#readInterface(at, end);
      case BLOCK.statistics:
        this.#readStatistics(at, end);
        return true;
      default:
        countSkipped(this.captureFacts, type);
        if (NUMBERED_BLOCKS.has(type)) this.number++;
        return true;
    }
  }

  #readByteOrder(at: number): boolean {
    if (this.view.getUint32(at + SECTION.byteOrder, true) === BYTE_ORDER_MAGIC) this.#little = true;
    else if (this.view.getUint32(at + SECTION.byteOrder, false) === BYTE_ORDER_MAGIC) this.#little = false;
    else return this.damaged('a section header without a byte-order magic');
    return true;
  }

  #readSection(at: number, end: number): boolean {
    if (end - at < SECTION.minimum) return this.#tooShort('a section header', end - at);
    if (!this.#inSection) this.captureFacts.byteOrder = this.#little ? 'little' : 'big';
    this.#inSection = true;
    this.#interfaces = [];
    this.#walkOptions(at + SECTION.options, end);
    while (this.#options.next()) {
      if (this.#options.code === OPTION.comment) this.#keepComment('section', null);
    }
    return true;
  }

  #readInterface(at: number, end: number): boolean {
    if (end - at < INTERFACE.minimum) return this.#tooShort('an interface description', end - at);
    if (this.#allInterfaces.length >= MAX_INTERFACES) {
      return this.damaged(`it describes more than ${MAX_INTERFACES} interfaces`);
    }
    const linkType = this.view.getUint16(at + INTERFACE.linkType, this.#little);
    const snaplen = this.view.getUint32(at + INTERFACE.snaplen, this.#little);
    const shown = captureInterface(this.takeInterfaceNumber(), linkType, snaplen);
    let resolution: number = DEFAULT_RESOLUTION;
    let offsetSeconds = 0n;
    const options = this.#options;
    this.#walkOptions(at + INTERFACE.options, end);
    while (options.next()) {
      if (options.code === OPTION.comment) this.#keepComment('interface', null);
      else if (options.code === OPTION.name)
        shown.name = optionText(this.bytes, options.start, options.length);
      else if (options.code === OPTION.resolution && options.length >= 1)
        resolution = this.bytes[options.start]!;
      else if (options.code === OPTION.offset && options.length >= 8) offsetSeconds = options.signed64();
    }
    const clock = new InterfaceClock(resolution, offsetSeconds);
    if (!Number.isNaN(this.epochSeconds)) clock.setEpoch(this.epochSeconds);
    shown.timeDigits = clock.digits;
    const entry = { shown, clock, linkType, snaplen, number: shown.number, drops: null, packets: 0 };
    this.captureFacts.interfaces.push(shown);
    this.#interfaces.push(entry);
    this.#allInterfaces.push(entry);
    return true;
  }

  /**
   * Counters run on, so that the last block of an interface says all; two of them say when packets were dropped. A
   * block before the first packet has no time that could be compared.
   */
  #readStatistics(at: number, end: number): void {
    if (end - at < STATISTICS.minimum) return;
    const id = this.view.getUint32(at + STATISTICS.interface, this.#little);
    if (id >= this.#interfaces.length) return;
    const entry = this.#interfaces[id]!;
    const { shown } = entry;
    let dropped: number | null = null;
    const options = this.#options;
    this.#walkOptions(at + STATISTICS.options, end);
    while (options.next()) {
      if (options.code === OPTION.comment) this.#keepComment('interface', null);
      if (options.length < 8) continue;
      if (options.code === OPTION.received) shown.received = Number(options.unsigned64());
      if (options.code === OPTION.dropped || options.code === OPTION.osDropped) {
        dropped = (dropped ?? 0) + Number(options.unsigned64());
      }
    }
    if (dropped === null) return;
    shown.dropped = dropped;
    if (Number.isNaN(this.epochSeconds)) return;
    const high = this.view.getUint32(at + STATISTICS.high, this.#little);
    const low = this.view.getUint32(at + STATISTICS.low, this.#little);
    entry.drops ??= new DropReadings(LONGEST_DROP_SPAN_NS);
    const report = entry.drops.read(entry.number, entry.clock.nanoseconds(high, low), dropped);
    if (report !== null) this.onDrops?.(report);
  }

  #readPacketComments(optionsAt: number, end: number): void {
    this.#walkOptions(optionsAt, end);
    while (this.#options.next()) {
      if (this.#options.code === OPTION.comment) this.#keepComment('packet', this.number);
    }
  }

  #walkOptions(start: number, blockEnd: number): void {
    this.#options.reset(this.view, this.#little, start, blockEnd - FRAME.trailer);
  }

  #keepComment(scope: 'section' | 'interface' | 'packet', packet: number | null): void {
    const text = optionText(this.bytes, this.#options.start, this.#options.length);
    keepComment(this.captureFacts, this.limits.captureComments, { scope, packet, text });
  }

  #startClock(seconds: number): void {
    this.startClock(seconds);
    this.epochMoved();
  }

  protected override epochMoved(): void {
    for (const { clock } of this.#allInterfaces) clock.setEpoch(this.epochSeconds);
  }

  protected override settle(): void {
    for (const { shown, packets } of this.#allInterfaces) shown.packets = packets;
  }

  protected override cutShort(): string {
    if (!this.#inSection) return 'it ends in the middle of the first section header';
    return `it ends in the middle of the block after packet ${this.number}`;
  }

  #badLength(length: number): false {
    return this.damaged(`a block of an impossible length (${length} bytes)`);
  }

  #badTrailer(length: number): false {
    return this.damaged(`a block whose two lengths differ (the first is ${length})`);
  }

  #tooShort(what: string, length: number): false {
    return this.damaged(`${what} of only ${length} bytes`);
  }

  #unknownInterface(id: number): false {
    return this.damaged(
      `packet ${this.number + 1} is of interface ${id}, which its section does not describe`,
    );
  }

  #tooMuchData(captured: number): false {
    return this.damaged(`packet ${this.number + 1} claims ${captured} bytes, more than its block can hold`);
  }
}
