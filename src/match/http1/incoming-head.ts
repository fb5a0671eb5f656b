import { CR, LF } from './characters.ts';
import type { HeadRecall } from './head-recall.ts';
import { HeldHead } from './held-head.ts';
import type { LineFacts } from './line-facts.ts';
import { isExpected, START, type Start } from './start-line.ts';

/** Where a head stands after bytes were taken. */
export const HEAD = {
  more: 0,
  /** Its end is there, and it was read, unless it is one that was cut. */
  whole: 1,
  /** It has reached the limit without an end: `readCut` reads what is there, and `skipRest` passes over the others. */
  full: 2,
  /** What was collected is no head. It is still held. */
  none: 3,
} as const;
export type HeadOutcome = (typeof HEAD)[keyof typeof HEAD];

/**
 * The head at which a direction stands: read in place where it is there as a whole, otherwise collected over segments
 * first. Methods that take bytes return the offset after those they have used, and set `outcome`.
 */
export class IncomingHead {
  readonly #recall: HeadRecall;
  readonly #limitBytes: number;
  /** Made when the first head comes in pieces. */
  #held: HeldHead | null = null;
  /** Bytes of the present line of a head whose rest is skipped. */
  #lineBytes = 0;
  outcome: HeadOutcome = HEAD.more;
  /** Bytes of the head that was read last, with its empty line. */
  length = 0;

  /** `recall` reads the heads. `limitBytes`: no more of a head is kept. */
  constructor(recall: HeadRecall, limitBytes: number) {
    this.#recall = recall;
    this.#limitBytes = limitBytes;
  }

  /** Bytes that were collected and not yet read. */
  get heldBytes(): number {
    return this.#held === null ? 0 : this.#held.length;
  }

  /** Where they stand, from 0; valid during the call in which it is asked for. */
  get held(): Uint8Array {
    return this.#heldHead().bytes;
  }

  /** What is collected is a start line at least. */
  get hasLine(): boolean {
    return this.#held?.isJudged === true && this.#held.hasLine();
  }

  /** A head begins at `start`. `known`: what its start line says, where that was read before. */
  take(bytes: Uint8Array, start: number, end: number, isResponse: boolean, known: LineFacts | null): number {
    if (end - start <= this.#limitBytes) {
      const length = this.#recall.read(bytes, start, end, isResponse, known);
      if (length > 0) {
        this.outcome = HEAD.whole;
        this.length = length;
        return start + length;
      }
    }
    const held = this.#heldHead();
    const after = held.add(bytes, start, end);
    held.isJudged = true;
    held.isResponse = isResponse;
    return this.#lookForEnd(held, after, 0);
  }

  /** At `start` begins what may become a start line, to be judged when more of it is there. */
  hold(bytes: Uint8Array, start: number, end: number, strictly: boolean): number {
    const held = this.#heldHead();
    held.isJudged = false;
    held.isResponse = false;
    held.strictly = strictly;
    this.outcome = HEAD.more;
    return held.add(bytes, start, end);
  }

  /** More of a head that was cut by the segments. `kind`: what messages of the direction are, as far as is known. */
  takeMore(bytes: Uint8Array, at: number, end: number, kind: Start): number {
    const held = this.#heldHead();
    const before = held.length;
    const after = held.add(bytes, at, end);
    if (!held.isJudged) {
      const judged = held.judge(before);
      if (judged === START.more && !held.isFull) {
        this.outcome = HEAD.more;
        return after;
      }
      if (judged === START.no || judged === START.more || !isExpected(judged, kind)) {
        // What was collected before this segment is no head; this segment is looked at again.
        held.length = before;
        this.outcome = HEAD.none;
        return at;
      }
      held.isJudged = true;
      held.isResponse = judged === START.response;
    }
    return this.#lookForEnd(held, after, before);
  }

  /** Reads what was collected of a head whose rest is missing or beyond the limit. */
  readCut(): void {
    const held = this.#heldHead();
    this.length = held.length;
    this.#recall.readCut(held.bytes, held.length, held.isResponse);
    this.#lineBytes = held.endsLine ? 0 : 1;
    held.clear();
  }

  /** Passes over bytes beyond the limit, up to the empty line. */
  skipRest(bytes: Uint8Array, from: number, end: number): number {
    for (let at = from; at < end; at += 1) {
      if (bytes[at] === LF) {
        if (this.#lineBytes === 0) {
          this.outcome = HEAD.whole;
          return at + 1;
        }
        this.#lineBytes = 0;
      } else if (bytes[at] !== CR) this.#lineBytes += 1;
    }
    this.outcome = HEAD.more;
    return end;
  }

  /** Forgets what was collected. */
  drop(): void {
    this.#held?.clear();
  }

  /** `before` bytes of the collected head came earlier, the others just now, up to `at`. */
  #lookForEnd(held: HeldHead, at: number, before: number): number {
    const headEnd = held.end(Math.max(0, before - 3));
    if (headEnd >= 0) {
      const length = this.#recall.read(held.bytes, 0, headEnd, held.isResponse, null);
      if (length > 0) {
        const after = at - (held.length - length);
        held.clear();
        this.outcome = HEAD.whole;
        this.length = length;
        return after;
      }
    }
    this.outcome = held.isFull ? HEAD.full : HEAD.more;
    return at;
  }

  #heldHead(): HeldHead {
    this.#held ??= new HeldHead(this.#limitBytes);
    return this.#held;
  }
}
