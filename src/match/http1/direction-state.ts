/**
 * Where a direction stands. In the order in which bytes usually run through them.
 *
 *     probe ─► start ─► head ─► body ─► start (the next message)
 *       │                └► long-head
 *       ├► preface (a header of the PROXY protocol) ─► probe
 *       └► foreign (another protocol: looks at segment starts)
 *     lost  (after a gap or broken framing: looks for a start line)
 *     opaque (upgraded or HTTP/2: looks at nothing)
 */
export const STATE = {
  /** Nothing of the direction was seen yet. */
  probe: 0,
  /** At the beginning of a message. */
  start: 1,
  /** A head has begun, but not ended; it is collected. */
  head: 2,
  /** The rest of a head that is too long. */
  longHead: 3,
  body: 4,
  foreign: 5,
  lost: 6,
  opaque: 7,
  /** Inside a header of the PROXY protocol. */
  preface: 8,
} as const;
export type DirectionState = (typeof STATE)[keyof typeof STATE];
