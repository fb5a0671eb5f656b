import type { Filter } from '../filter/filter.ts';
import { UserError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';
import { ExchangeFinder } from '../show/finder.ts';
import type { ExchangeIds } from './exchange-ids.ts';
import { type Reading, type ReadingFlags, readExchanges } from './reading.ts';
import { checkSame, findCaptures, isStoreInput, placeOf, storeFlags } from './stored-captures.ts';

/** Options of `wirelens show` as the command line gives them. */
export interface ShowFlags extends ReadingFlags {
  readonly body?: boolean;
  /** Bytes of each body, decoded. */
  readonly bodySize?: number;
  readonly packetList?: boolean;
  readonly curl?: boolean;
  readonly format: 'text' | 'json';
  readonly limit?: number;
  /** Captures of a SQLite file, where they are not under the paths that it names. */
  readonly capture?: readonly string[];
}

/** Exchanges shown unless --limit says otherwise. */
const SHOWN_EXCHANGES = 20;

/** What is to be shown, after the first reading. */
export interface Findings {
  readonly reading: Reading;
  readonly finder: ExchangeFinder;
  /** Where heads, bodies and packets are: the captures, and the same exchanges as analysed from there. */
  readonly located: ReadonlyMap<Exchange, Exchange>;
  readonly paths: readonly string[];
  /** Why there is no closer look; null: there is. */
  readonly withoutLook: string | null;
}

/**
 * Finds the exchanges, and where their packets are.
 *
 * @throws UserError when the input cannot be used, or has no such exchange
 */
export async function findExchanges(
  inputs: readonly string[],
  ids: ExchangeIds,
  flags: ShowFlags,
  version: string,
): Promise<Findings> {
  const first = await readFinder(inputs, ids, flags, version);
  const { reading, finder } = first;
  if (!ids.isEmpty && flags.where === undefined) ids.check(finder.lastId, inputs.join(', '));
  if (!isStoreInput(inputs)) {
    const isOnce = inputs.includes('-');
    const located = new Map(isOnce ? [] : finder.found.map(({ exchange }) => [exchange, exchange]));
    const withoutLook = isOnce
      ? 'Heads, bodies and packets need a second reading, which standard input does not allow: keep the capture in a file.'
      : null;
    return { reading, finder, located, paths: inputs, withoutLook };
  }
  return { reading, finder, ...(await locate(inputs, reading, finder, flags, version)) };
}

async function readFinder(
  inputs: readonly string[],
  ids: ExchangeIds,
  flags: ShowFlags,
  version: string,
): Promise<{ reading: Reading; finder: ExchangeFinder }> {
  let filter: Filter | null = null;
  if (flags.where !== undefined) {
    const { parseFilter } = await import('../filter/filter.ts');
    filter = parseFilter(flags.where);
  }
  let clock: RunClock = { epochSeconds: null };
  const finder = new ExchangeFinder(
    (exchange) =>
      (ids.isEmpty || ids.has(exchange.id)) && (filter === null || filter.matches(exchange, clock)),
    flags.limit ?? SHOWN_EXCHANGES,
  );
  // Neighbours are needed too, so that the filter is applied here and not while reading.
  const { where: _, ...all } = flags;
  const isStore = isStoreInput(inputs);
  const keepHeader = [...(flags.keepHeader ?? []), ...(filter?.headers ?? [])];
  const reading = await readExchanges(
    inputs,
    isStore ? storeFlags(all) : { ...all, keepHeader },
    version,
    (context) => {
      clock = context.clock;
      const missing = filter?.headers.find((name) => context.keptHeaders?.includes(name) === false);
      if (missing !== undefined) {
        throw new UserError('header-not-kept', `the header field ${missing} was not kept in this file`, {
          place: { file: inputs.join(', ') },
          hint: `analyse the capture again with --keep-header ${missing}`,
        });
      }
      return [finder];
    },
  );
  return { reading, finder };
}

/** Finds the exchanges of a SQLite file in the captures that it was made of. */
async function locate(
  stores: readonly string[],
  stored: Reading,
  finder: ExchangeFinder,
  flags: ShowFlags,
  version: string,
): Promise<Pick<Findings, 'located' | 'paths' | 'withoutLook'>> {
  const none = (why: string) => ({
    located: new Map<Exchange, Exchange>(),
    paths: [],
    withoutLook: `Heads, bodies and packets are not in the SQLite file, and ${why}. With the capture at hand: wirelens show ${stores.join(' ')} ${finder.found.map(({ exchange }) => exchange.id).join(',')} --capture FILE`,
  });
  const captures = findCaptures(stores[0], stored.captures, flags.capture ?? []);
  if ('missing' in captures) return none(captures.missing);
  const wanted = new Map(finder.found.map(({ exchange }) => [placeOf(exchange), exchange]));
  const located = new Map<Exchange, Exchange>();
  const { where: _, ...all } = flags;
  const reading = await readExchanges(captures.paths, all, version, () => [
    {
      exchange: (exchange) => {
        const same = wanted.get(placeOf(exchange));
        if (same !== undefined) located.set(same, exchange);
      },
      connection: () => {},
      drain: () => null,
      finish: async () => {},
      abort: async () => {},
    },
  ]);
  try {
    checkSame(
      { captures: stored.captures, epochSeconds: stored.clock.epochSeconds },
      { captures: reading.captures, epochSeconds: reading.clock.epochSeconds },
    );
  } catch (error) {
    if (!(error instanceof UserError) || flags.capture !== undefined) throw error;
    return none(`${captures.paths.join(', ')} has changed since it was made`);
  }
  return { located, paths: captures.paths, withoutLook: null };
}
