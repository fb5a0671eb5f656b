import { UserError } from '../model/errors.ts';
import type { TextOutput } from '../model/text-output.ts';

/** Characters gathered before they are handed to the system. */
const CHUNK_CHARACTERS = 128 * 1024;

/** Text to standard output in large chunks. A reader that leaves (EPIPE) ends it without a word. */
export class StreamOutput implements TextOutput {
  readonly #stream: NodeJS.WritableStream;
  readonly #onReaderLeft: () => void;
  #chunk = '';
  #gone = false;
  #failure: NodeJS.ErrnoException | null = null;
  #waiting: Promise<void> | null = null;
  #resume: (() => void) | null = null;

  constructor(stream: NodeJS.WritableStream, onReaderLeft: () => void = () => {}) {
    this.#stream = stream;
    this.#onReaderLeft = onReaderLeft;
    stream.on('error', (error: NodeJS.ErrnoException) => this.#end(error));
    stream.on('drain', () => this.#goOn());
  }

  /** What went wrong while writing, other than the reader leaving; null: nothing. */
  get failure(): NodeJS.ErrnoException | null {
    return this.#failure;
  }

  write(text: string): void {
    if (this.#gone) return;
    this.#chunk += text;
    if (this.#chunk.length >= CHUNK_CHARACTERS) this.#send();
  }

  writeBytes(bytes: Uint8Array): void {
    this.#send();
    if (!this.#gone) this.#hand(bytes);
  }

  drain(): Promise<void> | null {
    // Between two blocks everything goes out, so that a reader of a live capture sees it at once.
    this.#send();
    return this.#waiting;
  }

  /** Like `drain`, but keeps what is gathered until it makes a chunk. */
  full(): Promise<void> | null {
    return this.#waiting;
  }

  async flush(): Promise<void> {
    if (this.#gone) return;
    const chunk = this.#chunk;
    this.#chunk = '';
    await new Promise<void>((resolve) => {
      this.#stream.write(chunk, () => resolve());
    });
  }

  #send(): void {
    if (this.#gone || this.#chunk === '') return;
    const chunk = this.#chunk;
    this.#chunk = '';
    this.#hand(chunk);
  }

  #hand(chunk: string | Uint8Array): void {
    if (this.#stream.write(chunk)) return;
    this.#waiting ??= new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  #goOn(): void {
    this.#waiting = null;
    this.#resume?.();
    this.#resume = null;
  }

  #end(error: NodeJS.ErrnoException): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#chunk = '';
    if (error.code !== 'EPIPE') this.#failure = error;
    this.#goOn();
    this.#onReaderLeft();
  }
}

/** Waits until everything has gone out. Throws UserError when it could not be written, but not when the reader left. */
export async function finishOutput(output: StreamOutput): Promise<void> {
  await output.flush();
  if (output.failure !== null)
    throw new UserError('stdout', `cannot write to standard output: ${output.failure.message}`);
}

/**
 * Writes pieces to standard output as fast as its reader takes them; ends without a word when the reader leaves.
 * Throws as finishOutput does.
 */
export async function writePieces(pieces: Iterable<string>): Promise<void> {
  let gone = false;
  const output = new StreamOutput(process.stdout, () => {
    gone = true;
  });
  for (const piece of pieces) {
    output.write(piece);
    const full = output.full();
    if (full !== null) await full;
    if (gone) break;
  }
  await finishOutput(output);
}

/** Writes a whole text to standard output. Throws as finishOutput does. */
export async function writeAll(text: string): Promise<void> {
  const output = new StreamOutput(process.stdout);
  output.write(text);
  await finishOutput(output);
}
