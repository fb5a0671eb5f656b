import { ENDINGS, OUTCOMES, PAIRINGS } from '../model/outcome-words.ts';

/**
 * The columns of a batch: what of an exchange travels from an agent to a server. Names, order, units and values are
 * those of the relation `exchanges` (docs/sqlite-schema.md) without `id` and `started`, which the server gives, and
 * behind them the anomalies and surroundings that a SQLite file keeps in tables of their own. docs/transfer.md.
 */
export interface BatchColumnFacts {
  readonly name: string;
  readonly type: 'integer' | 'real' | 'text';
  readonly nullable: boolean;
  /** Texts: most bytes of one value in UTF-8; the decoder refuses longer ones. 0: not a text. */
  readonly maxBytes: number;
  /** Numbers: smallest and largest value let through. Both 0 for texts. */
  readonly minimum: number;
  readonly maximum: number;
  /** Texts: the closed list of values; null: any text that `form` allows. */
  readonly words: readonly string[] | null;
  /** Texts: what must be in it. */
  readonly form: TextForm;
}

/** `any`; an IP address; 16 hexadecimal digits; or JSON whose shape is checked (src/transfer/json-forms.ts). */
export type TextForm =
  | 'any'
  | 'address'
  | 'uid'
  | 'headers'
  | 'interim'
  | 'anomalies'
  | 'vlans'
  | 'tunnels'
  | 'sightings';

const LARGEST = Number.MAX_SAFE_INTEGER;
/** Of a message head at most 256 KiB are kept (LIMITS.headBytes), and a byte of it is at most 3 bytes in UTF-8. */
const FIELD_BYTES = 1024 * 1024;
const JSON_BYTES = 4 * 1024 * 1024;
const WORD_BYTES = 32;
const ADDRESS_BYTES = 45;
const UID_BYTES = 16;
const NO_TEXT = { maxBytes: 0, words: null, form: 'any' } as const;
const NO_NUMBER = { minimum: 0, maximum: 0 } as const;

type Nullness = 'null' | 'always';

const integer = (
  name: string,
  nullness: Nullness,
  maximum: number = LARGEST,
  minimum = 0,
): BatchColumnFacts => ({
  name,
  type: 'integer',
  nullable: nullness === 'null',
  minimum,
  maximum,
  ...NO_TEXT,
});
const real = (name: string): BatchColumnFacts => ({
  name,
  type: 'real',
  nullable: true,
  minimum: 0,
  maximum: LARGEST,
  ...NO_TEXT,
});
const text = (name: string, nullness: Nullness, maxBytes: number, form: TextForm = 'any') =>
  ({ name, type: 'text', nullable: nullness === 'null', maxBytes, words: null, form, ...NO_NUMBER }) as const;
const word = (name: string, nullness: Nullness, words: readonly string[]): BatchColumnFacts => ({
  ...text(name, nullness, WORD_BYTES),
  words,
});

const PORT = 65_535;

export const BATCH_COLUMNS: readonly BatchColumnFacts[] = [
  integer('started_us', 'always', LARGEST, -LARGEST),
  integer('started_ns', 'always', 999),
  integer('connection_id', 'always'),
  integer('position', 'always'),
  text('client', 'always', ADDRESS_BYTES, 'address'),
  integer('client_port', 'always', PORT),
  text('server', 'always', ADDRESS_BYTES, 'address'),
  integer('server_port', 'always', PORT),
  text('method', 'null', FIELD_BYTES),
  text('host', 'null', FIELD_BYTES),
  text('target', 'null', FIELD_BYTES),
  text('path', 'null', FIELD_BYTES),
  text('route', 'null', FIELD_BYTES),
  text('http_version', 'null', FIELD_BYTES),
  text('response_http_version', 'null', FIELD_BYTES),
  integer('status', 'null', 999),
  text('reason', 'null', FIELD_BYTES),
  word('outcome', 'always', OUTCOMES),
  word('ending', 'null', ENDINGS),
  word('pairing', 'always', PAIRINGS),
  real('connect_ms'),
  real('send_ms'),
  real('wait_ms'),
  real('receive_ms'),
  real('total_ms'),
  integer('request_header_bytes', 'null'),
  integer('request_body_bytes', 'null'),
  integer('response_header_bytes', 'null'),
  integer('response_body_bytes', 'null'),
  text('request_media_type', 'null', FIELD_BYTES),
  text('response_media_type', 'null', FIELD_BYTES),
  text('user_agent', 'null', FIELD_BYTES),
  text('request_headers', 'null', JSON_BYTES, 'headers'),
  text('response_headers', 'null', JSON_BYTES, 'headers'),
  text('interim', 'null', JSON_BYTES, 'interim'),
  integer('request_capture', 'null'),
  integer('request_packet', 'null'),
  integer('response_capture', 'null'),
  integer('response_packet', 'null'),
  integer('request_lost_bytes', 'null'),
  integer('response_lost_bytes', 'null'),
  integer('request_retransmissions', 'always'),
  integer('response_retransmissions', 'always'),
  integer('request_out_of_order', 'always'),
  integer('response_out_of_order', 'always'),
  integer('client_zero_windows', 'always'),
  integer('server_zero_windows', 'always'),
  integer('anomaly_count', 'always', 1000),
  integer('places', 'always', 1000, 1),
  text('uid', 'null', UID_BYTES, 'uid'),
  text('anomalies', 'null', JSON_BYTES, 'anomalies'),
  text('vlans', 'null', JSON_BYTES, 'vlans'),
  text('tunnels', 'null', JSON_BYTES, 'tunnels'),
  text('sightings', 'null', JSON_BYTES, 'sightings'),
];

/** By name. */
export const BATCH_COLUMN: ReadonlyMap<string, BatchColumnFacts> = new Map(
  BATCH_COLUMNS.map((column) => [column.name, column]),
);

export const BATCH_TYPE = 'application/vnd.wirelens.batch+json';
export const LINES_TYPE = 'application/x-ndjson';
/** Field `v` of a batch. */
export const BATCH_VERSION = 1;

/** Bounds of what is taken in one request. */
export interface TransferLimits {
  /** Exchanges in one batch; also of NDJSON. */
  readonly rows: number;
  /** Bytes of a body, after decompression. */
  readonly bodyBytes: number;
}

export const TRANSFER_LIMITS: TransferLimits = Object.freeze({ rows: 65_536, bodyBytes: 64 * 1024 * 1024 });
