import { closeSync, fsyncSync, linkSync, openSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { UserError } from '../model/errors.ts';

/** `out.sqlite`, then `out-2.sqlite`, `out-3.sqlite` … */
export function partPath(path: string, part: number): string {
  if (part === 1) return path;
  const extension = extname(path);
  return join(dirname(path), `${basename(path, extension)}-${part}${extension}`);
}

/** Where a file grows before it gets its name: beside it, so that renaming is atomic. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp-${process.pid}`);
}

/** Says what the system's error means for the user. */
export function fileError(path: string, error: unknown): UserError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const place = { file: path };
  const known: Record<string, [string, string, string]> = {
    ENOENT: ['directory-missing', 'the directory does not exist', `create it: mkdir -p ${dirname(path)}`],
    ENOTDIR: ['directory-missing', 'part of the path is not a directory', 'choose another path'],
    EACCES: ['not-writable', 'no permission to write in the directory', 'choose another path'],
    EPERM: ['not-writable', 'no permission to write in the directory', 'choose another path'],
    EROFS: ['not-writable', 'the file system is read-only', 'choose another path'],
    ENAMETOOLONG: ['not-writable', 'the file name is too long', 'choose a shorter one'],
    EISDIR: ['is-a-directory', 'this is a directory', 'name a file in it'],
    ENOSPC: ['disk-full', 'no space left on the disk', 'free some, or choose a path on another disk'],
    EDQUOT: ['disk-full', 'the disk quota is used up', 'free some, or choose a path on another disk'],
    EFBIG: ['disk-full', 'the file would be larger than the system allows', 'choose a path on another disk'],
    EEXIST: ['file-exists', 'the file exists and is not overwritten', 'use --force, or another name'],
  };
  const [name, message, hint] = known[code] ?? [
    'write-failed',
    `cannot write: ${error instanceof Error ? error.message : String(error)}`,
    'choose another path',
  ];
  return new UserError(name, message, { place, hint, cause: error });
}

function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Where the files of a run go. */
export interface StoreOutput {
  /** Makes the empty file that a part (from 1) is written to; returns its path. Throws UserError. */
  begin(part: number): string;
  /** The part is whole and durable. Throws UserError. */
  sealed(part: number): void;
  /** All parts are sealed: the names of the files, in order. Throws UserError. */
  publish(): string[];
  /** Takes away whatever has no name yet. May be called at any time, also twice. */
  remove(): void;
}

/**
 * The files of one run. All appear together at the end, each by a rename, or none does. Nothing that stood
 * under a name is overwritten without `force`: looked at in the beginning, and decided by link(2) at the end.
 */
export class OutputFiles implements StoreOutput {
  readonly #path: string;
  readonly #force: boolean;
  readonly #temporary: string[] = [];
  readonly #removeAtExit = (): void => this.remove();

  /** Throws UserError when the file exists, or nothing can be written beside it. */
  constructor(path: string, force: boolean) {
    this.#path = path;
    this.#force = force;
    if (exists(path) && statSync(path).isDirectory()) throw fileError(path, { code: 'EISDIR' });
    for (const one of [path, partPath(path, 2)]) {
      if (!force && exists(one)) throw fileError(one, { code: 'EEXIST' });
    }
    this.begin(1);
    process.on('exit', this.#removeAtExit);
  }

  begin(part: number): string {
    const path = partPath(this.#path, part);
    const temporary = temporaryPath(path);
    if (this.#temporary.includes(temporary)) return temporary;
    try {
      // Left by a process that had our number: it is gone, and its file is no one's.
      if (exists(temporary)) unlinkSync(temporary);
      closeSync(openSync(temporary, 'wx'));
    } catch (error) {
      throw fileError(path, error);
    }
    this.#temporary.push(temporary);
    return temporary;
  }

  /** They get their names together, at the end. */
  sealed(): void {}

  /** Gives the parts their names; when that fails none is left. */
  publish(): string[] {
    const published: string[] = [];
    try {
      this.#temporary.forEach((temporary, index) => {
        const path = partPath(this.#path, index + 1);
        giveName(temporary, path, this.#force);
        published.push(path);
      });
      syncDirectory(dirname(this.#path));
    } catch (error) {
      if (!this.#force) for (const path of published) unlinkQuietly(path);
      this.remove();
      throw error;
    }
    this.#temporary.length = 0;
    this.remove();
    return published;
  }

  remove(): void {
    process.off('exit', this.#removeAtExit);
    for (const temporary of this.#temporary) unlinkQuietly(temporary);
    this.#temporary.length = 0;
  }
}

/** Gives a finished file its name. Without `force` nothing is overwritten. Throws UserError. */
export function giveName(temporary: string, path: string, force: boolean): void {
  try {
    if (force) {
      renameSync(temporary, path);
      return;
    }
    try {
      linkSync(temporary, path);
      unlinkSync(temporary);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') throw error;
      // A file system without hard links: take the name first, then put the file there.
      closeSync(openSync(path, 'wx'));
      renameSync(temporary, path);
    }
  } catch (error) {
    throw fileError(path, error);
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, or the directory is: nothing of ours is left either way.
  }
}

/** So that the new name survives a power cut. Some systems cannot; then the file is still whole. */
function syncDirectory(path: string): void {
  try {
    const directory = openSync(path, 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  } catch {
    // Windows and some network file systems refuse to sync a directory.
  }
}
