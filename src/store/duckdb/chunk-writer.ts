import type { BatchColumn } from '../../model/row-batch.ts';
import { bindings, CHUNK_ROWS } from './bindings.ts';
import type { StoredColumn, StoredType } from './storage-columns.ts';
import { TEXT_WORDS, TextPool } from './text-pool.ts';

/** Numbers of 64 bits as pairs of 32-bit words, low first: no BigInt is made for a value. */
export interface Words64 {
  /** Two for each row (or for each code). */
  readonly words: Uint32Array;
  /** 1: null; null: none is. */
  readonly nulls: Uint8Array | null;
}

const VALIDITY_BYTES = CHUNK_ROWS / 8;
const TYPE_NUMBERS: Readonly<Record<StoredType, number>> = { BIGINT: 5, UBIGINT: 9, DOUBLE: 11, VARCHAR: 17 };

type Vector = ReturnType<typeof bindings.data_chunk_get_vector>;

/** Texts of a batch's column, made ready once for all chunks of it. */
interface ReadyTexts {
  readonly words: Int32Array;
  readonly codes: Int32Array | null;
}

/** Fills one reused data chunk column by column, and hands it to an appender. */
export class ChunkWriter {
  readonly #chunk: ReturnType<typeof bindings.create_data_chunk>;
  readonly #columns: readonly StoredColumn[];
  readonly #pool = new TextPool();
  #ready = new Map<string, ReadyTexts>();
  readonly #values = new ArrayBuffer(CHUNK_ROWS * 16);
  readonly #words = new Int32Array(this.#values);
  readonly #doubles = new Float64Array(this.#values);
  readonly #validity = new Uint8Array(VALIDITY_BYTES);

