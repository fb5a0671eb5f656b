import { close, fsync, open, write } from 'node:fs';
import { promisify } from 'node:util';
import type { UserError } from '../../../model/errors.ts';
import { fileError } from '../../../store/output-file.ts';
import type { RecordingOutput } from './recording-output.ts';

const openFile = promisify(open);
const writeFile = promisify(write);
const syncFile = promisify(fsync);
const closeFile = promisify(close);

interface OpenFile {
  readonly path: string;
  /** File descriptor. */
  readonly number: number;
}

/** Files that are written one after the other, in the background. After the first failure nothing more is written. */
export class OrderedFiles implements RecordingOutput {
  #tail: Promise<void> = Promise.resolve();
  /** Files that are being made durable while the next ones are written. */
  readonly #closing = new Set<Promise<void>>();
  #file: OpenFile | null = null;
  #failure: UserError | null = null;
  #backlogBytes = 0;
  #waiting: { resolve: () => void; bytes: number }[] = [];
  readonly #onFailure: (error: UserError) => void;

  constructor(onFailure: (error: UserError) => void) {
    this.#onFailure = onFailure;
  }

  get failure(): UserError | null {
    return this.#failure;
  }

  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  begin(path: string, flags: 'w' | 'wx'): void {
    this.#tail = this.#tail.then(async () => {
      this.#end();
      if (this.#failure !== null) return;
      try {
        this.#file = { path, number: await openFile(path, flags) };
      } catch (error) {
        this.#fail(path, error);
      }
    });
  }

  write(bytes: Uint8Array): void {
    this.#backlogBytes += bytes.length;
    this.#add(async ({ number }) => {
      for (let at = 0; at < bytes.length; )
        at += (await writeFile(number, bytes, at, bytes.length - at)).bytesWritten;
    }, bytes.length);
  }

  below(bytes: number): Promise<void> | null {
    if (this.#backlogBytes <= bytes) return null;
    return new Promise((resolve) => this.#waiting.push({ resolve, bytes }));
  }

  async finish(): Promise<void> {
    await this.#tail;
    this.#end();
    await Promise.all(this.#closing);
  }

  /** Does something with the open file, after everything that was asked for before. */
  #add(task: (file: OpenFile) => Promise<void>, bytes: number): void {
    this.#tail = this.#tail.then(async () => {
      const file = this.#file;
      try {
        if (file !== null && this.#failure === null) await task(file);
      } catch (error) {
        this.#fail(file?.path ?? '', error);
      }
      this.#backlogBytes -= bytes;
      this.#settle();
    });
  }

  #end(): void {
    const file = this.#file;
    if (file === null) return;
    this.#file = null;
    const closing = syncFile(file.number)
      .catch((error: unknown) => {
        // Pipes and devices cannot be synced, and need not be.
        if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      })
      .finally(() => closeFile(file.number))
      .catch((error: unknown) => this.#fail(file.path, error))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #fail(path: string, error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = fileError(path, error);
    this.#onFailure(this.#failure);
  }

  #settle(): void {
    this.#waiting = this.#waiting.filter(({ resolve, bytes }) => {
      if (this.#backlogBytes > bytes) return true;
      resolve();
      return false;
    });
  }
}
