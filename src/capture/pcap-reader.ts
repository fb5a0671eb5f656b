import type { CaptureInterface } from '../model/packet.ts';
import { captureInterface } from './capture-facts.ts';
import { CaptureReader, NS_PER_SECOND, type ReaderContext } from './capture-reader.ts';

/** File header of draft-ietf-opsawg-pcap §4. */
const FILE = { majorVersion: 4, minorVersion: 6, snaplen: 16, linkType: 20, bytes: 24 } as const;
/** Record header of draft-ietf-opsawg-pcap §5. */
const RECORD = { seconds: 0, fraction: 4, captured: 8, original: 12, bytes: 16 } as const;
/** Kuznetzov's records go on with interface index, protocol and packet type. */
const MODIFIED_RECORD_BYTES = 24;
/** Above these bits: length of the frame check sequence, and whether that is known (libpcap pcap-common.c). */
const LINK_TYPE_MASK = 0x03ffffff;

export interface PcapShape {
  readonly little: boolean;
  readonly nanoseconds: boolean;
  readonly modified: boolean;
}

/** Classic libpcap files: microseconds and nanoseconds, both byte orders, and Kuznetzov's variant. */
export class PcapReader extends CaptureReader {
  readonly #little: boolean;
  readonly #recordBytes: number;
  readonly #fractionNs: number;
  readonly #packetBytes: number;
  #interface: CaptureInterface | null = null;
  /** Before version 2.3 the two lengths stood in the other order, in 2.3 either (libpcap sf-pcap.c). */
  #lengthsSwapped: 'never' | 'maybe' | 'always' = 'never';

  constructor(context: ReaderContext, shape: PcapShape) {
    super(context);
    this.#little = shape.little;
    this.#recordBytes = shape.modified ? MODIFIED_RECORD_BYTES : RECORD.bytes;
    this.#fractionNs = shape.nanoseconds ? 1 : 1000;
    this.#packetBytes = context.limits.packetBytes;
  }

  next(): boolean {
    if (this.#interface === null && !this.#readFileHeader()) return false;
    const at = this.position;
    const start = at + this.#recordBytes;
    if (start > this.limit) return false;
    const view = this.view;
    const little = this.#little;
    let captured = view.getUint32(at + RECORD.captured, little);
    let original = view.getUint32(at + RECORD.original, little);
    if (original < captured) {
      if (this.#lengthsSwapped === 'never') {
        original = captured;
      } else {
        const swapped = captured;
        captured = original;
        original = swapped;
      }
    } else if (this.#lengthsSwapped === 'always') {
      const swapped = captured;
      captured = original;
      original = Math.max(swapped, captured);
    }
    const end = start + captured;
    if (captured > this.#packetBytes) return this.#implausible(captured);
    if (end > this.limit) return false;
    const seconds = view.getUint32(at + RECORD.seconds, little);
    const fraction = view.getUint32(at + RECORD.fraction, little);
    if (captured === 0 && original === 0 && seconds === 0 && fraction === 0) return this.#zeros();
    if (this.number === 0) this.startClock(seconds);

    const timeNs = (seconds - this.epochSeconds) * NS_PER_SECOND + fraction * this.#fractionNs;
    const packet = this.packet;
    packet.start = start;
    packet.end = end;
    packet.originalBytes = original;
    packet.timeNs = timeNs;
    packet.number = ++this.number;
    this.counted(captured, timeNs);
    this.position = end;
    return true;
  }

  #readFileHeader(): boolean {
    const at = this.position;
    if (at + FILE.bytes > this.limit) return false;
    const view = this.view;
    const little = this.#little;
    const linkType = (view.getUint32(at + FILE.linkType, little) & LINK_TYPE_MASK) >>> 0;
    const snaplen = view.getUint32(at + FILE.snaplen, little);
    if (view.getUint16(at + FILE.majorVersion, little) === 2) {
      const minor = view.getUint16(at + FILE.minorVersion, little);
      if (minor < 3) this.#lengthsSwapped = 'always';
      else if (minor === 3) this.#lengthsSwapped = 'maybe';
    }
    this.#interface = captureInterface(this.takeInterfaceNumber(), linkType, snaplen);
    if (this.#fractionNs === 1) this.#interface.timeDigits = 9;
    this.captureFacts.interfaces.push(this.#interface);
    this.packet.linkType = linkType;
    this.packet.interfaceNumber = this.#interface.number;
    this.position = at + FILE.bytes;
    return true;
  }

  #implausible(captured: number): false {
    return this.damaged(
      `packet ${this.number + 1} claims to have ${captured} bytes, more than a packet can have (${this.#packetBytes})`,
    );
  }

  /** Left behind by a crash, or by a file system that reserved more than was written. */
  #zeros(): false {
    return this.damaged('it goes on with zeros instead of packets');
  }

  protected override cutShort(): string {
    return this.#interface === null ? 'it ends in the middle of the file header' : super.cutShort();
  }

  protected override settle(): void {
    if (this.#interface !== null) this.#interface.packets = this.number;
  }
}
