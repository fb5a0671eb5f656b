import {
  type Engine,
  type SqlFunctionArgument,
  type SqlFunctionResult,
  SqliteError,
  type SqlJsDatabase,
  type SqlValue,
} from './engine.ts';

const SQLITE_ROW = 100;
const SQLITE_DONE = 101;

/** A function for SQL. */
export interface SqlFunction {
  readonly name: string;
  readonly arity: number;
  call(...values: SqlFunctionArgument[]): SqlFunctionResult;
}

/**
 * A database in SQLite's memory: empty (`:memory:`, whose pages never pass through Emscripten's file system,
 * a quarter of the cost of storing), or read from the bytes of a file.
 */
export class Database {
  readonly engine: Engine;
  readonly #database: SqlJsDatabase;

  constructor(engine: Engine, bytes?: Uint8Array) {
    this.engine = engine;
    const { module } = engine;
    this.#database = new module.Database(bytes);
    if (typeof this.#database.db !== 'number') throw new Error('this version of sql.js hides its handle');
    if (bytes !== undefined) return;
    // The same wrapper around another handle: export() copies through SQLite's backup interface, from memory too.
    const name = module.stringToNewUTF8(':memory:');
    const out = engine.allocate(4);
    const code = module._sqlite3_open(name, out);
    const handle = engine.pointerAt(out);
    module._free(name);
    module._free(out);
    if (code !== 0) throw new SqliteError('cannot open a database in memory');
    module._sqlite3_close_v2(this.#database.db);
    this.#database.db = handle;
  }

  get handle(): number {
    return this.#database.db;
  }

  /** Throws SqliteError with SQLite's message unless `code` is SQLITE_OK. */
  check(code: number): void {
    if (code !== 0)
      throw new SqliteError(this.engine.module.UTF8ToString(this.engine.module._sqlite3_errmsg(this.handle)));
  }

  /** Makes functions known to this database's SQL. They get NULL as null, and must not throw. */
  register(functions: readonly SqlFunction[]): void {
    for (const { name, arity, call } of functions) {
      // sql.js tells the number of arguments by the function's length.
      const taker = (...values: SqlFunctionArgument[]): SqlFunctionResult => call(...values);
      Object.defineProperty(taker, 'length', { value: arity });
      this.#database.create_function(name, taker);
    }
  }

  /** Runs statements that return nothing. */
  run(sql: string): void {
    const { module } = this.engine;
    const pointer = module.stringToNewUTF8(sql);
    const code = module._sqlite3_exec(this.handle, pointer, 0, 0, 0);
    module._free(pointer);
    this.check(code);
  }

  /** The first statement of `sql` and what follows it; `statement` is null when there is none (comments only). */
  prepareFirst(sql: string): { statement: Statement | null; rest: string } {
    const { engine } = this;
    const { module } = engine;
    const text = Buffer.from(sql, 'utf8');
    const pointer = engine.allocate(text.length + 1);
    const out = engine.allocate(8);
    engine.heap.set(text, pointer);
    engine.heap[pointer + text.length] = 0;
    const code = module._sqlite3_prepare_v2(this.handle, pointer, text.length, out, out + 4);
    const handle = engine.pointerAt(out);
    const rest = text.subarray(engine.pointerAt(out + 4) - pointer).toString('utf8');
    module._free(pointer);
    module._free(out);
    this.check(code);
    return { statement: handle === 0 ? null : new Statement(this, handle), rest };
  }

  prepare(sql: string): Statement {
    const { statement } = this.prepareFirst(sql);
    if (statement === null) throw new SqliteError('nothing to prepare');
    return statement;
  }

  /** All rows of a query; for small answers. */
  rows(sql: string): SqlValue[][] {
    const statement = this.prepare(sql);
    const rows: SqlValue[][] = [];
    while (statement.step()) rows.push(statement.row());
    statement.finalize();
    return rows;
  }

  /** A copy of the whole database as a file's bytes. All statements must have been finalized. */
  export(): Uint8Array {
    return this.#database.export();
  }

  close(): void {
    this.#database.close();
  }
}

/** A prepared statement. Parameters count from 1, columns from 0. */
export class Statement {
  readonly handle: number;
  readonly #database: Database;
  /** 0: a statement that returns no rows. */
  readonly columnCount: number;

  constructor(database: Database, handle: number) {
    this.#database = database;
    this.handle = handle;
    this.columnCount = database.engine.module._sqlite3_column_count(handle);
  }

  columnNames(): string[] {
    const { module } = this.#database.engine;
    return Array.from({ length: this.columnCount }, (_, column) =>
      module.UTF8ToString(module._sqlite3_column_name(this.handle, column)),
    );
  }

  /** True: there is a row. False: the statement has ended. Throws SqliteError. */
  step(): boolean {
    const code = this.#database.engine.module._sqlite3_step(this.handle);
    if (code === SQLITE_ROW) return true;
    if (code !== SQLITE_DONE) this.#database.check(code);
    return false;
  }

  /** Steps a statement that returns no rows and makes it ready for the next time; bindings stay. */
  execute(): void {
    const { module } = this.#database.engine;
    const code = module._sqlite3_step(this.handle);
    if (code !== SQLITE_DONE) this.#database.check(code === 0 ? 1 : code);
    module._sqlite3_reset(this.handle);
  }

  /** NaN binds NULL. Whole numbers beyond 32 bits are kept exact by the column's INTEGER affinity, up to 2^53. */
  bindNumber(index: number, value: number): void {
    const { module } = this.#database.engine;
    // biome-ignore lint/suspicious/noSelfCompare: the quickest test for NaN in the hottest loop of the store
    if (value !== value) module._sqlite3_bind_blob(this.handle, index, 0, 0, 0);
    else if ((value | 0) === value) module._sqlite3_bind_int(this.handle, index, value);
    else module._sqlite3_bind_double(this.handle, index, value);
  }

  /** `pointer` and `bytes` are UTF-8 in SQLite's memory that stays there until the next execute(). */
  bindTextAt(index: number, pointer: number, bytes: number): void {
    this.#database.engine.module._sqlite3_bind_text(this.handle, index, pointer, bytes, 0);
  }

  bindNull(index: number): void {
    this.#database.engine.module._sqlite3_bind_blob(this.handle, index, 0, 0, 0);
  }

  /** Copies `text`. */
  bindText(index: number, text: string): void {
    const { engine } = this.#database;
    const bytes = Buffer.from(text, 'utf8');
    const pointer = engine.allocate(bytes.length);
    engine.heap.set(bytes, pointer);
    engine.module._sqlite3_bind_text(this.handle, index, pointer, bytes.length, -1);
    engine.module._free(pointer);
  }

  bind(index: number, value: string | number | null): void {
    if (value === null) this.bindNull(index);
    else if (typeof value === 'string') this.bindText(index, value);
    else this.bindNumber(index, value);
  }

  /** The current row, types kept. */
  row(): SqlValue[] {
    const row: SqlValue[] = new Array(this.columnCount);
    for (let column = 0; column < this.columnCount; column++) row[column] = this.#value(column);
    return row;
  }

  #value(column: number): SqlValue {
    const { engine } = this.#database;
    const { module } = engine;
    switch (module._sqlite3_column_type(this.handle, column)) {
      case 1: {
        const value = module._sqlite3_column_double(this.handle, column);
        if (Number.isSafeInteger(value)) return value;
        return BigInt(module.UTF8ToString(module._sqlite3_column_text(this.handle, column)));
      }
      case 2:
        return module._sqlite3_column_double(this.handle, column);
      case 3: {
        const pointer = module._sqlite3_column_text(this.handle, column);
        return engine.text(pointer, module._sqlite3_column_bytes(this.handle, column));
      }
      case 4: {
        const pointer = module._sqlite3_column_blob(this.handle, column);
        const bytes = module._sqlite3_column_bytes(this.handle, column);
        return engine.heap.slice(pointer, pointer + bytes);
      }
      default:
        return null;
    }
  }

  /** Back to before the first row; bindings stay. */
  reset(): void {
    this.#database.engine.module._sqlite3_reset(this.handle);
  }

  finalize(): void {
    this.#database.engine.module._sqlite3_finalize(this.handle);
  }
}
