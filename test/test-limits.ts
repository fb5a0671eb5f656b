/** Multiplies the runs of property tests, for a longer search: `WIRELENS_FUZZ_FACTOR=20 npx vitest run test`. */
export const FUZZ_FACTOR = Number(process.env.WIRELENS_FUZZ_FACTOR ?? '1') || 1;

/** Property tests and tests that start the command line take seconds on a busy machine; a hang still ends. */
export const TEST_LIMIT_MS = 120_000 * Math.max(1, FUZZ_FACTOR);
