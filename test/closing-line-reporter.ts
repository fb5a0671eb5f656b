import { writeSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Prints why tests were skipped and, as the very last line of the process, the plain total
 * `N passed, N failed, N skipped`, alone on its line and without colours.
 * A file that cannot be loaded and an error outside any test count as one failure each.
 */
export class ClosingLineReporter implements Reporter {
  #line = '';

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const total = { passed: 0, failed: errors.length, skipped: 0 };
    const skips: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed' || result.state === 'failed') total[result.state]++;
        else {
          total.skipped++;
          const note = result.state === 'skipped' ? result.note : undefined;
          skips.push(`skipped: ${module.relativeModuleId}: ${test.fullName}: ${note ?? 'no reason given'}`);
        }
      }
      total.failed += module.errors().length;
      for (const suite of module.children.allSuites()) total.failed += suite.errors().length;
    }
    const first = this.#line === '';
    const lines = [...skips, `${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`];
    this.#line = `${lines.join('\n')}\n`;
    // At exit, because other reporters print after this one.
    if (first) process.once('exit', () => writeSync(1, this.#line));
  }
}
