import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { EXIT, UserError } from '../model/errors.ts';
import { fileError, temporaryPath } from '../store/output-file.ts';
import { StreamOutput } from './stream-output.ts';

/** Where a written capture goes: a file that appears as a whole at the end, or standard output. */
export interface CaptureOutput {
  /** Takes bytes, which belong to the output from now on. Throws UserError when the disk is full. */
  write(bytes: Uint8Array): void;
  /** Resolves when more can be taken; null: it can now. */
  drain(): Promise<void> | null;
  /** Everything is on the disk, and the file has its name. Throws UserError. */
  finish(): Promise<void>;
  /** Leaves nothing behind. May be called at any time, also after `finish`, when it does nothing. */
  abort(): void;
}

/**
 * Opens the file of `-w`; `-` is standard output. Nothing that stands under the name is overwritten without
 * `force`, and never one of the files in `inputs`.
 *
 * @param onReaderLeft called when the reader of standard output goes away: nothing more needs to be written
 * @throws UserError `is-input`, `file-exists`, `is-a-directory`, `directory-missing`, `not-writable`, `stdout-is-a-terminal`
 */
export function openCaptureOutput(
  path: string,
  options: { force: boolean; inputs: readonly string[]; onReaderLeft?: () => void },
): CaptureOutput {
  if (path === '-') return standardOutput(options.onReaderLeft);
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile() && !there.isDirectory()) return specialFile(path);
  const target = realPath(path);
  if (target !== null && options.inputs.some((input) => input !== '-' && realPath(input) === target)) {
    throw new UserError('is-input', 'this file is read, and cannot be written at the same time', {
      place: { file: path },
      hint: 'choose another name for -w',
      exitCode: EXIT.usage,
    });
  }
  return new CaptureFile(path, options.force);
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

function standardOutput(onReaderLeft?: () => void): CaptureOutput {
  if (process.stdout.isTTY === true) {
    throw new UserError('stdout-is-a-terminal', 'a capture is no text for a terminal', {
      hint: 'pipe it on, as in -w - | tshark -r -, or name a file',
      exitCode: EXIT.usage,
    });
  }
  const output = new StreamOutput(process.stdout, onReaderLeft);
  return {
    write: (bytes) => output.writeBytes(bytes),
    drain: () => output.drain(),
    finish: async () => {
      await output.flush();
      if (output.failure !== null)
        throw new UserError('stdout', `cannot write to standard output: ${output.failure.message}`);
    },
    abort: () => {},
  };
}

/** A device or a named pipe: written as it is, nothing to be renamed. */
function specialFile(path: string): CaptureOutput {
  let file: number | null;
  try {
    file = openSync(path, 'w');
  } catch (error) {
    throw fileError(path, error);
  }
  const close = (): void => {
    if (file !== null) closeSync(file);
    file = null;
  };
  return {
    write: (bytes) => {
      if (file !== null) writeAll(file, bytes, path);
    },
    drain: () => null,
    finish: async () => close(),
    abort: close,
  };
}

function writeAll(file: number, bytes: Uint8Array, path: string): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at);
  } catch (error) {
    throw fileError(path, error);
  }
}

class CaptureFile implements CaptureOutput {
  readonly #path: string;
  readonly #force: boolean;
  readonly #temporary: string;
  readonly #removeAtExit = (): void => this.abort();
  #file: number | null;

  constructor(path: string, force: boolean) {
    this.#path = path;
    this.#force = force;
    this.#temporary = temporaryPath(path);
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory() === true) throw fileError(path, { code: 'EISDIR' });
    if (there !== undefined && !force) throw fileError(path, { code: 'EEXIST' });
    try {
      // Left by a process that had our number: it is gone, and its file is no one's.
      if (statSync(this.#temporary, { throwIfNoEntry: false }) !== undefined) unlinkSync(this.#temporary);
      this.#file = openSync(this.#temporary, 'wx');
    } catch (error) {
      throw fileError(path, error);
    }
    process.on('exit', this.#removeAtExit);
  }

  write(bytes: Uint8Array): void {
    if (this.#file !== null) writeAll(this.#file, bytes, this.#path);
  }

  drain(): null {
    return null;
  }

  async finish(): Promise<void> {
    if (this.#file === null) return;
    try {
      fsyncSync(this.#file);
      closeSync(this.#file);
      this.#file = null;
      this.#name();
    } catch (error) {
      this.abort();
      throw error instanceof UserError ? error : fileError(this.#path, error);
    }
    process.off('exit', this.#removeAtExit);
  }

  abort(): void {
    process.off('exit', this.#removeAtExit);
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
    try {
      unlinkSync(this.#temporary);
    } catch {
      // It has its name already, or the directory is gone.
    }
  }

  #name(): void {
    if (this.#force) {
      renameSync(this.#temporary, this.#path);
      return;
    }
    try {
      // Fails when the name was taken in the meantime, as rename does not.
      linkSync(this.#temporary, this.#path);
      unlinkSync(this.#temporary);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
      // A file system without hard links: take the name first, then put the file there.
      closeSync(openSync(this.#path, 'wx'));
      renameSync(this.#temporary, this.#path);
    }
  }
}
