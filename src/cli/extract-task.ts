import type { Survey } from '../extract/plan.ts';
import type { Filter } from '../filter/filter.ts';
import { UserError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';
import { counted } from '../report/units.ts';
import type { ExchangeIds } from './exchange-ids.ts';
import { type Reading, type ReadingFlags, readExchanges } from './reading.ts';
import { checkSame, findCaptures, placeOf, storeFlags } from './stored-captures.ts';

/** Options of `wirelens extract` as the command line gives them. */
export interface ExtractFlags extends ReadingFlags {
  readonly write: string;
  readonly force?: boolean;
  readonly wholeConnections?: boolean;
  /** False: leave out what lies between two chosen exchanges of a connection. */
  readonly between: boolean;
  readonly handshakes?: boolean;
  /** Captures of a SQLite file, where they are not under the paths that it names. */
  readonly capture?: readonly string[];
}

/** What is extracted from, and which exchanges of it. */
export interface ExtractTask {
  readonly paths: readonly string[];
  readonly flags: ExtractFlags;
  readonly version: string;
  readonly keepHeaders: readonly string[];
  readonly isChosen: (exchange: Exchange, clock: RunClock) => boolean;
  /** Throws UserError when the captures did not give what was asked for. */
  readonly check: (survey: Survey, reading: Reading) => void;
}

/** The exchanges are chosen while the captures are read. */
export async function extractFromCaptures(
  paths: readonly string[],
  ids: ExchangeIds,
  flags: ExtractFlags,
  version: string,
): Promise<ExtractTask> {
  let filter: Filter | null = null;
  if (flags.where !== undefined) {
    const { parseFilter } = await import('../filter/filter.ts');
    filter = parseFilter(flags.where);
  }
  return {
    paths,
    flags,
    version,
    keepHeaders: [...(flags.keepHeader ?? []), ...(filter?.headers ?? [])],
    isChosen: (exchange, clock) => (filter === null ? ids.has(exchange.id) : filter.matches(exchange, clock)),
    check: (survey) => {
      ids.check(survey.lastId, paths.join(', '));
      if (survey.chosen === 0) throw noMatch(paths);
    },
  };
}

function noMatch(paths: readonly string[]): UserError {
  return new UserError('no-match', 'no exchange matches, so that there is nothing to write', {
    place: { file: paths.join(', ') },
  });
}

/** The exchanges are chosen in the SQLite file, their packets taken from the captures that it was made of. */
export async function extractFromStore(
  stores: readonly string[],
  ids: ExchangeIds,
  flags: ExtractFlags,
  version: string,
): Promise<ExtractTask> {
  const wanted = new Set<string>();
  let lastId = 0;
  const { read: _, ...rest } = flags;
  const stored = await readExchanges(stores, storeFlags(rest), version, () => [
    {
      exchange: (exchange) => {
        lastId = Math.max(lastId, exchange.id);
        if (ids.isEmpty || ids.has(exchange.id)) wanted.add(placeOf(exchange));
      },
      connection: () => {},
      drain: () => null,
      finish: async () => {},
      abort: async () => {},
    },
  ]);
  if (!ids.isEmpty) ids.check(lastId, stores.join(', '));
  if (wanted.size === 0) throw noMatch(stores);
  const found = findCaptures(stores[0], stored.captures, flags.capture ?? []);
  if ('missing' in found) {
    throw new UserError('capture-missing', `${found.missing}, and only captures hold packets`, {
      place: { file: stores[0] },
      hint: 'name the captures with --capture, in the order in which they were analysed',
    });
  }
  return {
    paths: found.paths,
    flags: rest,
    version,
    keepHeaders: flags.keepHeader ?? [],
    isChosen: (exchange) => wanted.has(placeOf(exchange)),
    check: (survey, reading) => {
      checkSame(
        { captures: stored.captures, epochSeconds: stored.clock.epochSeconds },
        { captures: reading.captures, epochSeconds: reading.clock.epochSeconds },
      );
      if (survey.chosen >= wanted.size) return;
      throw new UserError(
        'other-exchanges',
        `the captures give only ${survey.chosen} of the ${counted(wanted.size, 'exchange')}`,
        { place: { file: stores[0] }, hint: 'it was made with other options; give them here too' },
      );
    },
  };
}
