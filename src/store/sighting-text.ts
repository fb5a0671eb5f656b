import {
  type Connection,
  type Endpoint,
  type ExchangeSighting,
  NO_SIGHTINGS,
  type Sighting,
} from '../model/exchange.ts';
import { damagedStore } from './store-file.ts';
import { jsonList } from './stored-texts.ts';

/** Sightings as JSON in the columns of connections and exchanges, written and read back. */

/** JSON array of the connection's places; times in ns after its first packet. Empty text: there is only one place. */
export function placesText({ sightings, firstNs }: Connection): string {
  if (sightings.length === 0) return '';
  return JSON.stringify(
    sightings.map((one) => ({
      capture: one.capture,
      interface: one.interfaceNumber,
      interface_index: one.interfaceIndex,
      client: one.client.address,
      client_port: one.client.port,
      server: one.server.address,
      server_port: one.server.port,
      vlans: one.vlans,
      tunnels: one.tunnels,
      first_ns: one.firstNs - firstNs,
      packets: one.packets,
    })),
  );
}

/** JSON array of objects: position among the connection's places, and the times of the first bytes after `beganNs`. */
export function sightingsText(
  sightings: readonly ExchangeSighting[],
  places: readonly Sighting[],
  beganNs: number,
): string {
  const after = (ns: number | null): number | null => (ns === null ? null : ns - beganNs);
  return JSON.stringify(
    sightings.map(({ at, requestNs, responseNs }) => ({
      place: places.indexOf(at),
      request_ns: after(requestNs),
      response_ns: after(responseNs),
    })),
  );
}

export interface StoredPlace {
  readonly path: string;
  readonly firstNs: number;
  readonly capturesBefore: number;
  readonly interfacesBefore: number;
  readonly endpoint: (address: string, port: number, path: string) => Endpoint;
  readonly vlans: (list: unknown) => readonly number[];
  readonly tunnels: (list: unknown) => Sighting['tunnels'];
}

/** Throws UserError when there is no sense in `text`. */
export function placesOf(text: string | null, stored: StoredPlace): readonly Sighting[] {
  if (text === null) return NO_SIGHTINGS;
  const { path } = stored;
  return jsonList(path, text).map((one): Sighting => {
    const row = (typeof one === 'object' && one !== null ? one : {}) as Record<string, unknown>;
    const number = (name: string, low: number, high: number): number => {
      const value = row[name];
      if (Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high)
        return value as number;
      throw damagedStore(path, `a place of a connection has no sensible ${name}`);
    };
    const end = (name: string): Endpoint =>
      stored.endpoint(String(row[name]), number(`${name}_port`, 0, 65_535), path);
    return {
      capture: number('capture', 0, LARGEST) + stored.capturesBefore,
      interfaceNumber: number('interface', 0, LARGEST) + stored.interfacesBefore,
      interfaceIndex: row.interface_index === null ? null : number('interface_index', -LARGEST, LARGEST),
      client: end('client'),
      server: end('server'),
      vlans: stored.vlans(row.vlans),
      tunnels: stored.tunnels(row.tunnels),
      firstNs: stored.firstNs + number('first_ns', -LARGEST, LARGEST),
      packets: number('packets', 0, LARGEST),
    };
  });
}

const LARGEST = Number.MAX_SAFE_INTEGER;

/** Throws UserError when there is no sense in `text`. */
export function sightingsIn(
  text: string,
  places: readonly Sighting[],
  beganNs: number,
  path: string,
): readonly ExchangeSighting[] {
  return jsonList(path, text).map((one): ExchangeSighting => {
    const { place, request_ns: request, response_ns: response } = (one ?? {}) as Record<string, unknown>;
    const at = Number.isSafeInteger(place) ? places[place as number] : undefined;
    const isTime = (ns: unknown): boolean => ns === null || Number.isSafeInteger(ns);
    if (at === undefined || !isTime(request) || !isTime(response))
      throw damagedStore(path, 'a sighting of an exchange makes no sense');
    const time = (ns: unknown): number | null => (ns === null ? null : beganNs + (ns as number));
    return { at, requestNs: time(request), responseNs: time(response) };
  });
}
