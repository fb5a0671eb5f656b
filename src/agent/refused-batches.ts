import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { SpooledBatch } from './spool/spool-facts.ts';

/** Kept at most; the oldest goes. */
const MOST_FILES = 8;
const MOST_BYTES = 1024 * 1024;

/** Batches that a server will never take, put aside so that somebody can see why. Keeping them is best effort. */
export class RefusedBatches {
  readonly #directory: string;

  /** `directory`: of the spool; they lie in `refused` in it. */
  constructor(directory: string) {
    this.#directory = path.join(directory, 'refused');
  }

  /** The file in which the batch lies, a gzip'd body as it was sent; null: it was not kept. */
  async keep({ number, body }: SpooledBatch): Promise<string | null> {
    if (body.length > MOST_BYTES) return null;
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      const file = path.join(this.#directory, `${String(number).padStart(16, '0')}.json.gz`);
      await writeFile(file, body, { mode: 0o600 });
      const names = (await readdir(this.#directory)).sort();
      for (const name of names.slice(0, Math.max(0, names.length - MOST_FILES)))
        await rm(path.join(this.#directory, name), { force: true });
      return file;
    } catch {
      return null;
    }
  }
}
