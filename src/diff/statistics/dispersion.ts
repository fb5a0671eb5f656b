/**
 * How much more the scores of neighbours vary together than independent ones would. Requests are not drawn from an
 * urn: a busy second makes all of its requests slow, and a test that takes them for independent sees differences
 * everywhere. The method of batch means: scores in the order of time are cut into blocks; the variance between
 * block means, times the block's size, over the variance of single scores estimates by which factor the variance
 * of a mean is larger (survey statistics' "design effect").
 */
export interface Dispersion {
  /** 1: as if independent. Never below, so that it can only make a test more careful. */
  readonly factor: number;
  /** Degrees of freedom of the estimate; 0: too few values to estimate, the factor is then 1. */
  readonly freedom: number;
}

export const INDEPENDENT: Dispersion = Object.freeze({ factor: 1, freedom: 0 });

const BLOCKS = 24;
/** Fewer values in a block say more about themselves than about their neighbours. */
const LEAST_BLOCK = 5;
const LEAST_BLOCKS = 8;

/** Of scores in the order of time, one list per sample. Each is measured against its own mean. */
export function dispersionOf(samples: readonly Float64Array[]): Dispersion {
  let between = 0;
  let blocks = 0;
  let within = 0;
  let values = 0;
  let used = 0;
  for (const scores of samples) {
    const mean = meanOf(scores, 0, scores.length);
    for (const score of scores) within += (score - mean) ** 2;
    values += scores.length;
    const count = Math.min(BLOCKS, Math.floor(scores.length / LEAST_BLOCK));
    if (count < LEAST_BLOCKS) continue;
    used += 1;
    for (let block = 0; block < count; block += 1) {
      const start = Math.floor((block * scores.length) / count);
      const end = Math.floor(((block + 1) * scores.length) / count);
      between += (end - start) * (meanOf(scores, start, end) - mean) ** 2;
    }
    blocks += count;
  }
  const freedom = blocks - used;
  if (freedom <= 0 || within <= 0) return INDEPENDENT;
  const variance = within / (values - samples.length);
  return { factor: Math.max(1, between / freedom / variance), freedom };
}

function meanOf(scores: Float64Array, start: number, end: number): number {
  let sum = 0;
  for (let index = start; index < end; index += 1) sum += scores[index];
  return end > start ? sum / (end - start) : 0;
}
