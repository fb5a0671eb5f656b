import type { Exchange, Message } from '../model/exchange.ts';
import { startNs } from '../model/phases.ts';
import { type Direction, FROM_CLIENT, FROM_SERVER, type SegmentSighting } from '../model/stream.ts';

/** Packets of an exchange that are remembered; further ones are counted. */
export const PACKETS_KEPT = 10_000;
/** Holes of a direction that are remembered, to tell late packets from repeated ones. */
const HOLES_KEPT = 256;

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

/** What a packet is in the exchange, beside its flags. */
export type PacketMark =
  | 'handshake'
  | 'request'
  | 'response'
  | 'interim'
  | 'acknowledgement'
  | 'keep-alive'
  | 'retransmission'
  | 'late'
  | 'after a hole'
  | 'end'
  | 'cut by the snaplen';

/** One packet of an exchange. */
export interface SeenPacket {
  readonly capture: number;
  readonly number: number;
  readonly timeNs: number;
  readonly direction: Direction;
  readonly flags: number;
  readonly payloadBytes: number;
  readonly marks: readonly PacketMark[];
}

/** The packets that make up an exchange, in the order of the capture. */
export interface PacketList {
  readonly packets: readonly SeenPacket[];
  /** Further ones, beyond PACKETS_KEPT. */
  readonly left: number;
}

interface Part {
  readonly direction: Direction;
  readonly start: number;
  readonly end: number;
  readonly mark: PacketMark;
}

interface Watch {
  readonly exchange: Exchange;
  readonly parts: readonly Part[];
  readonly firstNs: number;
  readonly lastNs: number;
  readonly withHandshake: boolean;
  readonly packets: SeenPacket[];
  left: number;
}

/** How far each direction of a connection has come. */
interface Coverage {
  highest: number;
  holes: [number, number][];
}

interface Watched {
  readonly watches: Watch[];
  readonly coverage: [Coverage, Coverage];
  answered: boolean;
}

/** Finds the packets of exchanges in a second reading of the same captures. Give `onSegment` to the pipeline. */
export class PacketFinder {
  readonly #connections = new Map<number, Watched>();
  readonly #byExchange = new Map<Exchange, Watch>();

  watch(exchange: Exchange): void {
    const { connection } = exchange;
    const watch = watchOf(exchange);
    const watched = this.#connections.get(connection.id);
    if (watched !== undefined) watched.watches.push(watch);
    else {
      this.#connections.set(connection.id, {
        watches: [watch],
        coverage: [
          { highest: -1, holes: [] },
          { highest: -1, holes: [] },
        ],
        answered: false,
      });
    }
    this.#byExchange.set(exchange, watch);
  }

  of(exchange: Exchange): PacketList {
    const watch = this.#byExchange.get(exchange);
    return { packets: watch?.packets ?? [], left: watch?.left ?? 0 };
  }

  readonly onSegment = (segment: SegmentSighting): void => {
    const watched = this.#connections.get(segment.connection.id);
    if (watched === undefined) return;
    const order = orderOf(watched.coverage[segment.direction], segment);
    const endsHandshake = watched.answered && segment.direction === FROM_CLIENT;
    if ((segment.flags & SYN) !== 0) watched.answered = (segment.flags & ACK) !== 0;
    else if (endsHandshake) watched.answered = false;
    for (const watch of watched.watches) {
      const marks = marksOf(watch, segment, endsHandshake);
      if (marks === null) continue;
      if (watch.packets.length >= PACKETS_KEPT) {
        watch.left += 1;
        continue;
      }
      if (order !== null) marks.push(order);
      if (segment.end - segment.start < segment.payloadBytes) marks.push('cut by the snaplen');
      watch.packets.push({
        capture: segment.packet.capture,
        number: segment.packet.number,
        timeNs: segment.packet.timeNs,
        direction: segment.direction,
        flags: segment.flags,
        payloadBytes: segment.payloadBytes,
        marks,
      });
    }
  };
}

