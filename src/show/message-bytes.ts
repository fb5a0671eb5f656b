import type { Message } from '../model/exchange.ts';
import type { Direction, StreamConsumer, StreamTap } from '../model/stream.ts';

/** Bytes of a message as the capture has them, or the count of bytes that it does not have. */
export type Piece = { readonly bytes: Uint8Array } | { readonly lost: number };

/** A message as sent, from its first byte. */
export interface MessageBytes {
  readonly pieces: readonly Piece[];
  /** Bytes of the message beyond the limit, which were not kept. */
  readonly leftBytes: number;
}

/** A range of a direction's bytes that is to be kept. */
interface Wanted {
  readonly direction: Direction;
  readonly start: number;
  readonly end: number;
  readonly limitBytes: number;
  readonly pieces: Piece[];
  kept: number;
  left: number;
}

/**
 * Keeps the bytes of messages while they pass, in a second reading of the same captures: connections have the same
 * ids and offsets then. Give `tap` to the pipeline.
 */
export class MessageCollector {
  readonly #wanted = new Map<number, Wanted[]>();
  readonly #byMessage = new Map<Message, Wanted>();

  /** Keeps the first `limitBytes` of a message that has a place in its direction. */
  want(connectionId: number, message: Message, limitBytes: number): void {
    const { direction, startOffset } = message;
    if (startOffset < 0) return;
    const seen = startOffset + message.headerBytes + message.bodyBytes;
    const end = message.endOffset < 0 ? seen : message.endOffset;
    const wanted: Wanted = { direction, start: startOffset, end, limitBytes, pieces: [], kept: 0, left: 0 };
    const list = this.#wanted.get(connectionId);
    if (list === undefined) this.#wanted.set(connectionId, [wanted]);
    else list.push(wanted);
    this.#byMessage.set(message, wanted);
  }

  /** What was kept of a message; null when it was not wanted, or nothing of it passed. */
  of(message: Message): MessageBytes | null {
    const wanted = this.#byMessage.get(message);
    if (wanted === undefined || wanted.pieces.length === 0) return null;
    return { pieces: wanted.pieces, leftBytes: wanted.left };
  }

  readonly tap: StreamTap = (connection, consumer) => {
    const wanted = this.#wanted.get(connection.id);
    return wanted === undefined ? consumer : tapping(wanted, consumer);
  };
}

function tapping(wanted: readonly Wanted[], consumer: StreamConsumer): StreamConsumer {
  return {
    data: (direction, bytes, start, end, offset, segment) => {
      for (const one of wanted) if (one.direction === direction) take(one, bytes, start, end, offset);
      consumer.data(direction, bytes, start, end, offset, segment);
    },
    gap: (direction, offset, length, cut, segment) => {
      for (const one of wanted) if (one.direction === direction) takeGap(one, offset, length);
      consumer.gap(direction, offset, length, cut, segment);
    },
    fin: (direction, segment) => consumer.fin(direction, segment),
    reset: (by, segment) => consumer.reset(by, segment),
    anomaly: (direction, anomaly) => consumer.anomaly(direction, anomaly),
    finish: (reason) => consumer.finish(reason),
  };
}

function take(wanted: Wanted, bytes: Uint8Array, start: number, end: number, offset: number): void {
  const first = Math.max(wanted.start, offset);
  const last = Math.min(wanted.end, offset + end - start);
  if (first >= last) return;
  const kept = Math.min(last - first, wanted.limitBytes - wanted.kept);
  wanted.left += last - first - kept;
  if (kept <= 0) return;
  wanted.kept += kept;
  const from = start + first - offset;
  wanted.pieces.push({ bytes: bytes.slice(from, from + kept) });
}

function takeGap(wanted: Wanted, offset: number, length: number): void {
  const lost = Math.min(wanted.end, offset + length) - Math.max(wanted.start, offset);
  if (lost > 0) wanted.pieces.push({ lost });
}

/** Bytes without a loss at the beginning of the pieces, put together. */
export function unbroken(pieces: readonly Piece[]): { bytes: Uint8Array; lost: number } {
  const parts: Uint8Array[] = [];
  let lost = 0;
  for (const piece of pieces) {
    if ('lost' in piece) {
      lost = piece.lost;
      break;
    }
    parts.push(piece.bytes);
  }
  return { bytes: parts.length === 1 ? parts[0] : Buffer.concat(parts), lost };
}

/** The pieces from byte `offset` on, lost ones counted. */
export function from(pieces: readonly Piece[], offset: number): Piece[] {
  const rest: Piece[] = [];
  let skip = offset;
  for (const piece of pieces) {
    const length = 'lost' in piece ? piece.lost : piece.bytes.length;
    if (skip >= length) skip -= length;
    else {
      rest.push('lost' in piece ? { lost: length - skip } : { bytes: piece.bytes.subarray(skip) });
      skip = 0;
    }
  }
  return rest;
}