  constructor(columns: readonly StoredColumn[]) {
    this.#columns = columns;
    this.#chunk = bindings.create_data_chunk(
      columns.map(({ type }) => bindings.create_logical_type(TYPE_NUMBERS[type])),
    );
  }

  /** A new batch: texts of the one before are forgotten, but not yet given free. */
  beginBatch(): void {
    this.#ready = new Map();
  }

  /** After all chunks have been appended. */
  release(): void {
    this.#ready = new Map();
    this.#pool.clear();
  }

  /** `rows` is 1 to CHUNK_ROWS; `value` fills the column of that place and name. */
  append(
    appender: ReturnType<typeof bindings.appender_create>,
    rows: number,
    fill: (column: StoredColumn, index: number) => void,
  ): void {
    bindings.data_chunk_set_size(this.#chunk, rows);
    this.#columns.forEach(fill);
    bindings.append_data_chunk(appender, this.#chunk);
    bindings.data_chunk_reset(this.#chunk);
  }

  /** All rows null. */
  none(index: number): void {
    this.#validity.fill(0);
    this.#setValidity(this.#vector(index));
  }

  /** The same text in all rows. */
  text(index: number, name: string, text: string | null, rows: number): void {
    this.batchColumn(index, 'VARCHAR', name, { form: 'all', value: text }, 0, rows);
  }

  /** Consecutive numbers, from `first`. */
  counted(index: number, first: number, rows: number): void {
    for (let row = 0; row < rows; row += 1) this.#setWhole(row, first + row);
    this.#copy(this.#vector(index), rows * 8);
  }

  /** Whole numbers; NaN: null. */
  whole(index: number, values: Float64Array, from: number, rows: number): void {
    let nulls = 0;
    this.#validity.fill(255);
    for (let row = 0; row < rows; row += 1) {
      const value = values[from + row];
      if (Number.isNaN(value)) {
        nulls += 1;
        this.#validity[row >> 3] &= ~(1 << (row & 7));
        this.#setWhole(row, 0);
      } else this.#setWhole(row, value);
    }
    const vector = this.#vector(index);
    this.#copy(vector, rows * 8);
    if (nulls > 0) this.#setValidity(vector);
  }

  /** `codes`: the place in `words` of each row, -1: null; null: one for each row, `from` on. */
  words64(
    index: number,
    { words, nulls }: Words64,
    codes: Int32Array | null,
    from: number,
    rows: number,
  ): void {
    let missing = 0;
    this.#validity.fill(255);
    for (let row = 0; row < rows; row += 1) {
      const at = codes === null ? from + row : codes[from + row];
      if (at < 0 || (nulls !== null && nulls[at] === 1)) {
        missing += 1;
        this.#validity[row >> 3] &= ~(1 << (row & 7));
        this.#words[row * 2] = 0;
        this.#words[row * 2 + 1] = 0;
        continue;
      }
      this.#words[row * 2] = words[at * 2] | 0;
      this.#words[row * 2 + 1] = words[at * 2 + 1] | 0;
    }
    const vector = this.#vector(index);
    this.#copy(vector, rows * 8);
    if (missing > 0) this.#setValidity(vector);
  }

  /** Rows `from` to `from + rows` of a batch's column. `name`: under which its texts are remembered in the batch. */
  batchColumn(
    index: number,
    type: StoredType,
    name: string,
    column: BatchColumn,
    from: number,
    rows: number,
  ): void {
    if (column.form === 'all' && column.value === null) {
      this.none(index);
    } else if (type === 'VARCHAR') {
      this.#texts(index, name, column, from, rows);
    } else if (column.form === 'numbers') {
      this.#numbers(index, type, column.values, column.nulls, from, rows);
    } else {
      const value = column.form === 'all' ? Number(column.value) : Number.NaN;
      if (type === 'DOUBLE') this.#doubles.fill(value, 0, rows);
      else for (let row = 0; row < rows; row += 1) this.#setWhole(row, value);
      this.#copy(this.#vector(index), rows * 8);
    }
  }

  #numbers(
    index: number,
    type: StoredType,
    values: Float64Array,
    nulls: Uint8Array | null,
    from: number,
    rows: number,
  ): void {
    const vector = this.#vector(index);
    if (type === 'DOUBLE') {
      this.#doubles.set(values.subarray(from, from + rows));
    } else {
      for (let row = 0; row < rows; row += 1) this.#setWhole(row, values[from + row]);
    }
    this.#copy(vector, rows * 8);
    if (nulls === null) return;
    let missing = 0;
    this.#validity.fill(255);
    for (let row = 0; row < rows; row += 1) {
      if (nulls[from + row] !== 1) continue;
      missing += 1;
      this.#validity[row >> 3] &= ~(1 << (row & 7));
    }
    if (missing > 0) this.#setValidity(vector);
  }

  #texts(index: number, name: string, column: BatchColumn, from: number, rows: number): void {
    const vector = this.#vector(index);
    let ready = this.#ready.get(name);
    if (ready === undefined) {
      if (column.form === 'codes') ready = { words: this.#pool.add(column.texts), codes: column.codes };
      else if (column.form === 'all') ready = { words: this.#pool.add([String(column.value)]), codes: null };
      else throw new TypeError(`column ${name} has numbers where texts belong`);
      this.#ready.set(name, ready);
    }
    const { words, codes } = ready;
    const target = this.#words;
    let missing = 0;
    this.#validity.fill(255);
    for (let row = 0; row < rows; row += 1) {
      const code = codes === null ? 0 : codes[from + row];
      if (code < 0) {
        missing += 1;
        this.#validity[row >> 3] &= ~(1 << (row & 7));
        continue;
      }
      const source = code * TEXT_WORDS;
      const at = row * TEXT_WORDS;
      target[at] = words[source];
      target[at + 1] = words[source + 1];
      target[at + 2] = words[source + 2];
      target[at + 3] = words[source + 3];
    }
    this.#copy(vector, rows * 16);
    if (missing > 0) this.#setValidity(vector);
  }

  #setWhole(row: number, value: number): void {
    const small = value | 0;
    if (small === value) {
      this.#words[row * 2] = small;
      this.#words[row * 2 + 1] = small >> 31;
      return;
    }
    const high = Math.floor(value / 4_294_967_296);
    this.#words[row * 2] = (value - high * 4_294_967_296) | 0;
    this.#words[row * 2 + 1] = high | 0;
  }

  #vector(index: number): Vector {
    return bindings.data_chunk_get_vector(this.#chunk, index);
  }

  #copy(vector: Vector, bytes: number): void {
    bindings.copy_data_to_vector(vector, 0, this.#values, 0, bytes);
  }

  #setValidity(vector: Vector): void {
    bindings.vector_ensure_validity_writable(vector);
    bindings.copy_data_to_vector_validity(vector, 0, this.#validity.buffer as ArrayBuffer, 0, VALIDITY_BYTES);
  }
}
