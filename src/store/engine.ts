import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The few parts of the standard `WebAssembly` object used here; the types of Node 20 leave it out. */
declare namespace WebAssembly {
  type Imports = Record<string, Record<string, unknown>>;
  type Exports = Record<string, unknown>;
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Exports;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
  }
}

/**
 * SQLite as WebAssembly (sql.js), at the level of SQLite's C interface.
 *
 * sql.js's own Statement costs 1.5 to 2 times as much per row: it binds every value through type dispatch and
 * copies every string. Used here instead are the functions that sql.js exports on its module (its
 * exported_functions.json) and Emscripten's documented `instantiateWasm` hook, which hands out the memory.
 * The version of sql.js is pinned, and `engine.test.ts` checks each thing that this file takes for granted.
 */
interface SqlJsModule {
  Database: new (bytes?: Uint8Array) => SqlJsDatabase;
  stringToNewUTF8(text: string): number;
  UTF8ToString(pointer: number): string;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  _sqlite3_open(name: number, out: number): number;
  _sqlite3_close_v2(database: number): number;
  _sqlite3_errmsg(database: number): number;
  _sqlite3_exec(database: number, sql: number, callback: number, argument: number, error: number): number;
  _sqlite3_prepare_v2(database: number, sql: number, bytes: number, out: number, tail: number): number;
  _sqlite3_step(statement: number): number;
  _sqlite3_reset(statement: number): number;
  _sqlite3_finalize(statement: number): number;
  _sqlite3_bind_int(statement: number, index: number, value: number): number;
  _sqlite3_bind_double(statement: number, index: number, value: number): number;
  _sqlite3_bind_text(statement: number, index: number, text: number, bytes: number, owner: number): number;
  _sqlite3_bind_blob(statement: number, index: number, blob: number, bytes: number, owner: number): number;
  _sqlite3_column_count(statement: number): number;
  _sqlite3_column_name(statement: number, column: number): number;
  _sqlite3_column_type(statement: number, column: number): number;
  _sqlite3_column_double(statement: number, column: number): number;
  _sqlite3_column_text(statement: number, column: number): number;
  _sqlite3_column_blob(statement: number, column: number): number;
  _sqlite3_column_bytes(statement: number, column: number): number;
}

export interface SqlJsDatabase {
  /** SQLite's handle. */
  db: number;
  export(): Uint8Array;
  close(): void;
  /** Takes any number of arguments, as many as `call.length` says. */
  create_function(name: string, call: (...values: SqlFunctionArgument[]) => SqlFunctionResult): unknown;
}

/** What SQL gives a function: NULL as null, texts up to their first NUL as strings, blobs as copies. */
export type SqlFunctionArgument = number | string | Uint8Array | null;
export type SqlFunctionResult = number | string | null;

interface EmscriptenOptions {
  instantiateWasm(
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports;
}

/** An error of SQLite itself; `message` is SQLite's. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError';
}

/** A value with its type kept. Integers beyond 2^53 come as bigint, NULL as null, blobs as copies. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** The loaded module and its memory. */
export class Engine {
  readonly module: SqlJsModule;
  readonly #memory: WebAssembly.Memory;
  #heap: Uint8Array;

  constructor(module: SqlJsModule, memory: WebAssembly.Memory) {
    this.module = module;
    this.#memory = memory;
    this.#heap = new Uint8Array(memory.buffer);
  }

  /** All memory of SQLite. Valid until the next call into SQLite, which may grow (and so replace) it. */
  get heap(): Uint8Array {
    if (this.#heap.buffer !== this.#memory.buffer) this.#heap = new Uint8Array(this.#memory.buffer);
    return this.#heap;
  }

  /** A place in SQLite's memory; the caller frees it. Throws SqliteError when there is none left. */
  allocate(bytes: number): number {
    const pointer = this.module._malloc(Math.max(1, bytes));
    if (pointer === 0) throw new SqliteError('out of memory');
    return pointer;
  }

  pointerAt(pointer: number): number {
    const { heap } = this;
    return (
      (heap[pointer] | (heap[pointer + 1] << 8) | (heap[pointer + 2] << 16) | (heap[pointer + 3] << 24)) >>> 0
    );
  }

  text(pointer: number, bytes: number): string {
    const { heap } = this;
    return Buffer.from(heap.buffer, heap.byteOffset + pointer, bytes).toString('utf8');
  }
}

let loading: Promise<Engine> | null = null;

/** Loads SQLite, once per thread; about 15 ms. Nothing of sql.js is touched before the first call. */
export function loadEngine(): Promise<Engine> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Engine> {
  const require = createRequire(import.meta.url);
  const initSqlJs = require('sql.js/dist/sql-wasm.js') as (
    options: EmscriptenOptions,
  ) => Promise<SqlJsModule>;
  const wasm = new WebAssembly.Module(readFileSync(require.resolve('sql.js/dist/sql-wasm.wasm')));
  let memory: WebAssembly.Memory | null = null;
  const module = await initSqlJs({
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(wasm, imports);
      for (const value of Object.values(instance.exports)) {
        if (value instanceof WebAssembly.Memory) memory = value;
      }
      done(instance);
      return instance.exports;
    },
  });
  if (memory === null) throw new Error('this build of sql.js exports no memory');
  return new Engine(module, memory);
}
