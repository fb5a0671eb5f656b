import type { Ending, Outcome, Pairing } from './exchange.ts';

/** The closed lists of words of an exchange, in the order in which documents name them. */
export const OUTCOMES = [
  'complete',
  'no-response',
  'reset',
  'truncated',
  'orphan-response',
] as const satisfies readonly Outcome[];
export const ENDINGS = [
  'reset-by-client',
  'reset-by-server',
  'closed-by-client',
  'closed-by-server',
  'capture-ended',
  'lost-in-capture',
  'broken-framing',
  'evicted',
] as const satisfies readonly Ending[];
export const PAIRINGS = ['exact', 'inferred', 'ambiguous'] as const satisfies readonly Pairing[];
