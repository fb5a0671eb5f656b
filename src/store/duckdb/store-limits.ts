/** Bounds of a server's store; each is seen when it is reached. */
export const STORE_LIMITS = Object.freeze({
  /**
   * Rows in one transaction, unless one batch alone has more: fewer than ROW_GROUP_ROWS, so that all of them go through
   * the log.
   */
  rowsPerCommit: 35_000,
  /** Rows that wait to be stored, beyond which `append` rejects with StoreUnavailable `busy`. */
  rowsWaiting: 400_000,
  /** About the bytes of them in memory. */
  bytesWaiting: 512 * 1024 * 1024,
  /** Questions that wait for a connection, beyond which they are rejected with StoreUnavailable `busy`. */
  questionsWaiting: 256,
  /** Questions of the server itself that are answered at the same time. Each holds a thread of Node's pool of four. */
  questionsAtOnce: 2,
  /** SQL of people that runs at the same time. */
  sqlAtOnce: 1,
  /** Two agents' times of one exchange lie at most so far apart, µs. */
  apartUs: 120_000_000,
  /** Rows with one uid, in that time, beyond which the uid tells nothing and no further one is looked at. */
  rowsPerUid: 16,
  /** Rows whose uids are held in memory, and as many again; further look-ups go to the database. */
  recentRows: 5_000_000,
  /** Ranges of numbers in one stream; a batch that would make more is refused with UserError `scattered-stream`. */
  rangesPerStream: 10_000,
  /** Streams whose numbers are known; beyond, the one that was silent longest is forgotten, and logged. */
  streams: 100_000,
  /** Agents whose reports are kept; beyond, the one that was silent longest is forgotten, and logged. */
  agents: 10_000,
  /** Bytes that must be free on the disk, beside twice what is to be written. */
  diskReserveBytes: 32 * 1024 * 1024,
  /** Of the write-ahead log, from which on it is worked into the file. */
  logBytes: 64 * 1024 * 1024,
  /** Of DuckDB's memory, taken by rows that are only in the log: from there on they are worked into the file. */
  unwrittenShare: 1 / 4,
  /** Of one exchange, observations that `get` shows. */
  observationsShown: 100,
  /** Characters of SQL of people. */
  sqlCharacters: 20_000,
  /** Columns that SQL of people may answer with. */
  sqlColumns: 500,
  /** Bytes of text in one answer to SQL of people; more is refused with UserError `sql-too-large`. */
  sqlAnswerBytes: 32 * 1024 * 1024,
  /** By how much the process may grow beyond DuckDB's memory limit while SQL of people runs, before that is stopped. */
  sqlGrowthBytes: 192 * 1024 * 1024,
  /** How many times longer than what is stored a text may become in SQL of people, as far as its form tells. */
  sqlTextGrowth: 256,
  /** Memory of DuckDB, unless told otherwise. */
  memoryBytes: 1024 * 1024 * 1024,
  /** Least memory that it works with. */
  leastMemoryBytes: 128 * 1024 * 1024,
  /** On disk for what does not fit into memory. */
  temporaryBytes: 1024 * 1024 * 1024,
});
