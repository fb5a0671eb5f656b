import { type Connection, type ExchangeSighting, NO_SIGHTINGS } from '../model/exchange.ts';
import type { ByteSightings } from '../model/stream.ts';

/** A message whose first byte may have been watched. */
interface Seen {
  readonly firstByteNs: number;
  readonly seen: ByteSightings | null;
  unwatch(): void;
}

/** Where an exchange was seen, by what was noted of the first bytes of its messages; no more is noted of them. */
export function sightingsOf(
  connection: Connection,
  request: Seen | null,
  response: Seen | null,
): readonly ExchangeSighting[] {
  const { sightings } = connection;
  if (sightings.length === 0) return NO_SIGHTINGS;
  request?.unwatch();
  response?.unwatch();
  const found: ExchangeSighting[] = [];
  for (let place = 0; place < sightings.length; place += 1) {
    const requestNs = timeAt(request, place);
    const responseNs = timeAt(response, place);
    if (requestNs !== null || responseNs !== null)
      found.push({ at: sightings[place], requestNs, responseNs });
  }
  return found;
}

function timeAt(message: Seen | null, place: number): number | null {
  if (message === null) return null;
  // The further places were found when the message had begun: until then there was one.
  if (message.seen === null) return place === 0 ? message.firstByteNs : null;
  const timeNs = message.seen.timesNs[place];
  return Number.isNaN(timeNs) ? null : timeNs;
}
