import { bindings, CHUNK_ROWS } from './bindings.ts';

/**
 * Texts in DuckDB's own form, 16 bytes each: the length, and either up to 12 bytes of text or four of them and a
 * pointer to the text. All long texts of a column are handed over as one, whatever their number; the pointers into it
 * are computed here, and rows are then filled by copying the 16 bytes. Written little-endian, as DuckDB's supported
 * processors are.
 */

/** 32-bit words of a text in this form. */
export const TEXT_WORDS = 4;
const INLINE_BYTES = 12;
const TEXT_BYTES = 16;
const WORD = 4_294_967_296;

type Chunk = ReturnType<typeof bindings.create_data_chunk>;

/** Holds the texts that are pointed to. What it gave is good until `clear`. */
export class TextPool {
  readonly #type = bindings.create_logical_type(
    17 satisfies typeof import('@duckdb/node-bindings').Type.VARCHAR,
  );
  readonly #chunks: Chunk[] = [];
  #used = 0;
  #at = CHUNK_ROWS;

  /** The texts, TEXT_WORDS words each. */
  add(texts: readonly string[]): Int32Array {
    const words = new Int32Array(texts.length * TEXT_WORDS);
    const bytes = Buffer.from(words.buffer);
    const long: number[] = [];
    for (let index = 0; index < texts.length; index += 1)
      if (!inline(texts[index], bytes, index * TEXT_BYTES)) long.push(index);
    if (long.length > 0)
      this.#point(
        words,
        long,
        long.map((index) => texts[index]),
      );
    return words;
  }

  /** Gives the memory of all texts free. */
  clear(): void {
    for (let index = 0; index < this.#used; index += 1) bindings.data_chunk_reset(this.#chunks[index]);
    this.#used = 0;
    this.#at = CHUNK_ROWS;
  }

  /** Hands the texts over, and writes the form of each to its place in `words`. */
  #point(words: Int32Array, places: readonly number[], texts: readonly string[]): void {
    const { bytes, ends } = together(texts);
    const [low, high] = this.#hold(bytes);
    let from = 0;
    for (let index = 0; index < places.length; index += 1) {
      const at = places[index] * TEXT_WORDS;
      const address = low + from;
      words[at] = ends[index] - from;
      words[at + 1] = bytes.readInt32LE(from);
      words[at + 2] = address | 0;
      words[at + 3] = address < WORD ? high : high + 1;
      from = ends[index];
    }
  }

  /** Copies the bytes into memory of DuckDB. Returns the words of their address, low first. */
  #hold(bytes: Buffer): readonly [number, number] {
    if (this.#at >= CHUNK_ROWS) this.#nextChunk();
    const vector = bindings.data_chunk_get_vector(this.#chunks[this.#used - 1], 0);
    bindings.vector_assign_string_element_len(vector, this.#at, bytes);
    const data = bindings.vector_get_data(vector, (this.#at + 1) * TEXT_BYTES);
    const form = new DataView(data.buffer, data.byteOffset + this.#at * TEXT_BYTES, TEXT_BYTES);
    this.#at += 1;
    return [form.getUint32(8, true), form.getInt32(12, true)];
  }

  #nextChunk(): void {
    if (this.#used === this.#chunks.length) this.#chunks.push(bindings.create_data_chunk([this.#type]));
    this.#used += 1;
    this.#at = 0;
  }
}

/** The texts one behind the other in UTF-8, and where each ends. */
function together(texts: readonly string[]): { readonly bytes: Buffer; readonly ends: Float64Array } {
  const ends = new Float64Array(texts.length);
  const joined = texts.join('');
  const whole = Buffer.from(joined);
  let end = 0;
  if (whole.length === joined.length) {
    for (let index = 0; index < texts.length; index += 1) {
      end += texts[index].length;
      ends[index] = end;
    }
    return { bytes: whole, ends };
  }
  // One by one: halves of surrogate pairs at their ends must not meet.
  const each = texts.map((text) => Buffer.from(text));
  for (let index = 0; index < each.length; index += 1) {
    end += each[index].length;
    ends[index] = end;
  }
  return { bytes: Buffer.concat(each, end), ends };
}

/** Writes a text of at most INLINE_BYTES in place; false: it is a longer one. */
function inline(text: string, bytes: Buffer, at: number): boolean {
  const { length } = text;
  if (length > INLINE_BYTES) return false;
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 127) return inlineUtf8(text, bytes, at);
    bytes[at + 4 + index] = code;
  }
  bytes[at] = length;
  return true;
}

function inlineUtf8(text: string, bytes: Buffer, at: number): boolean {
  bytes.fill(0, at, at + TEXT_BYTES);
  const length = Buffer.byteLength(text);
  if (length > INLINE_BYTES) return false;
  bytes.write(text, at + 4, length);
  bytes[at] = length;
  return true;
}