function watchOf(exchange: Exchange): Watch {
  const { request, response, interim } = exchange;
  const parts: Part[] = [];
  if (request !== null) parts.push(partOf(request, 'request'));
  if (response !== null) parts.push(partOf(response, 'response'));
  const answers =
    request === null
      ? (response?.direction ?? FROM_SERVER)
      : request.direction === FROM_CLIENT
        ? FROM_SERVER
        : FROM_CLIENT;
  for (const { startOffset, endOffset } of interim) {
    if (startOffset >= 0)
      parts.push({ direction: answers, start: startOffset, end: endOffset, mark: 'interim' });
  }
  const ends = response === null ? null : response.lastByteNs;
  return {
    exchange,
    parts,
    firstNs: startNs(exchange),
    lastNs: ends ?? exchange.connection.lastNs,
    withHandshake: exchange.position === 1,
    packets: [],
    left: 0,
  };
}

function partOf(
  { direction, startOffset, endOffset, headerBytes, bodyBytes }: Message,
  mark: PacketMark,
): Part {
  const end = endOffset < 0 ? startOffset + headerBytes + bodyBytes : endOffset;
  return { direction, start: startOffset, end, mark };
}

/** null: the packet is none of the exchange's. */
function marksOf(watch: Watch, segment: SegmentSighting, endsHandshake: boolean): PacketMark[] | null {
  const { direction, offset, payloadBytes, flags, packet } = segment;
  if ((flags & SYN) !== 0) return watch.withHandshake ? ['handshake'] : null;
  const marks: PacketMark[] = [];
  if (payloadBytes > 0) {
    for (const part of watch.parts) {
      if (part.direction !== direction || offset >= part.end || offset + payloadBytes <= part.start) continue;
      if (!marks.includes(part.mark)) marks.push(part.mark);
    }
  }
  if ((flags & (FIN | RST)) !== 0 && (marks.length > 0 || isEnd(watch, packet.timeNs))) marks.push('end');
  if (marks.length > 0) return endsHandshake && watch.withHandshake ? ['handshake', ...marks] : marks;
  if (endsHandshake && watch.withHandshake && payloadBytes === 0) return ['handshake'];
  if (payloadBytes > 0 || packet.timeNs < watch.firstNs || packet.timeNs > watch.lastNs) return null;
  return ['acknowledgement'];
}

/** What ends the connection belongs to an exchange that it cut off, and to one that it happened during. */
function isEnd({ exchange, firstNs, lastNs }: Watch, timeNs: number): boolean {
  return timeNs >= firstNs && (exchange.outcome !== 'complete' || timeNs <= lastNs);
}

/** Tells by the place of the payload whether it came again, late, or after a hole; null: in order. */
function orderOf(coverage: Coverage, { offset, payloadBytes }: SegmentSighting): PacketMark | null {
  if (payloadBytes === 0) return null;
  const end = offset + payloadBytes;
  if (coverage.highest < 0 || offset === coverage.highest) {
    coverage.highest = end;
    return null;
  }
  if (offset > coverage.highest) {
    if (coverage.holes.length < HOLES_KEPT) coverage.holes.push([coverage.highest, offset]);
    coverage.highest = end;
    return 'after a hole';
  }
  const fills = coverage.holes.some(([from, to]) => offset < to && end > from);
  coverage.holes = coverage.holes.flatMap((hole) => without(hole, offset, end));
  const isNew = end > coverage.highest;
  coverage.highest = Math.max(coverage.highest, end);
  if (fills) return 'late';
  if (payloadBytes === 1 && offset === coverage.highest - 1) return 'keep-alive';
  return isNew ? null : 'retransmission';
}

function without([from, to]: [number, number], start: number, end: number): [number, number][] {
  const parts: [number, number][] = [
    [from, Math.min(to, start)],
    [Math.max(from, end), to],
  ];
  return parts.filter(([left, right]) => left < right);
}

/** Flags as tcpdump writes them, in words: `SYN ACK`. */
export function flagText(flags: number): string {
  const names: [number, string][] = [
    [SYN, 'SYN'],
    [FIN, 'FIN'],
    [RST, 'RST'],
    [8, 'PSH'],
    [ACK, 'ACK'],
  ];
  return names
    .filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name)
    .join(' ');
}
