import { type FileHandle, open, readFile, rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import { bodyIsWhole, HEADER_BYTES, type RecordHeader, readHeader, recordHeader } from './record.ts';
import { type RecordPlace, scanSegment } from './segment-scan.ts';

const NAME = /^(\d{16})\.segment$/;

/** Number of the first batch of a segment by the name of its file; null: no segment. */
export function firstNumberOf(name: string): number | null {
  const match = NAME.exec(name);
  return match === null ? null : Number(match[1]);
}

/** A batch as it waits for the disk. */
export interface SealedBatch {
  readonly rows: number;
  /** As it is sent. Belongs to the spool from here on. */
  readonly body: Buffer;
}

/** One file of a spool. Written at its end only, removed as a whole. */
export class Segment {
  readonly path: string;
  /** One past the last whole record. */
  bytes = 0;
  /** Of its last record; at the beginning one below its first. */
  lastNumber: number;
  /** Exchanges in all records up to its end, also those that cannot be read. */
  endRows: number;
  /** Whole records that were not passed. */
  waiting = 0;
  /** Bytes up to the end of the last record that was passed. */
  passedBytes = 0;
  /** Its whole records that have not been passed; null: not looked at since they were counted. */
  #records: RecordPlace[] | null = [];
  #reader: FileHandle | null = null;
  #writer: FileHandle | null = null;

  private constructor(file: string, firstNumber: number, rowsBefore: number) {
    this.path = file;
    this.lastNumber = firstNumber - 1;
    this.endRows = rowsBefore;
  }

  /** A new one, open for writing. */
  static async create(directory: string, firstNumber: number, rowsBefore: number): Promise<Segment> {
    const file = path.join(directory, `${String(firstNumber).padStart(16, '0')}.segment`);
    const segment = new Segment(file, firstNumber, rowsBefore);
    segment.#writer = await open(file, 'w', 0o600);
    return segment;
  }

  /**
   * One that an earlier process left behind: whole records are found, and what follows the last one is cut off.
   * `done`: records up to this number do not wait.
   *
   * @returns the segment, its records, and bytes that belong to no whole record
   */
  static async recover(
    directory: string,
    name: string,
    done: number,
  ): Promise<{ segment: Segment; records: readonly RecordPlace[]; damagedBytes: number }> {
    const segment = new Segment(path.join(directory, name), firstNumberOf(name) ?? 0, 0);
    const bytes = await readFile(segment.path);
    const { records, endBytes, damagedBytes, lastNumber, rowsToldOf } = scanSegment(bytes);
    if (endBytes < bytes.length) await truncate(segment.path, endBytes);
    segment.bytes = endBytes;
    segment.lastNumber = Math.max(segment.lastNumber, lastNumber);
    segment.endRows = rowsToldOf;
    segment.#records = null;
    for (const record of records) {
      if (record.number > done) segment.waiting += 1;
      else segment.passedBytes = record.bodyStart + record.bodyBytes;
    }
    return { segment, records, damagedBytes };
  }

  get isOpen(): boolean {
    return this.#writer !== null;
  }

  /**
   * Adds batches under the numbers that follow; they are durable when this resolves. When it rejects, none of them is
   * there, and the segment is closed for writing if that cannot be made sure.
   */
  async append(batches: readonly SealedBatch[], firstNumber: number): Promise<void> {
    const writer = this.#writer;
    if (writer === null) throw new Error(`${this.path} is closed`);
    const pieces: Buffer[] = [];
    const added: RecordPlace[] = [];
    let at = this.bytes;
    let rowsBefore = this.endRows;
    for (const [index, { body, rows }] of batches.entries()) {
      const facts = { number: firstNumber + index, rows, rowsBefore };
      const header = recordHeader(body, facts);
      pieces.push(header, body);
      added.push({ ...(readHeader(header, 0) as RecordHeader), bodyStart: at + HEADER_BYTES });
      at += HEADER_BYTES + body.length;
      rowsBefore += rows;
    }
    try {
      await writeAll(writer, Buffer.concat(pieces), this.bytes);
      await writer.datasync();
    } catch (error) {
      await this.#undo(writer);
      throw error;
    }
    this.bytes = at;
    this.endRows = rowsBefore;
    this.lastNumber = firstNumber + batches.length - 1;
    this.waiting += added.length;
    this.#records?.push(...added);
  }

  /** A record, the oldest that waits, is done with. */
  passed({ bodyStart, bodyBytes }: RecordPlace): void {
    this.waiting = Math.max(0, this.waiting - 1);
    this.passedBytes = bodyStart + bodyBytes;
  }

  /** The oldest whole records above a number, at most so many. */
  async after(number: number, most: number): Promise<readonly RecordPlace[]> {
    this.#records ??= [...scanSegment(await readFile(this.path)).records];
    const records = this.#records;
    let passed = 0;
    while (passed < records.length && records[passed].number <= number) passed += 1;
    if (passed > 0) records.splice(0, passed);
    return records.slice(0, most);
  }

  /** The body of a record; null: it is not what was written. */
  async read(record: RecordPlace): Promise<Buffer | null> {
    this.#reader ??= await open(this.path, 'r');
    const body = Buffer.alloc(record.bodyBytes);
    let at = 0;
    while (at < body.length) {
      const { bytesRead } = await this.#reader.read(body, at, body.length - at, record.bodyStart + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return at === body.length && bodyIsWhole(body, record) ? body : null;
  }

  /** No more is written to it. What is known of its records is forgotten, as it may wait for long. */
  async seal(): Promise<void> {
    await this.#writer?.close();
    this.#writer = null;
    this.#records = null;
  }

  async close(): Promise<void> {
    await this.#writer?.close();
    this.#writer = null;
    await this.#reader?.close();
    this.#reader = null;
  }

  async remove(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
  }

  async #undo(writer: FileHandle): Promise<void> {
    try {
      await writer.truncate(this.bytes);
    } catch {
      // What half stands there must not be followed by anything.
      this.#writer = null;
      await writer.close().catch(() => {});
    }
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, start: number): Promise<void> {
  for (let at = 0; at < bytes.length; )
    at += (await file.write(bytes, at, bytes.length - at, start + at)).bytesWritten;
}
