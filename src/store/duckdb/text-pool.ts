import { bindings, CHUNK_ROWS } from './bindings.ts';

/**
 * Texts in DuckDB's own form, 16 bytes each: the length, and either up to 12 bytes of text or four of them and a
 * pointer to the text. A text is handed over once, whatever the number of rows that have it; rows are then filled by
 * copying the 16 bytes. Written little-endian, as DuckDB's supported processors are.
 */

/** 32-bit words of a text in this form. */
export const TEXT_WORDS = 4;
const INLINE_BYTES = 12;
const TEXT_BYTES = 16;

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
    const bytes = new Uint8Array(words.buffer);
    let pending: number[] = [];
    let first = 0;
    const settle = (): void => {
      if (pending.length === 0) return;
      const vector = bindings.data_chunk_get_vector(this.#chunks[this.#used - 1], 0);
      const data = bindings.vector_get_data(vector, this.#at * TEXT_BYTES);
      for (let place = 0; place < pending.length; place += 1) {
        const from = (first + place) * TEXT_BYTES;
        bytes.set(data.subarray(from, from + TEXT_BYTES), pending[place] * TEXT_BYTES);
      }
      pending = [];
    };
    for (let index = 0; index < texts.length; index += 1) {
      const text = texts[index];
      if (inline(text, bytes, index * TEXT_BYTES)) continue;
      if (this.#at >= CHUNK_ROWS) {
        settle();
        this.#nextChunk();
      }
      if (pending.length === 0) first = this.#at;
      const vector = bindings.data_chunk_get_vector(this.#chunks[this.#used - 1], 0);
      bindings.vector_assign_string_element(vector, this.#at, text);
      pending.push(index);
      this.#at += 1;
    }
    settle();
    return words;
  }

  /** Gives the memory of all texts free. */
  clear(): void {
    for (let index = 0; index < this.#used; index += 1) bindings.data_chunk_reset(this.#chunks[index]);
    this.#used = 0;
    this.#at = CHUNK_ROWS;
  }

  #nextChunk(): void {
    if (this.#used === this.#chunks.length) this.#chunks.push(bindings.create_data_chunk([this.#type]));
    this.#used += 1;
    this.#at = 0;
  }
}

/** Writes a short text of ASCII in place; false: it is another one. */
function inline(text: string, bytes: Uint8Array, at: number): boolean {
  const { length } = text;
  if (length > INLINE_BYTES) return false;
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 127) {
      bytes.fill(0, at, at + TEXT_BYTES);
      return false;
    }
    bytes[at + 4 + index] = code;
  }
  bytes[at] = length;
  return true;
}
