import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, type Stats, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../../model/errors.ts';

/** Raised whenever the same input would make other batches: then an upload is not taken for the one of before. */
const BATCHES_VERSION = 1;
/** Hexadecimal digits of a stream's name. */
const STREAM_DIGITS = 40;

/** One input, read once. */
export interface InputFile {
  /** As named on the command line. */
  readonly named: string;
  /** Where its bytes are: a copy for what can be read only once. */
  readonly path: string;
  readonly bytes: number;
  /** Of its content, hexadecimal. */
  readonly sha256: string;
}

/** What decides which exchanges come out of the inputs, beside their content. */
export interface UploadChoices {
  readonly version: string;
  readonly batchRows: number;
  readonly batchBytes: number;
  /** Only when it was given: a name from the host changes from one try of a job to the next. */
  readonly agent: string | null;
  /** Options by name. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Inputs with their hashes; knows which have changed since. */
export class UploadInputs {
  readonly files: readonly InputFile[];
  readonly #stats: readonly Stats[];
  readonly #folder: string | null;

  private constructor(files: readonly InputFile[], stats: readonly Stats[], folder: string | null) {
    this.files = files;
    this.#stats = stats;
    this.#folder = folder;
  }

  /**
   * Reads all inputs once. What is no file (`-`, a pipe) is copied into a folder for temporary files, because it is
   * needed twice; `close` removes it.
   *
   * @throws UserError when one cannot be read
   */
  static async read(
    paths: readonly string[],
    onBytes: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<UploadInputs> {
    let folder: string | null = null;
    const files: InputFile[] = [];
    const stats: Stats[] = [];
    try {
      for (const named of paths) {
        let copy: string | null = null;
        if (!isPlainFile(named)) {
          folder ??= mkdtempSync(path.join(tmpdir(), 'wirelens-upload-'));
          copy = path.join(folder, String(files.length));
        }
        const place = copy ?? named;
        if (copy === null) stats.push(statSync(named));
        const { bytes, sha256 } = await digest(named, copy, onBytes, signal);
        if (copy !== null) stats.push(statSync(copy));
        files.push({ named, path: place, bytes, sha256 });
      }
      return new UploadInputs(files, stats, folder);
    } catch (error) {
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** The stream of batches that this makes: the same for the same content in the same order with the same choices. */
  stream(choices: UploadChoices): string {
    const facts = {
      batches: BATCHES_VERSION,
      ...choices,
      files: this.files.map(({ bytes, sha256 }) => ({ bytes, sha256 })),
    };
    return `upload-${createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, STREAM_DIGITS)}`;
  }

  /** Names of the files that are no longer as they were when they were read. */
  changed(): readonly string[] {
    return this.files
      .filter(({ path: place }, index) => {
        const before = this.#stats[index];
        const now = statSync(place, { throwIfNoEntry: false });
        return (
          now === undefined ||
          before === undefined ||
          now.size !== before.size ||
          now.mtimeMs !== before.mtimeMs ||
          now.ino !== before.ino
        );
      })
      .map(({ named }) => named);
  }

  close(): void {
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
  }
}

function isPlainFile(name: string): boolean {
  if (name === '-') return false;
  const stat = statSync(name, { throwIfNoEntry: false });
  if (stat === undefined) throw unreadable(name, 'there is no such file');
  if (stat.isDirectory()) throw unreadable(name, 'it is a directory', 'name the captures in it');
  return stat.isFile();
}

/** Hashes what is named, and copies it where a copy is wanted. */
async function digest(
  named: string,
  copy: string | null,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      onBytes(chunk.byteLength);
      done(null, chunk);
    },
  });
  const input = named === '-' ? process.stdin : createReadStream(named, { highWaterMark: 1024 * 1024 });
  try {
    if (copy === null) await pipeline(input, counting, discard, { signal });
    else await pipeline(input, counting, createWriteStream(copy, { mode: 0o600 }), { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    const where = copy === null ? 'cannot be read' : 'cannot be copied to a temporary file';
    throw unreadable(named, `it ${where}: ${(error as Error).message}`);
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function discard(chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) void chunk;
}

function unreadable(file: string, message: string, hint?: string): UserError {
  return new UserError('unreadable', message, { place: { file }, ...(hint === undefined ? {} : { hint }) });
}
