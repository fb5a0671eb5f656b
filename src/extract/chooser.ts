import type { Connection, Exchange } from '../model/exchange.ts';
import type { PacketReason } from '../model/ledger.ts';
import type { Packet } from '../model/packet.ts';
import type { ExchangeSink } from '../model/sink.ts';
import { FROM_CLIENT, FROM_SERVER, type SegmentSighting } from '../model/stream.ts';
import { FingerprintSum, fingerprint } from './fingerprint.ts';
import { PacketSet } from './packet-set.ts';
import { type ConnectionPlan, isRunUp, type Span } from './plan.ts';

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

/** Fragments remembered until their datagram is whole. */
const FRAGMENTS_HELD = 65_536;

/** The parts of a decoded frame that are looked at. */
interface FragmentFacts {
  readonly bytes: Uint8Array;
  readonly fragmentId: number;
}

interface Fragment {
  readonly id: number;
  readonly capture: number;
  readonly number: number;
}

/** How far the choice of a connection's packets has come. */
interface Progress {
  readonly plan: ConnectionPlan;
  /** Data after the last span were left out: what ends the connection does not follow it any more. */
  passedOver: boolean;
  finTaken: boolean;
  /** The client's first segment after the handshake is still to come. */
  handshakeOpen: boolean;
}

export interface ChooserOptions {
  /** Handshakes also of connections whose first exchange is not extracted. */
  readonly handshakes: boolean;
}

/** Connections between the same two ends, and the exchanges that they are to give again. */
export interface ExpectedGroup {
  readonly expected: FingerprintSum;
  readonly plans: ConnectionPlan[];
}

/**
 * The second reading: learns which packets carry what the plans ask for. Give `onPacket` and `onSegment` to the
 * pipeline as observers, and the object itself as a sink.
 */
export class PacketChooser implements ExchangeSink {
  readonly packets = new PacketSet();
  /** Exchanges that the chosen packets hold, those among them that were not asked for included. */
  exchanges = 0;
  /** By both ends of the connections. */
  readonly groups = new Map<string, ExpectedGroup>();
  /** Interfaces with times finer than a microsecond. */
  readonly fineInterfaces = new Set<number>();
  readonly #options: ChooserOptions;
  readonly #progress = new Map<number, Progress>();
  readonly #fragments: Fragment[] = [];
  #parts: readonly Fragment[] = [];

  constructor(plans: ReadonlyMap<number, ConnectionPlan>, options: ChooserOptions) {
    this.#options = options;
    for (const plan of plans.values()) {
      this.#progress.set(plan.id, { plan, passedOver: false, finTaken: false, handshakeOpen: false });
      const group = this.groups.get(plan.ends) ?? { expected: new FingerprintSum(), plans: [] };
      group.plans.push(plan);
      this.groups.set(plan.ends, group);
    }
  }

