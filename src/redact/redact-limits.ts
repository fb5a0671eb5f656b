/** Bounds of a redaction; what is beyond them is scrubbed, counted and shown, never kept. */
export interface RedactionLimits {
  /** Bytes of the plan: redacted heads and structures of bodies of the whole capture. */
  planBytes: number;
  /** Bytes of one body whose structure stays; the rest is filler. */
  structureBytes: number;
  /** The same of all bodies that are being read at once. */
  structureBytesTotal: number;
  /** Bytes of segments that came early, kept to find those that contradict what was delivered. */
  earlyBytes: number;
  /** Bytes of IP datagrams that came in fragments. */
  fragmentedBytes: number;
  /** Bytes of one message head, as in Limits. */
  headBytes: number;
}

export const REDACTION_LIMITS: Readonly<RedactionLimits> = Object.freeze({
  planBytes: 768 * 1024 * 1024,
  structureBytes: 1024 * 1024,
  structureBytesTotal: 64 * 1024 * 1024,
  earlyBytes: 32 * 1024 * 1024,
  fragmentedBytes: 64 * 1024 * 1024,
  headBytes: 256 * 1024,
});
