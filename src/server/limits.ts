/** Every bound of the server: a name, a unit, a default, and what is seen when it is reached. */
export interface ServerLimits {
  /** Bytes of an upload as sent; more is answered 413. */
  readonly uploadBytes: number;
  /** Bytes of an upload after decompression; more is answered 413. */
  readonly uploadPlainBytes: number;
  /** Bytes of all uploads under way, as sent and decompressed; more is answered 503 with Retry-After. */
  readonly uploadsBytes: number;
  /** Bytes of any other request body; more is answered 413. */
  readonly bodyBytes: number;
  /** Bytes of the request line and header section; more is answered 431. */
  readonly headerBytes: number;
  /** Header fields of a request; more is answered 431. */
  readonly headerFields: number;
  /** Time in ms in which a header section must have come; then 408. */
  readonly headerMs: number;
  /** Time in ms in which a whole request must have come; then 408. */
  readonly requestMs: number;
  /** Time in ms without a byte in either direction after which a connection is closed. */
  readonly idleMs: number;
  /** Time in ms that a connection may wait for its next request. */
  readonly keepAliveMs: number;
  /** Time in ms that the rest of a refused body is read and thrown away; then its connection is closed. */
  readonly lingerMs: number;
  /** Connections at once; further ones are closed and counted. */
  readonly connections: number;
  /** Questions (lists, RED, one exchange) being answered at once; further ones get 503. */
  readonly questions: number;
  /** SQL statements running at once; further ones get 503. */
  readonly statements: number;
  /** Live streams at once; further ones get 503. */
  readonly streams: number;
  /** Time in ms between two comments on a live stream. */
  readonly streamCommentMs: number;
  /** Time in ms that a live stream's reader may take for what was sent; then it is closed. */
  readonly streamStallMs: number;
  /** Time in ms between two looks for new exchanges, for one live stream. */
  readonly streamPauseMs: number;
}

const MiB = 1024 * 1024;

export const SERVER_LIMITS: Readonly<ServerLimits> = Object.freeze({
  uploadBytes: 16 * MiB,
  uploadPlainBytes: 64 * MiB,
  uploadsBytes: 256 * MiB,
  bodyBytes: 256 * 1024,
  headerBytes: 16 * 1024,
  headerFields: 200,
  headerMs: 15_000,
  requestMs: 60_000,
  idleMs: 60_000,
  keepAliveMs: 75_000,
  lingerMs: 5000,
  connections: 4096,
  questions: 64,
  statements: 4,
  streams: 128,
  streamCommentMs: 15_000,
  streamStallMs: 30_000,
  streamPauseMs: 200,
});
