import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './test/closing-line-reporter.ts';
import { TEST_LIMIT_MS } from './test/test-limits.ts';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'fixtures/**/*.test.ts'],
    // Threads without isolation: five times as fast, and modules of Wirelens hold no state between runs.
    pool: 'threads',
    isolate: false,
    setupFiles: ['test/property-limit.ts'],
    testTimeout: TEST_LIMIT_MS,
    hookTimeout: TEST_LIMIT_MS,
    expect: { poll: { timeout: TEST_LIMIT_MS / 4 } },
    reporters: ['default', new ClosingLineReporter()],
  },
});
