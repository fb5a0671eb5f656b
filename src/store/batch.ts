import { CONNECTIONS, EXCHANGE_ROWS } from './schema.ts';

/**
 * What travels from the main thread to the store's worker: one ArrayBuffer, transferred there and back.
 *
 *     exchanges    Float64 × columns of exchange_rows, in their order; NaN is NULL
 *     connections  Float64 × columns of connections; texts as places in `strings`, see CONNECTION_FIELDS
 *     entries      Float64 × 4: dictionary, number, offset into `strings`, bytes
 *     anomalies    Float64 × 2: exchange id, position in ANOMALY_NAMES
 *     strings      UTF-8
 */
export const BATCH_EXCHANGES = 2_048;
const BATCH_CONNECTIONS = 512;
const BATCH_ENTRIES = 8_192;
export const ENTRY_FIELDS = 4;
const BATCH_ANOMALIES = 4_096;
export const BATCH_STRING_BYTES = 256 * 1024;

export const EXCHANGE_FIELDS = EXCHANGE_ROWS.columns.length;

/** Columns of connections that are texts of their own: in a batch each takes two fields, offset and bytes. */
export const CONNECTION_TEXTS: ReadonlySet<string> = new Set([
  'client',
  'server',
  'history',
  'vlans',
  'tunnels',
  'places',
]);
export const CONNECTION_FIELDS = CONNECTIONS.columns.length + CONNECTION_TEXTS.size;

/** Which table an entry goes to. */
export const DICTIONARY = { strings: 0, hosts: 1, targets: 2 } as const;
export type DictionaryNumber = (typeof DICTIONARY)[keyof typeof DICTIONARY];

/** How much of a batch is filled. */
export interface BatchCounts {
  exchanges: number;
  connections: number;
  entries: number;
  anomalies: number;
  stringBytes: number;
}

const EXCHANGES_AT = 0;
const CONNECTIONS_AT = EXCHANGES_AT + BATCH_EXCHANGES * EXCHANGE_FIELDS * 8;
const ENTRIES_AT = CONNECTIONS_AT + BATCH_CONNECTIONS * CONNECTION_FIELDS * 8;
const ANOMALIES_AT = ENTRIES_AT + BATCH_ENTRIES * ENTRY_FIELDS * 8;
const STRINGS_AT = ANOMALIES_AT + BATCH_ANOMALIES * 2 * 8;

/** Views of one batch's buffer. Whoever holds the buffer owns all of it. */
export class Batch {
  readonly buffer: ArrayBuffer;
  readonly exchanges: Float64Array;
  readonly connections: Float64Array;
  readonly entries: Float64Array;
  readonly anomalies: Float64Array;
  readonly strings: Buffer;
  readonly counts: BatchCounts = { exchanges: 0, connections: 0, entries: 0, anomalies: 0, stringBytes: 0 };

  constructor(buffer: ArrayBuffer) {
    this.buffer = buffer;
    this.exchanges = new Float64Array(buffer, EXCHANGES_AT, BATCH_EXCHANGES * EXCHANGE_FIELDS);
    this.connections = new Float64Array(buffer, CONNECTIONS_AT, BATCH_CONNECTIONS * CONNECTION_FIELDS);
    this.entries = new Float64Array(buffer, ENTRIES_AT, BATCH_ENTRIES * ENTRY_FIELDS);
    this.anomalies = new Float64Array(buffer, ANOMALIES_AT, BATCH_ANOMALIES * 2);
    this.strings = Buffer.from(buffer, STRINGS_AT);
  }

  /** A new one with room for the usual amount of text, or for `stringBytes` where one text needs more. */
  static allocate(stringBytes = 0): Batch {
    return new Batch(new ArrayBuffer(STRINGS_AT + Math.max(BATCH_STRING_BYTES, stringBytes)));
  }

  /** False for the odd one that was made for a giant text: not worth keeping. */
  static isUsual(buffer: ArrayBuffer): boolean {
    return buffer.byteLength === STRINGS_AT + BATCH_STRING_BYTES;
  }

  get exchangesFull(): boolean {
    return this.counts.exchanges === BATCH_EXCHANGES;
  }
  get connectionsFull(): boolean {
    return this.counts.connections === BATCH_CONNECTIONS;
  }
  get entriesFull(): boolean {
    return this.counts.entries === BATCH_ENTRIES;
  }
  get anomaliesFull(): boolean {
    return this.counts.anomalies === BATCH_ANOMALIES;
  }
  get empty(): boolean {
    const { exchanges, connections, entries, anomalies } = this.counts;
    return exchanges + connections + entries + anomalies === 0;
  }
}
