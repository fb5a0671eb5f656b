import { closeSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../model/errors.ts';

/**
 * One owner of a data directory. DuckDB itself keeps other processes from the file, but not another thread of this
 * one: that would lose rows without a word. And it says so only after the file was opened.
 */

interface Owner {
  readonly pid: number;
  /** When that process began, in clock ticks since the boot, and which boot; null: the system does not say. */
  readonly began: string | null;
}

/** Directories that this process owns. */
const OWNED = new Set<string>();

export interface DirectoryLock {
  release(): void;
}

/** Throws UserError `store-in-use` when another store, in this process or in another one, owns the directory. */
export function lockDirectory(directory: string): DirectoryLock {
  const file = path.join(directory, 'exchanges.lock');
  const key = ownKey(directory);
  if (OWNED.has(key)) throw inUse(directory, process.pid);
  const mine = JSON.stringify({ pid: process.pid, began: beganOf(process.pid) } satisfies Owner);
  const draft = `${file}.${process.pid}`;
  const handle = openSync(draft, 'w');
  writeSync(handle, mine);
  closeSync(handle);
  try {
    for (let attempt = 0; ; attempt += 1) {
      try {
        // A link fails when the name is taken, and what it names is whole: a lock file is never seen half written.
        linkSync(draft, file);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === 3) throw error;
      }
      const owner = ownerOf(file);
      if (owner !== null && isAlive(owner)) throw inUse(directory, owner.pid);
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(draft, { force: true });
  }
  OWNED.add(key);
  return {
    release() {
      if (!OWNED.delete(key)) return;
      if (ownerOf(file)?.pid === process.pid) rmSync(file, { force: true });
    },
  };
}

function ownKey(directory: string): string {
  const { dev, ino } = statSync(directory);
  return `${dev}:${ino}`;
}

function ownerOf(file: string): Owner | null {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Partial<Owner>;
    if (!Number.isSafeInteger(owner.pid)) return null;
    return { pid: owner.pid as number, began: typeof owner.began === 'string' ? owner.began : null };
  } catch {
    return null;
  }
}

/** The same process as then: in containers numbers of processes come again with every start. */
function isAlive({ pid, began }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = beganOf(pid);
  // This process does not own it, or it would have been found above.
  if (pid === process.pid && (began === null || began !== now)) return false;
  return began === null || now === null || began === now;
}

/** Field 22 of /proc/PID/stat (proc(5)), behind the name, which may hold anything. */
function beganOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return null;
  }
}

function inUse(directory: string, pid: number): UserError {
  return new UserError('store-in-use', `process ${pid} uses this data directory already`, {
    place: { file: directory },
    hint: 'stop it, or give this server a directory of its own',
  });
}
