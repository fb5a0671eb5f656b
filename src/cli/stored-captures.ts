import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { UserError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { CaptureFacts } from '../model/packet.ts';
import { isStoreFile } from '../store/sqlite-magic.ts';
import type { ReadingFlags } from './reading.ts';

export type CapturesFound =
  | { readonly paths: readonly string[] }
  /** Why the captures cannot be read. */
  | { readonly missing: string };

/** True when the input is SQLite files. */
export function isStoreInput(paths: readonly string[]): boolean {
  return paths.some((path) => path !== '-' && isStoreFile(path));
}

const PACKET_OPTIONS = [
  'packets',
  'checksums',
  'keepHeader',
  'reveal',
  'packetFilter',
  'host',
  'net',
] as const satisfies readonly (keyof ReadingFlags)[];

/** The options without those about packets, which mean something only when the captures themselves are read. */
export function storeFlags<Flags extends ReadingFlags>(flags: Flags): Flags {
  const rest: Partial<Record<keyof ReadingFlags, unknown>> = { ...flags };
  for (const name of PACKET_OPTIONS) delete rest[name];
  return rest as Flags;
}

/**
 * Where the captures are that a SQLite file was made of: under the paths it names, as seen from here or from where
 * the file lies, or those in `given`, in the same order.
 */
export function findCaptures(
  store: string,
  captures: readonly CaptureFacts[],
  given: readonly string[],
): CapturesFound {
  if (given.length > 0) {
    return given.length === captures.length
      ? { paths: given }
      : { missing: `it was made of ${captures.length} captures, and --capture names ${given.length}` };
  }
  const paths: string[] = [];
  for (const { path } of captures) {
    if (path === '-') return { missing: 'it was made of standard input' };
    const found = [path, ...(isAbsolute(path) ? [] : [join(dirname(store), path)])].find(existsSync);
    if (found === undefined) return { missing: `its capture ${path} is not there` };
    paths.push(found);
  }
  return paths.length === 0 ? { missing: 'it names no capture' } : { paths };
}

/**
 * Throws UserError when the captures read are not those that the SQLite file was made of, by their packets and
 * the time of the first. `stored` and `read` count time from their own epochs.
 */
export function checkSame(
  stored: { captures: readonly CaptureFacts[]; epochSeconds: number | null },
  read: { captures: readonly CaptureFacts[]; epochSeconds: number | null },
): void {
  stored.captures.forEach((was, index) => {
    const is = read.captures[index];
    const sameStart =
      (was.firstNs ?? 0) + ((stored.epochSeconds ?? 0) - (read.epochSeconds ?? 0)) * 1e9 ===
      (is?.firstNs ?? 0);
    if (is?.packets === was.packets && sameStart) return;
    throw new UserError(
      'other-capture',
      'this is not the capture that the SQLite file was made of, or it has changed since',
      {
        place: { file: is?.path ?? was.path },
        hint: 'name the right one with --capture, or analyse it again',
      },
    );
  });
}

/** What tells an exchange in every analysis of the same captures, whatever the options: its first packets and position. */
export function placeOf({ position, request, response }: Exchange): string {
  const places = [request, response].map((one) => (one === null ? '' : `${one.capture}:${one.packet}`));
  return `${places.join(' ')} ${position}`;
}
