import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './test/closing-line-reporter.ts';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'fixtures/**/*.test.ts'],
    // Threads without isolation: five times as fast, and modules of Wirelens hold no state between runs.
    pool: 'threads',
    isolate: false,
    // Property tests and tests that start the command line take seconds on a busy machine; a hang still ends.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', new ClosingLineReporter()],
  },
});
