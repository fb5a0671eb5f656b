import { ENDINGS, OUTCOMES, PAIRINGS } from '../model/outcome-words.ts';

/**
 * Closed lists of words. A batch carries the position of a word in its list. A word that the model gains is
 * missed by the compiler where the packer looks it up.
 */
export { ENDINGS, OUTCOMES, PAIRINGS };
export const PROTOCOLS = ['http', 'http2', 'tls', 'websocket', 'other', 'none'] as const;
export const OPENINGS = ['seen', 'partial', 'missed'] as const;
export const CONNECTION_ENDS = [
  'open',
  'closed-by-client',
  'closed-by-server',
  'reset-by-client',
  'reset-by-server',
  'evicted',
] as const;

/** Word lists by column. */
export const EXCHANGE_WORDS: Readonly<Record<string, readonly string[]>> = {
  outcome: OUTCOMES,
  ending: ENDINGS,
  pairing: PAIRINGS,
};
export const CONNECTION_WORDS: Readonly<Record<string, readonly string[]>> = {
  protocol: PROTOCOLS,
  opening: OPENINGS,
  end: CONNECTION_ENDS,
};
