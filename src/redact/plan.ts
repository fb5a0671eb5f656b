import { growingFloats, growingIntegers } from './growing.ts';

/** Bytes that the plan's texts are kept in. */
const CHUNK_BYTES = 1024 * 1024;
/** In place of a text: the piece is filler. */
const FILLER = -1;
/** What a piece costs beside its text, for the budget. */
const PIECE_BYTES = 24;
/** Stands for bytes of a body of which nothing stays. */
export const BODY_BYTE = 0x3f;
/** Stands for everything outside of messages. It begins no message, and ends no line. */
export const OUTSIDE_BYTE = 0;

/** Pieces of a direction while they are still added to. */
interface OpenDirection {
  readonly starts: number[];
  readonly ends: number[];
  /** Place of the text among all texts, or FILLER. */
  readonly texts: number[];
}

/**
 * What the bytes of every direction become: pieces of redacted text at their places in the stream; of pieces that
 * overlap the one that begins later counts. Where no piece is, nothing is kept. A copy is written from the plan
 * alone, never from the payload that it replaces, so packets that repeat, overlap or contradict each other cannot
 * bring anything back.
 */
export class RedactionPlan {
  readonly #limitBytes: number;
  readonly #open = new Map<number, OpenDirection>();
  /** Pieces of sealed directions, one direction after the other, each sorted. */
  readonly #starts = growingFloats();
  readonly #ends = growingFloats();
  readonly #texts = growingFloats();
  /** First piece of a sealed direction and one past its last; by connection * 2 + direction. */
  readonly #firsts = growingIntegers();
  readonly #lasts = growingIntegers();
  readonly #chunks: Uint8Array[] = [];
  /** Where each chunk begins among all texts. */
  readonly #chunkStarts: number[] = [];
  #textBytes = 0;
  #chunkUsed = 0;
  #pieces = 0;
  /** Bytes of redacted text that found no room; they become OUTSIDE_BYTE. */
  overflowBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes in use. */
  get heldBytes(): number {
    return this.#textBytes + this.#pieces * PIECE_BYTES;
  }

  /** Says what the bytes from `start` on become; `text` is copied. */
  add(connection: number, direction: number, start: number, text: Uint8Array): void {
    if (text.length === 0) return;
    if (!this.#hasRoom(text.length)) return;
    this.#piece(this.#directionOf(connection, direction), start, start + text.length, this.#keep(text));
  }

  /** The bytes `[start, end)` become body filler. */
  addFiller(connection: number, direction: number, start: number, end: number): void {
    if (end <= start) return;
    const { ends, texts } = this.#directionOf(connection, direction);
    if (ends.at(-1) === start && texts.at(-1) === FILLER) {
      ends[ends.length - 1] = end;
      return;
    }
    if (this.#hasRoom(0, end - start))
      this.#piece(this.#directionOf(connection, direction), start, end, FILLER);
  }

  /** Nothing more will be added to the direction. Only what is sealed is written. */
  seal(connection: number, direction: number): void {
    const key = connection * 2 + direction;
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#open.delete(key);
    this.#firsts.set(key, this.#starts.length);
    // Equal places keep the order in which they were added.
    const order = open.starts.map((_, index) => index).sort((a, b) => open.starts[a]! - open.starts[b]!);
    for (const index of order) {
      this.#starts.push(open.starts[index]!);
      this.#ends.push(open.ends[index]!);
      this.#texts.push(open.texts[index]!);
    }
    this.#lasts.set(key, this.#starts.length);
  }

  /** Writes what the bytes `[offset, offset + length)` of a direction become to `target[at]`. */
  write(
    connection: number,
    direction: number,
    offset: number,
    length: number,
    target: Uint8Array,
    at: number,
  ): void {
    target.fill(OUTSIDE_BYTE, at, at + length);
    const key = connection * 2 + direction;
    const last = this.#lasts.at(key);
    const end = offset + length;
    for (let index = this.#firstEndingAfter(this.#firsts.at(key), last, offset); index < last; index += 1) {
      const start = this.#starts.at(index);
      if (start >= end) return;
      const from = Math.max(offset, start);
      const to = Math.min(end, this.#ends.at(index));
      if (to <= from) continue;
      const text = this.#texts.at(index);
      if (text === FILLER) target.fill(BODY_BYTE, at + from - offset, at + to - offset);
      else this.#copy(text + from - start, to - from, target, at + from - offset);
    }
  }

  #hasRoom(textBytes: number, lostBytes = textBytes): boolean {
    if (this.heldBytes + textBytes + PIECE_BYTES <= this.#limitBytes) return true;
    this.overflowBytes += lostBytes;
    return false;
  }

  #directionOf(connection: number, direction: number): OpenDirection {
    const key = connection * 2 + direction;
    let open = this.#open.get(key);
    if (open === undefined) {
      open = { starts: [], ends: [], texts: [] };
      this.#open.set(key, open);
    }
    return open;
  }

  #piece(open: OpenDirection, start: number, end: number, text: number): void {
    open.starts.push(start);
    open.ends.push(end);
    open.texts.push(text);
    this.#pieces += 1;
  }

  #keep(text: Uint8Array): number {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || this.#chunkUsed + text.length > chunk.length) {
      const before = this.#chunkStarts.at(-1) ?? 0;
      this.#chunkStarts.push(before + (chunk?.length ?? 0));
      chunk = new Uint8Array(Math.max(CHUNK_BYTES, text.length));
      this.#chunks.push(chunk);
      this.#chunkUsed = 0;
    }
    chunk.set(text, this.#chunkUsed);
    const place = this.#chunkStarts.at(-1)! + this.#chunkUsed;
    this.#chunkUsed += text.length;
    this.#textBytes += text.length;
    return place;
  }

  /** A text never runs over the end of its chunk. */
  #copy(place: number, length: number, target: Uint8Array, at: number): void {
    let low = 0;
    let high = this.#chunkStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#chunkStarts[middle]! <= place) low = middle;
      else high = middle - 1;
    }
    const inChunk = place - this.#chunkStarts[low]!;
    target.set(this.#chunks[low]!.subarray(inChunk, inChunk + length), at);
  }

  /** The first of the pieces `[first, last)` that ends after `offset`; their ends grow with their starts. */
  #firstEndingAfter(first: number, last: number, offset: number): number {
    let low = first;
    let high = last;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends.at(middle) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
