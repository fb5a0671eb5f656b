import { readHeader } from '../decode/decoder.ts';
import { Frame, NEXT, type Next } from '../decode/frame.ts';
import { linkLayer } from '../decode/link/link-types.ts';
import type { Packet } from '../model/packet.ts';
import { packetKey } from './packet-key.ts';
import type { DatagramOrigin, FragmentSource, PacketRewriter, StreamPlace } from './packet-rewriter.ts';

/** Fragments whose datagram is not whole yet. */
const WAITING_FRAGMENTS = 16_384;

/** More headers than any honest packet has, as in the decoder. */
const MAX_HEADERS = 64;

/** A datagram that came in fragments, before redaction. */
interface Datagram {
  /** From the transport header on. */
  readonly bytes: Uint8Array;
  readonly origin: DatagramOrigin;
  /** Where its TCP payload stands; null: it has none. */
  stream: StreamPlace | null;
  redacted: Uint8Array | null;
}

interface Waiting {
  readonly packets: number[];
  origin: DatagramOrigin | null;
}

/**
 * Datagrams in fragments: the first fragment must be written before the last one was read. So a run before keeps
 * them whole, up to a limit, and the copy is cut from the redacted whole.
 */
export class FragmentedDatagrams implements FragmentSource {
  readonly #limitBytes: number;
  readonly #waiting = new Map<string, Waiting>();
  readonly #byPacket = new Map<number, Datagram>();
  #heldBytes = 0;
  #last: Datagram | null = null;
  #rewriter: PacketRewriter | null = null;
  /** Datagrams that found no room; their fragments are zero in the copy. */
  overflow = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** A fragment that is held: the frame stands at its payload. */
  held(packet: Packet, frame: Frame): void {
    const key = keyOf(frame);
    let waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      if (this.#waiting.size >= WAITING_FRAGMENTS) this.#waiting.clear();
      waiting = { packets: [], origin: null };
      this.#waiting.set(key, waiting);
    }
    if (waiting.packets.length < WAITING_FRAGMENTS) waiting.packets.push(packetKey(packet));
    if (waiting.origin === null || frame.fragmentOffset === 0)
      waiting.origin = originOf(frame, frame.protocol);
  }

  /** The packet completed a datagram: `bytes` is the whole of it, owned by nobody else. */
  completed(packet: Packet, bytes: Uint8Array): void {
    const outer = fragmentIn(packet);
    if (outer === null) return;
    const key = keyOf(outer);
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    this.#last = null;
    const origin = outer.fragmentOffset === 0 ? originOf(outer, outer.protocol) : waiting?.origin;
    if (origin === null || origin === undefined) return;
    if (this.#heldBytes + bytes.length > this.#limitBytes) {
      this.overflow += 1;
      return;
    }
    this.#heldBytes += bytes.length;
    const packets = [...(waiting?.packets ?? []), packetKey(packet)];
    const datagram: Datagram = { bytes, origin, stream: null, redacted: null };
    for (const one of packets) this.#byPacket.set(one, datagram);
    this.#last = datagram;
  }

  /** The datagram just completed carries a segment of this place. */
  carries(place: StreamPlace): void {
    if (this.#last !== null) this.#last.stream = place;
    this.#last = null;
  }

  /** Gives the means to redact, before the copy is written; a rewriter that does nothing else. */
  use(rewriter: PacketRewriter): void {
    this.#rewriter = rewriter;
  }

  fragment(packet: Packet, fragmentOffset: number, length: number): Uint8Array | null {
    const datagram = this.#byPacket.get(packetKey(packet));
    if (datagram === undefined || this.#rewriter === null) return null;
    datagram.redacted ??= this.#rewriter.rewriteDatagram(datagram.bytes, datagram.origin, datagram.stream);
    return datagram.redacted.subarray(fragmentOffset, fragmentOffset + length);
  }
}

/** The fragment in a packet, as the decoder's walk comes to it; null: there is none. */
function fragmentIn(packet: Packet): Frame | null {
  const frame = new Frame();
  frame.begin(packet.bytes, packet.start, packet.end, packet.originalBytes, packet.timeNs);
  let next: Next = linkLayer(packet.linkType);
  for (let count = 0; count < MAX_HEADERS && next !== NEXT.stop && next !== NEXT.tcp; count += 1) {
    if (next === NEXT.fragment) return frame;
    next = readHeader(frame, next);
  }
  return null;
}

function keyOf(frame: Frame): string {
  const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = frame;
  return `${frame.ipVersion} ${src0} ${src1} ${src2} ${src3} ${dst0} ${dst1} ${dst2} ${dst3} ${frame.fragmentId} ${frame.ipVersion === 4 ? frame.protocol : ''}`;
}

function originOf(frame: Frame, protocol: number): DatagramOrigin {
  const words =
    frame.ipVersion === 4
      ? [frame.src0, frame.dst0]
      : [frame.src0, frame.src1, frame.src2, frame.src3, frame.dst0, frame.dst1, frame.dst2, frame.dst3];
  const addresses = new Uint8Array(words.length * 4);
  const view = new DataView(addresses.buffer);
  for (const [index, word] of words.entries()) view.setInt32(index * 4, word);
  return { ipVersion: frame.ipVersion, protocol, addresses };
}
