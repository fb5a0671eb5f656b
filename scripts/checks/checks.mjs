// The tally that integration checks share.

export class Checks {
  passed = 0;
  failed = 0;
  skipped = 0;

  /** One check; `problems` is a list of sentences, empty when all is well. */
  report(name, problems) {
    if (problems.length === 0) {
      this.passed++;
      console.log(`ok      ${name}`);
      return;
    }
    this.failed++;
    console.log(`FAILED  ${name}`);
    for (const problem of problems.slice(0, 12)) console.log(`        ${problem}`);
    if (problems.length > 12) console.log(`        … and ${problems.length - 12} more`);
  }

  skip(name, reason) {
    this.skipped++;
    console.log(`skipped ${name}: ${reason}`);
  }

  /** Prints the total and sets the exit code. */
  finish() {
    console.log(`${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`);
    process.exitCode = this.failed > 0 ? 1 : 0;
  }
}
