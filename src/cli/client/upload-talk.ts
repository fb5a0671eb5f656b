import { sanitise } from '../../report/terminal-text.ts';
import { formatDuration } from '../../report/units.ts';
import { RETRY_FOR_MS, type UploadFlags } from './upload-flags.ts';
import { UploadProgress } from './upload-progress.ts';

/** The same problem is told again after so long. */
const RETELL_MS = 30_000;

/** Lines for people on standard error, and the progress line that must not be in their way. */
export class Talk {
  readonly #flags: UploadFlags;
  readonly progress: UploadProgress;
  #problem = '';
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(flags: UploadFlags) {
    this.#flags = flags;
    this.progress = new UploadProgress(
      flags.progress && flags.quiet !== true && process.stderr.isTTY === true,
    );
  }

  say(...lines: readonly string[]): void {
    if (this.#flags.quiet === true) return;
    this.progress.clear();
    for (const line of lines) process.stderr.write(`${line}\n`);
  }

  retry(problem: string): void {
    const now = performance.now();
    if (problem === this.#problem && now - this.#toldMs < RETELL_MS) return;
    this.#problem = problem;
    this.#toldMs = now;
    const forNs = this.#flags.retryFor ?? RETRY_FOR_MS * 1e6;
    this.say(`wirelens: ${sanitise(problem)}; trying again for ${formatDuration(forNs)}`);
  }
}
