import type { FollowedFile } from './file.ts';
import type { FollowSet } from './set.ts';

/**
 * Of the files of one target that are there at the beginning, only the newest capture is read: the one whose first
 * packet is the latest. Files without a packet yet are newer still. Compressed files are of the past, unless there
 * is nothing else; then the one written last is read. Gives the number of files that are left out; when one of them
 * grows later, it is read after all.
 */
export function leaveOutOlder(files: readonly FollowedFile[], set: FollowSet): number {
  const captures = files.filter(({ state }) => state === 'waiting');
  const packed = files.filter((file) => file.packed && file.state === 'new');
  const newest = captures.length > 0 ? latest(captures, began) : latest(packed, written);
  let count = 0;
  for (const file of [...captures, ...packed]) {
    if (file === newest) continue;
    file.state = 'left-out';
    if (file.firstNs !== null) set.remember(file);
    void file.close();
    count++;
  }
  return count;
}

function began({ firstNs }: FollowedFile): bigint {
  return firstNs ?? 0n;
}

function written({ facts }: FollowedFile): bigint {
  return BigInt(facts.stamp);
}

function latest(files: readonly FollowedFile[], when: (file: FollowedFile) => bigint): FollowedFile | null {
  let found: FollowedFile | null = null;
  for (const file of files) {
    if (found === null || when(file) > when(found)) found = file;
    else if (when(file) === when(found) && named(found, file)) found = file;
  }
  return found;
}

/** True when the second name comes after the first. */
function named(one: FollowedFile, other: FollowedFile): boolean {
  return one.path.localeCompare(other.path, 'en', { numeric: true }) < 0;
}
