/**
 * How much a finding matters: `problem` answers are wrong or missing; `warning` some answers may be; `note` worth
 * knowing.
 */
export type Severity = 'problem' | 'warning' | 'note';

/** One thing that is to be said about a capture. */
export interface Finding {
  /** Stable kebab-case name. */
  readonly code: FindingCode;
  readonly severity: Severity;
  /** What was found, with its figures; one sentence without a full stop. Sanitised. */
  readonly what: string;
  /** What it does to the answers. */
  readonly effect: string;
  /** What to do about it; null where nothing can be done. */
  readonly advice: string | null;
}

/** Every finding that there is, in the order in which they are told. */
export const FINDING_CODES = [
  'no-packets',
  'damaged',
  'no-tcp',
  'no-http',
  'kernel-drops',
  'drops-unknown',
  'packets-missing',
  'cut-by-snaplen',
  'one-sided',
  'mid-stream',
  'clock-set-back',
  'out-of-order-in-file',
  'silence',
  'coarse-clock',
  'duplicates',
  'checksum-offload',
  'wrong-checksums',
  'segmentation-offload',
  'long-packets',
  'tls',
  'http2',
  'quic',
  'tunnels',
  'vlans',
  'not-decoded',
  'limits-reached',
  'ledger',
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];
