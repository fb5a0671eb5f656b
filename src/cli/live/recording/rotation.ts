import { EXIT, UserError } from '../../../model/errors.ts';
import { TimePattern } from './time-pattern.ts';

/** The words of -C, -G and -W. */
export interface RotationWords {
  /** -C: bytes after which a file is full. */
  readonly fileBytes?: number;
  /** -G: seconds that a file covers. */
  readonly seconds?: number;
  /** -W: files of a ring (with -C), or files after which the recording ends (with -G alone). */
  readonly count?: number;
}

/** When a file is full, and what its successor is called: exactly what tcpdump 4.99 does. */
export interface Rotation {
  readonly fileBytes: number | null;
  readonly seconds: number | null;
  readonly count: number | null;
  /** True: names come again, so that older files of this recording are overwritten. */
  readonly isRing: boolean;
  /** Recording ends after `count` files. */
  readonly ends: boolean;
  /** @param position of the file among those of the same time, from 0; see `next` */
  name(unixSeconds: number, position: number): string;
  /** The position after this one: a ring begins anew. */
  next(position: number): number;
  /** True for names of files that the recording may overwrite. */
  mayOverwrite(name: string): boolean;
}

const usage = (message: string, hint: string): UserError =>
  new UserError('usage', message, { hint, exitCode: EXIT.usage });

/** -W of tcpdump: digits of the largest number, that is of `count - 1`; none for a single file. */
function digitsOf(count: number | null): number {
  return count === null || count <= 1 ? 0 : String(count - 1).length;
}

/**
 * What -C, -G and -W ask for.
 *
 * @param path as given with -w; with -G a pattern of strftime(3)
 * @throws UserError (usage) when files would be overwritten that nobody meant to lose
 */
export function rotationOf(path: string, words: RotationWords): Rotation {
  const { fileBytes = null, seconds = null, count = null } = words;
  if (fileBytes === null && seconds === null && count !== null)
    throw usage('-W counts files, and nothing ends a file', 'add -C SIZE or -G SECONDS');
  const pattern = seconds === null ? null : checkedPattern(path, seconds);
  const digits = digitsOf(count);
  const numbered = fileBytes !== null;
  return {
    fileBytes,
    seconds,
    count,
    isRing: (numbered && count !== null) || (pattern?.recurs ?? false),
    ends: seconds !== null && !numbered && count !== null,
    name(unixSeconds, position) {
      const name = pattern === null ? path : pattern.at(unixSeconds);
      // The first file has no number, unless room for one was asked for.
      return position === 0 && (digits === 0 || !numbered)
        ? name
        : name + String(position).padStart(digits, '0');
    },
    next: (position) => (count !== null && position + 1 >= count ? 0 : position + 1),
    mayOverwrite(name) {
      if (pattern !== null) return pattern.recurs && pattern.mayGive(name);
      if (count === null || !name.startsWith(path)) return false;
      const number = name.slice(path.length);
      if (number === '') return digits === 0;
      return /^\d+$/.test(number) && number.length >= digits && Number(number) < count;
    },
  };
}

function checkedPattern(path: string, seconds: number): TimePattern {
  const pattern = new TimePattern(path);
  const { stepSeconds } = pattern;
  if (stepSeconds === null)
    throw usage(
      `-G begins a new file every ${seconds} s, and '${path}' names them all alike, so that each overwrites the one before`,
      "put the time into the name, as in -w 'trace-%Y%m%d-%H%M%S.pcapng'",
    );
  if (stepSeconds > seconds)
    throw usage(
      `-G begins a new file every ${seconds} s, and the names in '${path}' change only every ${stepSeconds} s, so that files overwrite each other`,
      'add %M for minutes and %S for seconds to the name',
    );
  return pattern;
}
