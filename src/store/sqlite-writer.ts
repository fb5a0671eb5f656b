import { ANOMALIES, ANOMALY_NAMES } from '../model/anomaly.ts';
import { pathOf, routeOf } from '../model/route.ts';
import {
  type Batch,
  type BatchCounts,
  CONNECTION_TEXTS,
  DICTIONARY,
  ENTRY_FIELDS,
  EXCHANGE_FIELDS,
} from './batch.ts';
import { Database, type Statement } from './database.ts';
import type { Engine } from './engine.ts';
import type { FinalRows } from './final-rows.ts';
import {
  ANOMALIES_TABLE,
  ANOMALY_CODES,
  APPLICATION_ID,
  CAPTURES,
  CONNECTIONS,
  EXCHANGE_ROWS,
  HOSTS,
  INDEXES,
  LEDGER,
  META,
  SCHEMA_VERSION,
  STRINGS,
  TABLES,
  TARGETS,
  type Table,
} from './schema.ts';
import { createIndexSql, createTableSql, insertSql } from './schema-sql.ts';
import { createViewSql, VIEWS } from './schema-views.ts';
import { CONNECTION_WORDS, EXCHANGE_WORDS } from './words.ts';

/** Rows of one INSERT: measured, 20 to 100 are a quarter quicker than 1, and no different from each other. */
const ROWS_AT_ONCE = 32;

/** A constant text in SQLite's memory. */
interface HeldText {
  readonly pointer: number;
  readonly bytes: number;
}

