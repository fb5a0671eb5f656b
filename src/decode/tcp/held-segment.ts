import { emptyPacket, type Packet } from '../../model/packet.ts';
import type { Direction } from '../../model/stream.ts';
import { Frame } from '../frame.ts';
import { interfaceIndex, placeKey } from './place-key.ts';
import { advance } from './sequence.ts';
import { TCP_FLAG } from './tcp-header.ts';
import type { Translation } from './translation.ts';

/** What an entry costs beside its payload, for the budget. */
const ENTRY_BYTES = 512;

/** A segment that was seen elsewhere, with its own copy of the payload, so that it can be taken later. */
export class HeldSegment {
  readonly direction: Direction;
  /** Where its payload begins, and one past the last number that it takes, as sequence numbers. */
  readonly startSeq: number;
  readonly endSeq: number;
  readonly flags: number;
  readonly timeNs: number;
  /** Position of the place among those of the connection; -1: not one of them yet. */
  place: number;
  /** See place-key.ts. */
  readonly key: number;
  readonly interfaceIndex: number | null;
  /** Budget in use. */
  readonly heldBytes: number;
  /** When it was seen at further places. */
  readonly alsoSeen: { readonly place: number; readonly timeNs: number }[] = [];
  readonly translation: Translation | null;
  /** Counts up over the run. */
  readonly order: number;
  readonly #frame: Frame;
  readonly #packet: Packet;

  constructor(
    frame: Frame,
    packet: Packet,
    direction: Direction,
    place: number,
    translation: Translation | null,
    order: number,
  ) {
    this.direction = direction;
    this.place = place;
    this.translation = translation;
    this.order = order;
    this.flags = frame.flags;
    this.timeNs = frame.timeNs;
    this.key = placeKey(packet, frame);
    this.interfaceIndex = interfaceIndex(packet);
    const isSyn = (frame.flags & TCP_FLAG.syn) !== 0;
    const wireBytes = frame.wireEnd - frame.offset;
    this.startSeq = isSyn ? advance(frame.seq, 1) : frame.seq;
    this.endSeq = advance(this.startSeq, wireBytes + ((frame.flags & TCP_FLAG.fin) !== 0 ? 1 : 0));
    this.#frame = copyOf(frame);
    this.heldBytes = ENTRY_BYTES + this.#frame.end;
    this.#packet = {
      ...emptyPacket(),
      capture: packet.capture,
      interfaceNumber: packet.interfaceNumber,
      number: packet.number,
      timeNs: packet.timeNs,
      originalBytes: packet.originalBytes,
      linkType: packet.linkType,
      bytes: this.#frame.bytes,
      end: this.#frame.end,
    };
  }

  /** The segment as it was decoded; its bytes hold nothing but the payload. */
  get frame(): Frame {
    return this.#frame;
  }

  /** The packet's facts; its bytes are the payload only. */
  get packet(): Packet {
    return this.#packet;
  }
}

/** A frame of its own that stands at a copy of the payload. */
function copyOf(frame: Frame): Frame {
  const copy = new Frame();
  const { offset } = frame;
  const end = Math.max(offset, frame.end);
  copy.begin(frame.bytes.slice(offset, end), 0, end - offset, frame.wireEnd - offset, frame.timeNs);
  copy.ipVersion = frame.ipVersion;
  copy.src0 = frame.src0;
  copy.src1 = frame.src1;
  copy.src2 = frame.src2;
  copy.src3 = frame.src3;
  copy.dst0 = frame.dst0;
  copy.dst1 = frame.dst1;
  copy.dst2 = frame.dst2;
  copy.dst3 = frame.dst3;
  copy.ipBytes = frame.ipBytes;
  copy.ipId = frame.ipId;
  copy.srcPort = frame.srcPort;
  copy.dstPort = frame.dstPort;
  copy.seq = frame.seq;
  copy.ack = frame.ack;
  copy.flags = frame.flags;
  copy.window = frame.window;
  copy.checksum = frame.checksum;
  for (let index = 0; index < frame.vlanCount; index += 1) copy.addVlan(frame.vlans[index]);
  for (let index = 0; index < frame.tunnelCount; index += 1) {
    copy.addTunnel(frame.tunnelKinds[index], frame.tunnelIds[index]);
  }
  return copy;
}
