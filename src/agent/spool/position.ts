import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { syncDirectory } from './sync-directory.ts';

/** What a spool remembers beside its segments. Counts are of exchanges, over the whole life of the spool. */
export interface Position {
  /** All batches up to this number are done with: sent, or dropped and counted. */
  readonly done: number;
  /** Exchanges in them: sent + dropped + refused + damaged. */
  readonly doneRows: number;
  /** Exchanges ever written. */
  readonly writtenRows: number;
  /** Numbers up to this one may have been used; the next start begins above it. */
  readonly reserved: number;
  /** Stored by the server. */
  readonly sent: number;
  /** Dropped because the spool was full. */
  readonly dropped: number;
  /** Refused by the server for good. */
  readonly refused: number;
  /** Could not be read back. */
  readonly damaged: number;
  /** Never written: the disk was full, broken or too slow. */
  readonly unwritten: number;
}

export const NEW_POSITION: Position = {
  done: 0,
  doneRows: 0,
  writtenRows: 0,
  reserved: 0,
  sent: 0,
  dropped: 0,
  refused: 0,
  damaged: 0,
  unwritten: 0,
};

const NAME = 'position';
const KEYS = Object.keys(NEW_POSITION) as (keyof Position)[];
/** All positions take as many bytes, so that a full disk lets one be overwritten by another. */
const FILE_BYTES = 512;

export type ReadPosition =
  | { readonly state: 'known'; readonly position: Position }
  | { readonly state: 'missing' | 'damaged' };

/** Reads what was written last. */
export async function readPosition(directory: string): Promise<ReadPosition> {
  let text: string;
  try {
    text = await readFile(path.join(directory, NAME), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { state: 'missing' };
    throw error;
  }
  const match = /^([0-9a-f]{8}) (\{.*\}) *\n$/.exec(text);
  if (match === null || check(match[2]) !== match[1]) return { state: 'damaged' };
  const position = JSON.parse(match[2]) as Position;
  return KEYS.every((key) => Number.isSafeInteger(position[key]) && position[key] >= 0)
    ? { state: 'known', position }
    : { state: 'damaged' };
}

/**
 * Writes the position: a new file takes the place of the old one, so that there is always a whole one. On a full disk
 * it is written over the old one, which only a loss of power at that moment can tear.
 *
 * `durable`: it survives a loss of power when this resolves; otherwise a later one does, and batches are sent again.
 */
export async function writePosition(directory: string, position: Position, durable: boolean): Promise<void> {
  const text = JSON.stringify(Object.fromEntries(KEYS.map((key) => [key, position[key]])));
  const bytes = Buffer.from(`${`${check(text)} ${text}`.padEnd(FILE_BYTES - 1)}\n`);
  const target = path.join(directory, NAME);
  const aside = `${target}.new`;
  try {
    await writeWhole(await open(aside, 'w', 0o600), bytes);
    await rename(aside, target);
    if (durable) await syncDirectory(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    await rm(aside, { force: true }).catch(() => {});
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    await writeWhole(await open(target, 'r+'), bytes);
  }
}

async function writeWhole(file: FileHandle, bytes: Buffer): Promise<void> {
  try {
    let at = 0;
    while (at < bytes.length) at += (await file.write(bytes, at, bytes.length - at, at)).bytesWritten;
    await file.datasync();
  } finally {
    await file.close();
  }
}

const check = (text: string): string => crc32(text).toString(16).padStart(8, '0');
