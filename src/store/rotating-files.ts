import { closeSync, existsSync, fsync, open, openSync, readdirSync, unlinkSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { UserError } from '../model/errors.ts';
import { fileError, giveName, type StoreOutput, temporaryPath } from './output-file.ts';

/** `out.sqlite` and 14:30:00 UTC: `out-20261121T143000Z.sqlite`. Names sort by time. */
export function intervalPath(path: string, unixSeconds: number): string {
  const extension = extname(path);
  const time = new Date(unixSeconds * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
  return join(dirname(path), `${basename(path, extension)}-${time}${extension}`);
}

/**
 * Files that each get their name as soon as they are whole, by the time at which they begin. Nothing is ever
 * overwritten: where a name is taken, `_2` and so on comes after the time.
 */
export class RotatingFiles implements StoreOutput {
  readonly #path: string;
  readonly #startSeconds: (part: number) => number;
  readonly #temporary = new Map<number, { temporary: string; path: string }>();
  readonly #names: string[] = [];
  readonly #removeAtExit = (): void => this.remove();
  /** What processes that were killed left half-written; it was removed. */
  readonly leftovers: readonly string[];

  /**
   * @param startSeconds when a part begins, Unix seconds
   * @throws UserError when nothing can be written there
   */
  constructor(path: string, startSeconds: (part: number) => number) {
    this.#path = path;
    this.#startSeconds = startSeconds;
    const trial = temporaryPath(path);
    try {
      closeSync(openSync(trial, 'w'));
      unlinkSync(trial);
    } catch (error) {
      throw fileError(path, error);
    }
    this.leftovers = removeLeftovers(path);
    process.on('exit', this.#removeAtExit);
  }

  /** Paths of what has its name. */
  get names(): readonly string[] {
    return this.#names;
  }

  begin(part: number): string {
    const path = this.#freeName(intervalPath(this.#path, this.#startSeconds(part)));
    const temporary = temporaryPath(path);
    try {
      closeSync(openSync(temporary, 'w'));
    } catch (error) {
      throw fileError(path, error);
    }
    this.#temporary.set(part, { temporary, path });
    return temporary;
  }

  sealed(part: number): void {
    const file = this.#temporary.get(part);
    if (file === undefined) return;
    let { path } = file;
    for (;;) {
      try {
        giveName(file.temporary, path, false);
        break;
      } catch (error) {
        if (!(error instanceof UserError && error.code === 'file-exists')) throw error;
        // Taken while we were writing.
        path = this.#freeName(path);
      }
    }
    this.#temporary.delete(part);
    this.#names.push(path);
    syncDirectoryLater(dirname(path));
  }

  publish(): string[] {
    this.remove();
    return [...this.#names];
  }

  remove(): void {
    process.off('exit', this.#removeAtExit);
    for (const { temporary } of this.#temporary.values()) unlinkQuietly(temporary);
    this.#temporary.clear();
  }

  #freeName(wanted: string): string {
    const extension = extname(wanted);
    const stem = join(dirname(wanted), basename(wanted, extension)).replace(/Z_\d+$/, 'Z');
    const taken = new Set([...this.#temporary.values()].map(({ path }) => path));
    let path = `${stem}${extension}`;
    for (let number = 2; taken.has(path) || existsSync(path); number += 1)
      path = `${stem}_${number}${extension}`;
    return path;
  }
}

/** Files that were being written when their process was killed: complete ones have their name. */
function removeLeftovers(path: string): string[] {
  const extension = extname(path);
  const stem = basename(path, extension);
  const directory = dirname(path);
  const removed: string[] = [];
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(`.${stem}-`)) continue;
    const match = /^\d{8}T\d{6}Z(_\d+)?(.*)\.tmp-(\d+)$/.exec(name.slice(stem.length + 2));
    if (match === null || match[2] !== extension || isRunning(Number(match[3]))) continue;
    unlinkQuietly(join(directory, name));
    removed.push(join(directory, name));
  }
  return removed;
}

function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, or the directory is: nothing of ours is left either way.
  }
}

/** So that the new name survives a power cut; nobody waits for it. */
function syncDirectoryLater(path: string): void {
  open(path, 'r', (error, directory) => {
    if (error === null) fsync(directory, () => closeSync(directory));
  });
}
