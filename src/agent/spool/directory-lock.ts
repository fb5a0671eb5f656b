import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { UserError } from '../../model/errors.ts';

const LOCK_EXCLUSIVE = 2;
const LOCK_AT_ONCE = 4;

export interface DirectoryLock {
  /** False: this system has no such lock, and nothing keeps a second process away. */
  readonly held: boolean;
  release(): void;
}

/**
 * Takes a directory for this process alone: flock(2) on a file in it, which the kernel lets go when the process ends,
 * however it ends, and which holds between containers too.
 *
 * @throws UserError (spool-in-use) when another one has it
 */
export function lockDirectory(directory: string): DirectoryLock {
  const fd = openSync(path.join(directory, 'lock'), 'a', 0o600);
  const failure = flock(fd);
  if (failure === 'taken') {
    closeSync(fd);
    throw new UserError('spool-in-use', `another agent uses the spool ${directory}`, {
      hint: 'end it, or give this one a directory of its own with --spool',
    });
  }
  let released = false;
  return {
    held: failure === null,
    release: () => {
      if (released) return;
      released = true;
      closeSync(fd);
    },
  };
}

type Flock = (fd: number, operation: number) => number;
let call: { readonly flock: Flock; readonly takenErrno: number; errno(): number } | undefined;

function flock(fd: number): 'taken' | 'impossible' | null {
  try {
    call ??= bound();
    if (call.flock(fd, LOCK_EXCLUSIVE | LOCK_AT_ONCE) === 0) return null;
    return call.errno() === call.takenErrno ? 'taken' : 'impossible';
  } catch {
    return 'impossible';
  }
}

function bound() {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  return {
    flock: koffi.load(null).func('int flock(int fd, int operation)') as Flock,
    takenErrno: koffi.os.errno.EWOULDBLOCK ?? koffi.os.errno.EAGAIN,
    errno: () => koffi.errno(),
  };
}
