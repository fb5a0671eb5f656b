/**
 * Every bound in one place: a name, a unit, a default and what is seen when it is reached.
 * Memory depends on these, never on the size of a capture.
 */
export interface Limits {
  /** Bytes of a captured packet; a longer record means that the file is damaged there. */
  packetBytes: number;
  /** Connections held at once; the least recently used one is closed as `evicted`. */
  connections: number;
  /** Closed connections that still wait for stragglers. */
  closedConnections: number;
  /** Capture time in ms without a packet after which a closed connection is forgotten. */
  closedLingerMs: number;
  /** Copied bytes waiting for an earlier segment, one direction. Reaching it turns the hole into a gap. */
  pendingBytesPerDirection: number;
  /** The same over all connections; the connections that have waited longest are relieved first. */
  pendingBytesTotal: number;
  /** Packets of a connection that may pass before a hole that the receiver has acknowledged counts as a gap. */
  reorderPackets: number;
  /** Capture time in ms after which such a hole counts as a gap, also when no packet comes. */
  reorderMs: number;
  /** Places of one connection that are told apart; packets at further ones are only counted. */
  sightingPlaces: number;
  /** Capture time in ms that a segment seen at another place waits for being seen at the connection's own. */
  sightingHoldMs: number;
  /** Bytes of such segments held, over all connections; the oldest are then used as if the own place missed them. */
  sightingHeldBytes: number;
  /** Capture time in ms within which the same SYN on other addresses means address translation. */
  translationMs: number;
  /** IP datagrams being put together from fragments. */
  fragmentedDatagrams: number;
  /** Bytes of fragments held. */
  fragmentBytes: number;
  /** Capture time in ms that a datagram may take to become whole. */
  fragmentTimeoutMs: number;
  /** Bytes of a message head kept; the rest is skipped with anomaly `head-too-long`. */
  headBytes: number;
  /** Requests of one connection that may wait for an answer; the oldest then comes out unanswered. */
  pendingRequests: number;
  /** Interim responses (1xx) kept for one request; further ones are counted, with `many-interim-responses`. */
  interimResponses: number;
  /** Groups (servers, routes) in the summary; further ones are counted as `(other)`. */
  summaryGroups: number;
  /** Durations held for exact percentiles; beyond it percentiles are within 0.1 % and marked `~`. */
  summaryDurations: number;
  /** Comments kept of a capture. */
  captureComments: number;
  /** Bytes of a SQLite file in memory after which the next file is begun. */
  sqliteFileBytes: number;
}

export const LIMITS: Readonly<Limits> = Object.freeze({
  packetBytes: 16 * 1024 * 1024,
  connections: 65_536,
  closedConnections: 4_096,
  closedLingerMs: 15_000,
  pendingBytesPerDirection: 8 * 1024 * 1024,
  pendingBytesTotal: 64 * 1024 * 1024,
  reorderPackets: 64,
  reorderMs: 1_000,
  sightingPlaces: 16,
  sightingHoldMs: 500,
  sightingHeldBytes: 16 * 1024 * 1024,
  translationMs: 1_000,
  fragmentedDatagrams: 1_024,
  fragmentBytes: 16 * 1024 * 1024,
  fragmentTimeoutMs: 30_000,
  headBytes: 256 * 1024,
  pendingRequests: 1_000,
  interimResponses: 32,
  summaryGroups: 10_000,
  summaryDurations: 2_000_000,
  captureComments: 10_000,
  sqliteFileBytes: 512 * 1024 * 1024,
});
