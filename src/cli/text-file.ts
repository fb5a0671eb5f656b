import type { TextOutput } from '../model/text-output.ts';
import { type CaptureOutput, openCaptureOutput } from './capture-output.ts';

/** Bytes gathered before they are written. */
const CHUNK_BYTES = 256 * 1024;

/** A file of text that appears as a whole when it is published, and not at all otherwise. */
export class TextFile implements TextOutput {
  readonly path: string;
  readonly #file: CaptureOutput;
  #pieces: (string | Uint8Array)[] = [];
  #gathered = 0;
  #failure: Error | null = null;
  /** Bytes written so far. */
  bytes = 0;

  /** Throws UserError when the file exists (unless `force`), is one of `inputs`, or cannot be made. */
  constructor(path: string, options: { force: boolean; inputs: readonly string[] }) {
    this.path = path;
    this.#file = openCaptureOutput(path, options);
  }

  write(text: string): void {
    this.#pieces.push(text);
    this.#gather(text.length);
  }

  writeBytes(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#gather(bytes.length);
  }

  /** Rejects when the disk is full or gone, so that the run ends. */
  drain(): Promise<void> | null {
    return this.#failure === null ? null : Promise.reject(this.#failure);
  }

  async flush(): Promise<void> {
    this.#send();
    if (this.#failure !== null) throw this.#failure;
  }

  /** Gives the file its name. Throws UserError. */
  async publish(): Promise<void> {
    await this.flush();
    await this.#file.finish();
  }

  /** Leaves nothing behind; nothing to do after `publish`. */
  discard(): void {
    this.#file.abort();
  }

  #gather(size: number): void {
    this.#gathered += size;
    if (this.#gathered >= CHUNK_BYTES) this.#send();
  }

  #send(): void {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#gathered = 0;
    if (pieces.length === 0 || this.#failure !== null) return;
    const chunk = Buffer.concat(pieces.map((one) => (typeof one === 'string' ? Buffer.from(one) : one)));
    try {
      this.#file.write(chunk);
      this.bytes += chunk.length;
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
    }
  }
}