/** One database being filled from batches. Lives in the store's worker. */
export class SqliteWriter {
  readonly #engine: Engine;
  readonly #database: Database;
  readonly #many: Statement;
  readonly #one: Statement;
  /** What each parameter of the two statements was last bound to; most columns stay the same from row to row. */
  readonly #manyBound = new Float64Array(ROWS_AT_ONCE * EXCHANGE_FIELDS).fill(Number.NaN);
  readonly #oneBound = new Float64Array(EXCHANGE_FIELDS).fill(Number.NaN);
  readonly #exchangeWords: (readonly HeldText[] | null)[];
  readonly #connectionWords: (readonly HeldText[] | null)[];
  readonly #anomalyWords: readonly HeldText[];
  readonly #held: number[] = [];
  readonly #connection: Statement;
  readonly #string: Statement;
  readonly #host: Statement;
  readonly #target: Statement;
  readonly #anomaly: Statement;
  readonly #pageCount: Statement;
  #texts = 0;
  #textsBytes = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
    const database = new Database(engine);
    this.#database = database;
    // Nobody reads this database before it is whole: neither a journal nor locks are of use. Sorting for the
    // indexes stays in memory up to cache_size.
    database.run(`PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
      PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536;
      PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; BEGIN`);
    for (const table of TABLES) database.run(createTableSql(table));
    const prepare = (table: Table, rows = 1): Statement => database.prepare(insertSql(table, rows));
    this.#many = prepare(EXCHANGE_ROWS, ROWS_AT_ONCE);
    this.#one = prepare(EXCHANGE_ROWS);
    this.#connection = prepare(CONNECTIONS);
    this.#string = prepare(STRINGS);
    this.#host = prepare(HOSTS);
    this.#target = prepare(TARGETS);
    this.#anomaly = prepare(ANOMALIES_TABLE);
    this.#pageCount = database.prepare('SELECT page_count * 4096 FROM pragma_page_count');
    this.#exchangeWords = this.#holdWords(EXCHANGE_ROWS, EXCHANGE_WORDS);
    this.#connectionWords = this.#holdWords(CONNECTIONS, CONNECTION_WORDS);
    this.#anomalyWords = ANOMALY_NAMES.map((name) => this.#hold(name));
  }

  /** Stores what a batch holds. Throws SqliteError, for want of memory. */
  write(batch: Batch, counts: BatchCounts): void {
    this.#holdTexts(batch.strings, counts.stringBytes);
    this.#entries(batch.entries, counts.entries, batch.strings);
    this.#exchanges(batch.exchanges, counts.exchanges);
    this.#connections(batch.connections, counts.connections);
    for (let index = 0; index < counts.anomalies; index++) {
      const word = this.#anomalyWords[batch.anomalies[index * 2 + 1]];
      if (word === undefined) continue;
      this.#anomaly.bindNumber(1, batch.anomalies[index * 2]);
      this.#anomaly.bindTextAt(2, word.pointer, word.bytes);
      this.#anomaly.execute();
    }
  }

  /** Size of the database so far. */
  bytes(): number {
    this.#pageCount.step();
    const [bytes] = this.#pageCount.row();
    this.#pageCount.reset();
    return Number(bytes);
  }

  /** Adds what is known at the end, builds the indexes, and gives the file's bytes. The writer is used up. */
  finish(rows: FinalRows): Uint8Array {
    this.#insertAll(CAPTURES, rows.captures);
    this.#insertAll(LEDGER, rows.ledger);
    this.#insertAll(META, rows.meta);
    this.#insertAll(ANOMALY_CODES, Object.entries(ANOMALIES));
    const statements = [this.#many, this.#one, this.#connection, this.#string, this.#host, this.#target];
    for (const statement of [...statements, this.#anomaly, this.#pageCount]) statement.finalize();
    for (const index of INDEXES) this.#database.run(createIndexSql(index));
    for (const view of VIEWS) this.#database.run(createViewSql(view));
    this.#database.run('COMMIT');
    const bytes = this.#database.export();
    this.#database.close();
    for (const pointer of this.#held) this.#engine.module._free(pointer);
    if (this.#texts !== 0) this.#engine.module._free(this.#texts);
    return bytes;
  }

  #insertAll(table: Table, rows: readonly (readonly (string | number | null)[])[]): void {
    const statement = this.#database.prepare(insertSql(table));
    for (const row of rows) {
      row.forEach((value, index) => {
        statement.bind(index + 1, value);
      });
      statement.execute();
    }
    statement.finalize();
  }

  #exchanges(rows: Float64Array, count: number): void {
    let row = 0;
    for (; row + ROWS_AT_ONCE <= count; row += ROWS_AT_ONCE) {
      this.#bindExchanges(this.#many, this.#manyBound, rows, row, ROWS_AT_ONCE);
      this.#many.execute();
    }
    for (; row < count; row++) {
      this.#bindExchanges(this.#one, this.#oneBound, rows, row, 1);
      this.#one.execute();
    }
  }

  #bindExchanges(to: Statement, bound: Float64Array, rows: Float64Array, first: number, count: number): void {
    const words = this.#exchangeWords;
    let at = first * EXCHANGE_FIELDS;
    let parameter = 0;
    for (let row = 0; row < count; row++) {
      for (let column = 0; column < EXCHANGE_FIELDS; column++, at++, parameter++) {
        const value = rows[at];
        if (Object.is(value, bound[parameter])) continue;
        bound[parameter] = value;
        const list = words[column];
        if (list === null) to.bindNumber(parameter + 1, value);
        else bindWord(to, parameter + 1, list[value]);
      }
    }
  }

  #connections(rows: Float64Array, count: number): void {
    const to = this.#connection;
    let at = 0;
    for (let row = 0; row < count; row++) {
      for (let column = 0; column < CONNECTIONS.columns.length; column++) {
        const words = this.#connectionWords[column];
        if (CONNECTION_TEXTS.has(CONNECTIONS.columns[column].name)) {
          if (Number.isNaN(rows[at])) to.bindNull(column + 1);
          else to.bindTextAt(column + 1, this.#texts + rows[at], rows[at + 1]);
          at += 2;
        } else {
          if (words === null) to.bindNumber(column + 1, rows[at]);
          else bindWord(to, column + 1, words[rows[at]]);
          at += 1;
        }
      }
      to.execute();
    }
  }

  #entries(entries: Float64Array, count: number, strings: Buffer): void {
    for (let index = 0; index < count; index++) {
      const at = index * ENTRY_FIELDS;
      const which = entries[at];
      const offset = entries[at + 2];
      const bytes = entries[at + 3];
      const to =
        which === DICTIONARY.targets ? this.#target : which === DICTIONARY.hosts ? this.#host : this.#string;
      to.bindNumber(1, entries[at + 1]);
      to.bindTextAt(2, this.#texts + offset, bytes);
      if (which === DICTIONARY.targets) {
        const target = strings.toString('utf8', offset, offset + bytes);
        const path = pathOf(target);
        const route = routeOf(target);
        to.bind(3, path === target ? null : path);
        to.bind(4, route === path ? null : route);
      }
      to.execute();
    }
  }

  /** Copies a batch's texts into SQLite's memory, where they stay until the next batch. */
  #holdTexts(strings: Buffer, bytes: number): void {
    if (bytes > this.#textsBytes || this.#texts === 0) {
      if (this.#texts !== 0) this.#engine.module._free(this.#texts);
      this.#texts = 0;
      this.#texts = this.#engine.allocate(bytes);
      this.#textsBytes = bytes;
    }
    this.#engine.heap.set(strings.subarray(0, bytes), this.#texts);
  }

  #hold(text: string): HeldText {
    const bytes = Buffer.from(text);
    const pointer = this.#engine.allocate(bytes.length);
    this.#engine.heap.set(bytes, pointer);
    this.#held.push(pointer);
    return { pointer, bytes: bytes.length };
  }

  #holdWords(
    table: Table,
    lists: Readonly<Record<string, readonly string[]>>,
  ): (readonly HeldText[] | null)[] {
    return table.columns.map(({ name }) => lists[name]?.map((word) => this.#hold(word)) ?? null);
  }
}

function bindWord(to: Statement, parameter: number, word: HeldText | undefined): void {
  if (word === undefined) to.bindNull(parameter);
  else to.bindTextAt(parameter, word.pointer, word.bytes);
}
