import { StoreUnavailable } from '../exchange-store.ts';

/** What DuckDB's messages mean to us. It has no codes: these words were seen in tests with broken files and full disks. */

const DAMAGE =
  /corrupt|checksum|not a valid DuckDB database|invalid magic|Serialization Error|Failed to deserialize|INTERNAL Error|Failed to load metadata pointer|Could not read (?:enough|all) bytes|read out of bounds|Failure while replaying WAL/i;
const FULL =
  /no space left|ENOSPC|disk quota|failed to (?:write|resize|extend)|could not write (?:all )?(?:bytes|file)|could not fsync/i;
const MEMORY = /out of memory|failed to (?:allocate|pin)|max_temp_directory_size|offload data/i;
const INVALIDATED = /FATAL|database has been invalidated|Failed to commit/i;
const NEWER = /version number|newer version|storage version|serialization version/i;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The file, or its write-ahead log, does not say what DuckDB wrote. */
export function isDamage(error: unknown): boolean {
  const message = messageOf(error);
  return DAMAGE.test(message) && !FULL.test(message) && !NEWER.test(message);
}

export function isDiskFull(error: unknown): boolean {
  return FULL.test(messageOf(error));
}

export function isOutOfMemory(error: unknown): boolean {
  return MEMORY.test(messageOf(error)) && !FULL.test(messageOf(error));
}

export function isNewer(error: unknown): boolean {
  return NEWER.test(messageOf(error));
}

/** Nothing works until the file is opened anew. */
export function needsReopening(error: unknown): boolean {
  return INVALIDATED.test(messageOf(error)) || FULL.test(messageOf(error));
}

export function isInterrupt(error: unknown): boolean {
  return /INTERRUPT/i.test(messageOf(error));
}

export function diskFull(cause?: unknown): StoreUnavailable {
  return new StoreUnavailable(
    'disk-full',
    'the disk of the data directory is full; nothing of this was stored, and what was acknowledged is safe',
    true,
    cause === undefined ? undefined : { cause },
  );
}

export function closing(): StoreUnavailable {
  return new StoreUnavailable('closing', 'the store is being closed', true);
}

export function busy(what: string): StoreUnavailable {
  return new StoreUnavailable('busy', `too many ${what} wait already; try again later`, true);
}
