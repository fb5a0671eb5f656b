import type { BodyFraming } from './body-framing.ts';
import { BODY, type BodyOutcome, ChunkedBody } from './chunked-body.ts';

/** The body at which a direction stands: counts its bytes up to its end, in any framing. Nothing is stored. */
export class IncomingBody {
  outcome: BodyOutcome = BODY.more;
  /** Its length was told before it began. */
  hasLength = false;
  /** Bytes of a body of known length still to come. */
  #remaining = 0;
  #isChunked = false;
  /** Made when the first chunked body comes. */
  #chunked: ChunkedBody | null = null;

  /** A body begins. One that is neither chunked nor has a length goes on until the connection closes. */
  begin(framing: BodyFraming): void {
    this.outcome = BODY.more;
    this.hasLength = framing.kind === 'length';
    this.#isChunked = framing.kind === 'chunked';
    if (framing.kind === 'length') this.#remaining = framing.bytes;
    else if (framing.kind === 'chunked') {
      this.#chunked ??= new ChunkedBody();
      this.#chunked.begin();
    }
  }

  /** The framing in chunks, with what was odd about it; null: a body without chunks. */
  get chunks(): ChunkedBody | null {
    return this.#isChunked ? this.#chunked : null;
  }

  /** True when only the end of the connection ends it. */
  get lastsUntilClose(): boolean {
    return !this.hasLength && !this.#isChunked;
  }

  /** Takes bytes of the body. Returns the offset after the last one used, and sets `outcome`. */
  take(bytes: Uint8Array, at: number, end: number): number {
    if (this.hasLength) return at + this.#count(end - at);
    const chunked = this.chunks;
    if (chunked === null) return end;
    const after = chunked.take(bytes, at, end);
    this.outcome = chunked.outcome;
    return after;
  }

  /** `length` bytes are missing. Returns how many of them are the body's, and sets `outcome`. */
  skip(length: number): number {
    if (this.hasLength) return this.#count(length);
    if (this.chunks?.skip(length) === false) this.outcome = BODY.broken;
    return length;
  }

  #count(length: number): number {
    const count = Math.min(this.#remaining, length);
    this.#remaining -= count;
    if (this.#remaining === 0) this.outcome = BODY.end;
    return count;
  }
}
