import { UserError } from '../../../model/errors.ts';
import type { RecordingOutput } from './recording-output.ts';

/** A recording on standard output, for `| wireshark -k -i -`. A reader that leaves ends it without a word. */
export class StandardOutput implements RecordingOutput {
  readonly #stream: NodeJS.WritableStream;
  readonly #onFailure: (error: UserError | null) => void;
  #failure: UserError | null = null;
  #gone = false;
  #backlogBytes = 0;
  #waiting: { resolve: () => void; bytes: number }[] = [];

  /** `onFailure(null)`: the reader has left. */
  constructor(stream: NodeJS.WritableStream, onFailure: (error: UserError | null) => void) {
    this.#stream = stream;
    this.#onFailure = onFailure;
    stream.on('error', (error: NodeJS.ErrnoException) => this.#end(error));
  }

  get failure(): UserError | null {
    return this.#failure;
  }

  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  begin(): void {}

  write(bytes: Uint8Array): void {
    if (this.#gone) return;
    this.#backlogBytes += bytes.length;
    this.#stream.write(bytes, () => {
      this.#backlogBytes -= bytes.length;
      this.#settle();
    });
  }

  below(bytes: number): Promise<void> | null {
    if (this.#gone || this.#backlogBytes <= bytes) return null;
    return new Promise((resolve) => this.#waiting.push({ resolve, bytes }));
  }

  async finish(): Promise<void> {
    await this.below(0);
  }

  #end(error: NodeJS.ErrnoException): void {
    if (this.#gone) return;
    this.#gone = true;
    if (error.code !== 'EPIPE')
      this.#failure = new UserError('stdout', `cannot write to standard output: ${error.message}`);
    this.#settle();
    this.#onFailure(this.#failure);
  }

  #settle(): void {
    this.#waiting = this.#waiting.filter(({ resolve, bytes }) => {
      if (!this.#gone && this.#backlogBytes > bytes) return true;
      resolve();
      return false;
    });
  }
}
