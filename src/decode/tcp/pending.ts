/** A segment that cannot be delivered yet, with its own copy of the payload. */
export interface PendingSegment {
  /** Place of the first byte in its direction. */
  offset: number;
  /** Captured bytes, owned by the segment. */
  bytes: Uint8Array;
  /** Bytes on the wire; more than `bytes.length` where the snaplen cut. */
  wireBytes: number;
  timeNs: number;
  packet: number;
  capture: number;
  /** What it acknowledges in the opposite direction; negative: unknown. */
  ackOffset: number;
  /** How many packets of the connection had come when it came. */
  arrival: number;
}

/** What an entry costs beside its bytes, for the budget. */
const ENTRY_BYTES = 128;

/**
 * Segments waiting for an earlier one, sorted by offset and never overlapping: where a new one overlaps, the
 * bytes that came first stay. It knows ranges and bytes, but no clock, flags or sequence numbers.
 *
 * Invariant: for neighbours a, b: a.offset + a.wireBytes <= b.offset; and every wireBytes > 0.
 */
export class PendingSegments {
  readonly #segments: PendingSegment[] = [];
  #head = 0;
  /** Budget in use: bytes held plus a fixed cost for every entry. */
  heldBytes = 0;
  /** Bytes on the wire that the segments stand for. */
  wireBytes = 0;
  /** Set when a new segment had other bytes than an earlier one at the same place. */
  conflict = false;

  get length(): number {
    return this.#segments.length - this.#head;
  }

  first(): PendingSegment {
    return this.#segments[this.#head];
  }

  /** All segments, in order. */
  *[Symbol.iterator](): Generator<PendingSegment> {
    for (let index = this.#head; index < this.#segments.length; index += 1) yield this.#segments[index];
  }

  removeFirst(): void {
    const segment = this.#segments[this.#head];
    this.heldBytes -= segment.bytes.length + ENTRY_BYTES;
    this.wireBytes -= segment.wireBytes;
    this.#head += 1;
    if (this.#head === this.#segments.length) {
      this.#segments.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#segments.length) {
      this.#segments.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /**
   * Takes those parts of `segment` that no earlier one covers. Returns how many of its bytes on the wire were
   * covered already.
   */
  add(segment: PendingSegment): number {
    let at = this.#placeOf(segment.offset);
    let covered = 0;
    let rest: PendingSegment | null = segment;
    while (rest !== null) {
      const next = at < this.#segments.length ? this.#segments[at] : null;
      const end: number = rest.offset + rest.wireBytes;
      if (next === null || next.offset >= end) {
        this.#insert(at, rest);
        break;
      }
      if (next.offset > rest.offset) {
        this.#insert(at, part(rest, 0, next.offset - rest.offset));
        at += 1;
      }
      const overlapStart = Math.max(rest.offset, next.offset);
      const overlapEnd = Math.min(end, next.offset + next.wireBytes);
      covered += overlapEnd - overlapStart;
      if (!sameBytes(rest, next, overlapStart, overlapEnd)) this.conflict = true;
      rest = overlapEnd < end ? part(rest, overlapEnd - rest.offset, end - overlapEnd) : null;
      at += 1;
    }
    return covered;
  }

  /** Index of the first segment that ends after `offset`. */
  #placeOf(offset: number): number {
    let low = this.#head;
    let high = this.#segments.length;
    // Nearly always the new segment goes to the end.
    if (low < high && this.#segments[high - 1].offset + this.#segments[high - 1].wireBytes <= offset)
      return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const segment = this.#segments[middle];
      if (segment.offset + segment.wireBytes <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insert(at: number, segment: PendingSegment): void {
    this.heldBytes += segment.bytes.length + ENTRY_BYTES;
    this.wireBytes += segment.wireBytes;
    if (at === this.#segments.length) this.#segments.push(segment);
    else this.#segments.splice(at, 0, segment);
  }
}

function part(segment: PendingSegment, skip: number, wireBytes: number): PendingSegment {
  return {
    ...segment,
    offset: segment.offset + skip,
    bytes: segment.bytes.subarray(skip, skip + wireBytes),
    wireBytes,
  };
}

function sameBytes(a: PendingSegment, b: PendingSegment, from: number, to: number): boolean {
  const end = Math.min(to, a.offset + a.bytes.length, b.offset + b.bytes.length);
  for (let offset = from; offset < end; offset += 1) {
    if (a.bytes[offset - a.offset] !== b.bytes[offset - b.offset]) return false;
  }
  return true;
}
