import type { HeaderField, InterimResponse } from '../model/exchange.ts';
import type { Statement } from './database.ts';
import { RowValues } from './row-values.ts';
import { damagedStore, type StoreFile } from './store-file.ts';

/** Values remembered per generation; two generations are held. As many as the dictionary that made the numbers. */
const GENERATION_VALUES = 32_768;
const GENERATION_CHARS = 4_000_000;
/** Texts fetched at once: numbers were given in the order in which exchanges came. */
const FETCHED_IN_ORDER = 256;
const FETCHED_AT_RANDOM = 8;
const FETCHED_CHARS = 256 * 1024;

/** What was made of the numbers of one dictionary, bounded: the least recently used generation is forgotten. */
class Generations<Value> {
  #young = new Map<number, Value>();
  #old = new Map<number, Value>();
  #youngChars = 0;

  get(id: number): Value | undefined {
    const young = this.#young.get(id);
    if (young !== undefined) return young;
    const old = this.#old.get(id);
    if (old !== undefined) this.set(id, old, 0);
    return old;
  }

  set(id: number, value: Value, chars: number): void {
    if (this.#young.size >= GENERATION_VALUES || this.#youngChars > GENERATION_CHARS) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngChars = 0;
    }
    this.#young.set(id, value);
    this.#youngChars += chars;
  }
}

/** The texts of one dictionary table by number. */
class TextTable {
  readonly #file: StoreFile;
  readonly #table: string;
  readonly #statement: Statement;
  readonly #values: RowValues;
  readonly #known = new Generations<string>();
  #nextId = 1;

  constructor(file: StoreFile, table: string, column: string) {
    this.#file = file;
    this.#table = table;
    this.#statement = file.database.prepare(
      `SELECT id, ${column} FROM ${table} WHERE id >= ? ORDER BY id LIMIT ?`,
    );
    this.#values = new RowValues(file.database, this.#statement, file.path);
  }

  get(id: number): string {
    return this.#known.get(id) ?? this.#fetch(id);
  }

  finalize(): void {
    this.#statement.finalize();
  }

  #fetch(id: number): string {
    const inOrder = Math.abs(id - this.#nextId) < FETCHED_IN_ORDER;
    this.#statement.bindNumber(1, id);
    this.#statement.bindNumber(2, inOrder ? FETCHED_IN_ORDER : FETCHED_AT_RANDOM);
    let wanted: string | null = null;
    let chars = 0;
    while (chars < FETCHED_CHARS && this.#statement.step()) {
      const found = this.#values.count(0);
      const text = this.#values.text(1);
      if (found === id) wanted = text;
      this.#known.set(found, text, text.length);
      chars += text.length;
      this.#nextId = found + 1;
    }
    this.#statement.reset();
    if (wanted === null) throw damagedStore(this.#file.path, `${this.#table} has no row ${id}`);
    return wanted;
  }
}

/** The texts of one file, and what was parsed of them. */
export class StoredTexts {
  readonly #file: StoreFile;
  readonly #strings: TextTable;
  readonly #hosts: TextTable;
  readonly #targets: TextTable;
  readonly #headers = new Generations<readonly HeaderField[]>();

  constructor(file: StoreFile) {
    this.#file = file;
    this.#strings = new TextTable(file, 'strings', 'text');
    this.#hosts = new TextTable(file, 'hosts', 'host');
    this.#targets = new TextTable(file, 'targets', 'target');
  }

  /** 0 is NULL, as in the columns that hold numbers of texts. */
  string(id: number): string | null {
    return id === 0 ? null : this.#strings.get(id);
  }

  host(id: number): string | null {
    return id === 0 ? null : this.#hosts.get(id);
  }

  target(id: number): string | null {
    return id === 0 ? null : this.#targets.get(id);
  }

  headers(id: number): readonly HeaderField[] {
    if (id === 0) return NO_HEADERS;
    const known = this.#headers.get(id);
    if (known !== undefined) return known;
    const text = this.#strings.get(id);
    const headers = this.#list(text).map((pair): HeaderField => {
      if (!Array.isArray(pair) || typeof pair[0] !== 'string' || typeof pair[1] !== 'string')
        throw damagedStore(this.#file.path, `strings ${id} is not a list of header fields`);
      return { name: pair[0], value: pair[1] };
    });
    this.#headers.set(id, headers, text.length);
    return headers;
  }

  /** `beganNs`: where the exchange began. */
  interim(id: number, beganNs: number): readonly InterimResponse[] {
    if (id === 0) return NO_INTERIM;
    return this.#list(this.#strings.get(id)).map((one): InterimResponse => {
      const { status, after_ns: afterNs } = (one ?? {}) as { status?: unknown; after_ns?: unknown };
      if (!Number.isSafeInteger(status) || !Number.isSafeInteger(afterNs))
        throw damagedStore(this.#file.path, `strings ${id} is not a list of interim responses`);
      return {
        status: status as number,
        timeNs: beganNs + (afterNs as number),
        startOffset: -1,
        endOffset: -1,
      };
    });
  }

  finalize(): void {
    for (const table of [this.#strings, this.#hosts, this.#targets]) table.finalize();
  }

  #list(text: string): unknown[] {
    return jsonList(this.#file.path, text);
  }
}

const NO_HEADERS: readonly HeaderField[] = Object.freeze([]);
const NO_INTERIM: readonly InterimResponse[] = Object.freeze([]);

/** Throws UserError when `text` is not a JSON array. */
export function jsonList(path: string, text: string): unknown[] {
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list)) return list;
  } catch {
    // Said below, in our words.
  }
  throw damagedStore(path, 'a column with a JSON array holds something else');
}
