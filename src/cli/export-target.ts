import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ZeekLogName } from '../export/zeek/zeek-sink.ts';
import { UserError } from '../model/errors.ts';
import type { TextOutput } from '../model/text-output.ts';
import { sanitise } from '../report/terminal-text.ts';
import { counted, formatBytes } from '../report/units.ts';
import { fileError } from '../store/output-file.ts';
import type { ExportFlags } from './commands/export.ts';
import { StreamOutput } from './stream-output.ts';
import { TextFile } from './text-file.ts';

const ZEEK_LOGS: readonly ZeekLogName[] = ['http', 'conn'];

/** Where the data goes: standard output, a file, or the files of a directory. */
export class ExportTarget {
  readonly toFiles: boolean;
  readonly #flags: ExportFlags;
  readonly #inputs: readonly string[];
  readonly #files: TextFile[] = [];
  #stream: StreamOutput | null = null;
  #madeDirectory = false;

  constructor(flags: ExportFlags, inputs: readonly string[]) {
    this.#flags = flags;
    this.#inputs = inputs;
    this.toFiles = flags.write !== undefined && flags.write !== '-';
  }

  /** Called when the input was opened, so that a mistake in its name leaves no trace here. */
  open(stop: () => void): void {
    const { write, format, force } = this.#flags;
    if (write === undefined || write === '-') {
      this.#stream = new StreamOutput(process.stdout, stop);
      return;
    }
    const options = { force: force === true, inputs: this.#inputs };
    if (format !== 'zeek') {
      this.#files.push(new TextFile(write, options));
      return;
    }
    this.#makeDirectory(write);
    for (const log of ZEEK_LOGS) this.#files.push(new TextFile(join(write, `${log}.log`), options));
  }

  #makeDirectory(path: string): void {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory() === true) return;
    if (there !== undefined) {
      throw new UserError('not-a-directory', 'this is a file, and Zeek writes two logs', {
        place: { file: path },
        hint: 'name a directory with -w',
      });
    }
    try {
      mkdirSync(path);
      this.#madeDirectory = true;
    } catch (error) {
      throw fileError(path, error);
    }
  }

  /** The one output of formats that are one document. */
  get single(): TextOutput {
    return (this.#stream ?? this.#files[0]) as TextOutput;
  }

  /** The output of each of Zeek's logs; on standard output there is room for one. */
  zeekOutputs(): Partial<Record<ZeekLogName, TextOutput>> {
    if (this.#stream !== null) return { [this.#flags.zeekLog ?? 'http']: this.#stream };
    return Object.fromEntries(ZEEK_LOGS.map((log, index) => [log, this.#files[index]]));
  }

  async publish(): Promise<void> {
    const failure = this.#stream?.failure ?? null;
    if (failure !== null)
      throw new UserError('stdout', `cannot write to standard output: ${failure.message}`);
    for (const file of this.#files) await file.publish();
  }

  discard(): void {
    for (const file of this.#files) file.discard();
    if (!this.#madeDirectory || this.#flags.write === undefined) return;
    try {
      rmdirSync(this.#flags.write);
    } catch {
      // Someone has put something into it.
    }
  }

  /** What was written, for standard error. */
  written({ exchanges, connections }: { exchanges: number; connections: number }): string[] {
    return this.#files.map(({ path, bytes }, index) => {
      const rows =
        this.#flags.format === 'zeek' && ZEEK_LOGS[index] === 'conn'
          ? counted(connections, 'connection')
          : counted(exchanges, 'exchange');
      return `wrote ${sanitise(path)}: ${rows}, ${formatBytes(bytes)}`;
    });
  }
}
