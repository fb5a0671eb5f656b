import { closeSync, openSync, readSync, statSync } from 'node:fs';

// A file of its own: every run asks this before anything of SQLite is loaded.

/** SQLite file format §1.2. */
const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');

/** True for a regular file that begins as SQLite files do. False for anything else, also when it is not there. */
export function isStoreFile(path: string): boolean {
  try {
    if (!statSync(path).isFile()) return false;
    const file = openSync(path, 'r');
    try {
      const start = Buffer.alloc(MAGIC.length);
      return readSync(file, start, 0, start.length, 0) === start.length && start.equals(MAGIC);
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