  readonly onPacket = (packet: Packet, frame: FragmentFacts, reason: PacketReason | null): void => {
    if (this.#parts.length > 0) this.#parts = [];
    if (reason === 'fragment') {
      if (this.#fragments.length >= FRAGMENTS_HELD) this.#fragments.splice(0, FRAGMENTS_HELD / 2);
      this.#fragments.push({ id: frame.fragmentId, capture: packet.capture, number: packet.number });
    } else if (reason === null && frame.bytes !== packet.bytes) {
      // Put together from fragments. Others with the same number may come along; they do no harm.
      this.#parts = this.#fragments.filter(({ id }) => id === frame.fragmentId);
    }
  };

  readonly onSegment = (segment: SegmentSighting): void => {
    const progress = this.#progress.get(segment.connection.id);
    if (progress === undefined || !this.#wants(progress, segment)) return;
    const { packet } = segment;
    this.packets.add(packet.capture, packet.number);
    if (packet.timeNs % 1000 !== 0) this.fineInterfaces.add(packet.interfaceNumber);
    for (const { capture, number } of this.#parts) this.packets.add(capture, number);
  };

  /** A further place saw a segment: it is taken with the one of the connection's own place. */
  readonly onSighting = (segment: SegmentSighting): void => {
    const plan = this.#progress.get(segment.connection.id)?.plan;
    if (plan === undefined) return;
    const { flags, payloadBytes, packet } = segment;
    const isWanted =
      plan.whole ||
      ((flags & SYN) !== 0 && this.#wantsHandshake(plan)) ||
      (payloadBytes > 0 && plan.spans.some((span) => holds(span, segment)));
    if (!isWanted) return;
    this.packets.add(packet.capture, packet.number);
    if (packet.timeNs % 1000 !== 0) this.fineInterfaces.add(packet.interfaceNumber);
  };

  exchange(exchange: Exchange): void {
    const plan = this.#progress.get(exchange.connection.id)?.plan;
    if (plan === undefined || !isPlanned(plan, exchange.position)) return;
    this.exchanges += 1;
    if (!isRunUp(plan, exchange)) this.groups.get(plan.ends)?.expected.add(fingerprint(exchange));
  }

  connection(connection: Connection): void {
    this.#progress.delete(connection.id);
  }

  drain(): null {
    return null;
  }

  async finish(): Promise<void> {}

  async abort(): Promise<void> {}

  #wantsHandshake({ spans }: ConnectionPlan): boolean {
    return this.#options.handshakes || spans.some(({ fromStart }) => fromStart);
  }

  #wants(progress: Progress, segment: SegmentSighting): boolean {
    const { plan } = progress;
    if (plan.whole) return true;
    const { flags, payloadBytes, packet } = segment;
    if ((flags & SYN) !== 0) {
      progress.handshakeOpen = (flags & ACK) !== 0;
      return this.#wantsHandshake(plan);
    }
    const endsHandshake = progress.handshakeOpen && segment.direction === FROM_CLIENT;
    if (endsHandshake) progress.handshakeOpen = false;
    if (plan.spans.some((span) => payloadBytes > 0 && holds(span, segment))) {
      if ((flags & FIN) !== 0) progress.finTaken = true;
      return true;
    }
    const last = plan.spans[plan.spans.length - 1];
    if (payloadBytes > 1 && segment.offset >= last.high[segment.direction]) progress.passedOver = true;
    if ((flags & (FIN | RST)) !== 0) {
      if (progress.passedOver || packet.timeNs < last.firstNs || !fits(last, segment)) return false;
      progress.finTaken = true;
      return true;
    }
    if (payloadBytes > 0) return false;
    if (progress.finTaken && !progress.passedOver) return true;
    // In disorder it may come after the whole exchange.
    if (endsHandshake && this.#wantsHandshake(plan)) return true;
    return plan.spans.some(
      (span) => packet.timeNs >= span.firstNs && packet.timeNs <= span.lastNs && fits(span, segment),
    );
  }
}

/** The segment carries bytes of the span. Keep-alive probes after its end repeat one byte and are none. */
function holds({ low, high, lastNs }: Span, segment: SegmentSighting): boolean {
  const { direction, offset, payloadBytes, packet } = segment;
  if (payloadBytes === 1 && packet.timeNs > lastNs && offset < high[direction]) return false;
  return offset < high[direction] && offset + payloadBytes > low[direction];
}

/**
 * Neither before the span's first byte nor acknowledging a place before it: such a segment would let the
 * connection begin there, with bytes missing.
 */
function fits({ low }: Span, { direction, offset, ackOffset }: SegmentSighting): boolean {
  const opposite = direction === FROM_CLIENT ? FROM_SERVER : FROM_CLIENT;
  return offset >= low[direction] && (ackOffset < 0 || ackOffset >= low[opposite]);
}

function isPlanned(plan: ConnectionPlan, position: number): boolean {
  return (
    plan.whole ||
    plan.spans.some(
      ({ firstPosition, lastPosition }) => position >= firstPosition && position <= lastPosition,
    )
  );
}
