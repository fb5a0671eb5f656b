import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import type { EventLog } from '../../metrics/event-log.ts';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { NEW_POSITION, type Position, readPosition, writePosition } from './position.ts';
import { firstNumberOf, Segment } from './segment.ts';
import { syncDirectory } from './sync-directory.ts';

/** Left out after a position was lost: more numbers than the end of a spool can have hidden. */
const NUMBERS_AFTER_LOSS = 1_000_000;
const STREAM = /^[A-Za-z0-9._-]{1,64}$/;

export interface OpenedDirectory {
  readonly lock: DirectoryLock;
  readonly stream: string;
  /** Those in which something waits, oldest first, all closed for writing. */
  readonly segments: Segment[];
  /** As it was found, or as it must have been. */
  readonly before: Position;
  readonly position: Position;
  readonly nextNumber: number;
}

/** Takes the directory of a spool, and finds what is in it. */
export async function openSpoolDirectory(directory: string, log: EventLog): Promise<OpenedDirectory> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(directory);
  try {
    if (!lock.held)
      log.warn(
        { spool: directory },
        'the spool cannot be locked here; a second agent on it would not be noticed',
      );
    return await opened(directory, lock, log);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function opened(directory: string, lock: DirectoryLock, log: EventLog): Promise<OpenedDirectory> {
  const found = await readPosition(directory);
  const names = (await readdir(directory)).filter((name) => firstNumberOf(name) !== null).sort();
  const isFresh = found.state === 'missing' && names.length === 0;
  const stream = await streamOf(directory, isFresh, log);
  const known = found.state === 'known' ? found.position : null;
  if (known === null && !isFresh)
    log.warn(
      { spool: directory },
      `the position of the spool is ${found.state}; what is in it is sent again`,
    );
  const segments: Segment[] = [];
  const finished: Segment[] = [];
  let lastNumber = known?.done ?? 0;
  let endRows = known?.writtenRows ?? 0;
  let firstRows: number | null = null;
  for (const name of names) {
    const { segment, records, damagedBytes } = await Segment.recover(directory, name, known?.done ?? 0);
    if (damagedBytes > 0)
      log.warn(
        { file: segment.path, bytes: damagedBytes },
        'a part of the spool is torn or damaged and was left out',
      );
    lastNumber = Math.max(lastNumber, segment.lastNumber);
    endRows = Math.max(endRows, segment.endRows);
    firstRows ??= records[0]?.rowsBefore ?? null;
    (segment.waiting > 0 ? segments : finished).push(segment);
  }
  const before = known ?? { ...NEW_POSITION, doneRows: firstRows ?? endRows };
  const margin = known === null && !isFresh ? NUMBERS_AFTER_LOSS : 0;
  const nextNumber = Math.max(known?.reserved ?? 0, lastNumber) + 1 + margin;
  const position = { ...before, writtenRows: Math.max(endRows, before.doneRows), reserved: nextNumber - 1 };
  // A position must be there before anything else is: it is written over when the disk is full.
  await writePosition(directory, position, true);
  for (const segment of finished) await segment.remove();
  return { lock, stream, segments, before, position, nextNumber };
}

/** The name of the stream, drawn at random the first time. */
async function streamOf(directory: string, isFresh: boolean, log: EventLog): Promise<string> {
  const file = path.join(directory, 'stream');
  try {
    const text = (await readFile(file, 'utf8')).trim();
    if (STREAM.test(text)) return text;
    log.warn({ file }, 'the name of the stream is damaged; another one is drawn');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    if (!isFresh) log.warn({ file }, 'the name of the stream is missing; another one is drawn');
  }
  const stream = randomBytes(16).toString('hex');
  const aside = `${file}.new`;
  const handle = await open(aside, 'w', 0o600);
  try {
    await handle.writeFile(`${stream}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(aside, file);
  await syncDirectory(directory);
  return stream;
}
