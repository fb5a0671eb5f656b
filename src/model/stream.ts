import type { Anomaly } from './anomaly.ts';
import type { Connection } from './exchange.ts';
import type { Packet } from './packet.ts';

/** Direction of a connection. The client is who sent the SYN, or who looks like it until HTTP says otherwise. */
export type Direction = 0 | 1;
export const FROM_CLIENT: Direction = 0;
export const FROM_SERVER: Direction = 1;

/** Facts of the segment whose bytes are being delivered. Reused: copy what must outlive the call. */
export interface SegmentFacts {
  /** When the bytes were first captured, ns since the run's epoch. */
  timeNs: number;
  /** Packet number in capture `capture`, as Wireshark counts. */
  packet: number;
  capture: number;
  /**
   * What the segment acknowledges: an offset into the opposite direction, in bytes since that direction's
   * first delivered byte. Negative: unknown.
   */
  ackOffset: number;
  /**
   * TCP sequence number of the byte at offset 0 of its direction, and of the opposite one, as signed 32-bit integers:
   * added to an offset they give its sequence number modulo 2^32.
   */
  sequenceBase: number;
  peerSequenceBase: number;
  /** Where the connection's bytes were seen; null: at one place only. */
  sightings: SightingLog | null;
}

/** When one byte of a direction passed each place of its connection; see Connection.sightings. */
export interface ByteSightings {
  /** By position in the connection's `sightings`: ns since the run's epoch, NaN where it was not seen. May grow. */
  readonly timesNs: Float64Array;
}

/** Knows of a connection with several places when bytes passed them. */
export interface SightingLog {
  /**
   * Begins to note when each place sees the byte at `offset` of `direction`; what was seen of it lately is in the
   * answer. `timeNs`: when it was captured, as far as its connection is concerned.
   */
  watch(direction: Direction, offset: number, timeNs: number): ByteSightings;
  /** Ends it. */
  unwatch(byte: ByteSightings): void;
}

/**
 * What the reassembler hands on, per connection. Offsets count the bytes of a direction, gaps included.
 *
 * Causal order: bytes arrive here after everything their segment acknowledges has arrived or is known to be
 * missing, also where the capture has the packets in another order.
 */
export interface StreamConsumer {
  /**
   * In-order bytes `bytes[start, end)`. The buffer belongs to the caller and changes after the call.
   * `offset` is the place of the first one in its direction.
   */
  data(
    direction: Direction,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    segment: SegmentFacts,
  ): void;
  /**
   * `length` bytes of the direction, from `offset`, are not in the capture. `cut`: the snaplen cut them off the
   * segment that was delivered before; otherwise whole segments are missing.
   */
  gap(direction: Direction, offset: number, length: number, cut: boolean, segment: SegmentFacts): void;
  /** The direction ended in order: all bytes before its FIN were delivered. */
  fin(direction: Direction, segment: SegmentFacts): void;
  /** Someone reset the connection. More data may still come in a damaged or hostile capture. */
  reset(by: Direction, segment: SegmentFacts): void;
  /** Something odd in TCP itself; belongs to the message being received. */
  anomaly(direction: Direction, anomaly: Anomaly): void;
  /** The connection is over, or the run is: nothing follows. */
  finish(reason: 'closed' | 'evicted' | 'capture-ended'): void;
}

export type ConsumerFactory = (connection: Connection) => StreamConsumer;

/** Puts itself between the reassembler and the consumer of a connection, to see its bytes pass. */
export type StreamTap = (connection: Connection, consumer: StreamConsumer) => StreamConsumer;

/**
 * One TCP segment of a connection, told right after it was taken, or, of a further sighting, when it was found to be
 * one. Reused: copy what must outlive the call. */
export interface SegmentSighting {
  connection: Connection;
  direction: Direction;
  /** TCP flags as in the header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16. */
  flags: number;
  /** Place of its first payload byte in the direction; right also for a segment that repeats or comes early. */
  offset: number;
  /** What it acknowledges in the opposite direction; -1: nothing, or nothing that makes sense. */
  ackOffset: number;
  /** Payload on the wire. */
  payloadBytes: number;
  /**
   * Captured payload: `bytes[start, end)`. `bytes` are the packet's own unless the datagram came in fragments; then
   * they are a reassembled copy and `packet` is the fragment that completed it.
   */
  bytes: Uint8Array;
  start: number;
  end: number;
  /** Only `capture`, `number`, `timeNs` and `interfaceNumber` are true of one that is `late`. */
  packet: Packet;
  /**
   * It was told before as a further sighting, and turned out to be the only one: the connection's own place missed
   * it.
   */
  late: boolean;
}

export type SegmentObserver = (sighting: SegmentSighting) => void;
