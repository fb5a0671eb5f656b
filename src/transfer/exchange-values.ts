import { EXCHANGE_COLUMNS } from '../export/exchange-columns.ts';
import type { Connection, Exchange, HeaderField } from '../model/exchange.ts';
import { interfaceName } from '../model/interface-name.ts';
import type { CaptureFacts } from '../model/packet.ts';
import { startNs } from '../model/phases.ts';
import type { BatchValue } from './batch-builder.ts';
import { BATCH_COLUMNS } from './batch-columns.ts';
import { wellFormed } from './well-formed.ts';

/** The value of one column of an exchange. `epochSeconds`: the run's epoch. */
export type ValueOf = (exchange: Exchange, epochSeconds: number) => BatchValue;

/**
 * How each column of BATCH_COLUMNS comes out of an exchange, in their order. `captures`: for the names of interfaces.
 * JSON texts of what many exchanges share are made once; so one result serves one run.
 */
export function exchangeValues(captures: readonly CaptureFacts[]): readonly ValueOf[] {
  const headers = new WeakMap<readonly HeaderField[], string>();
  const headersText = (fields: readonly HeaderField[] | undefined): string | null => {
    if (fields === undefined || fields.length === 0) return null;
    let text = headers.get(fields);
    if (text === undefined) {
      text = JSON.stringify(fields.map(({ name, value }) => [wellFormed(name), wellFormed(value)]));
      headers.set(fields, text);
    }
    return text;
  };
  const surroundings = new WeakMap<Connection, Surroundings>();
  const around = (connection: Connection): Surroundings => {
    let texts = surroundings.get(connection);
    if (texts === undefined) {
      texts = surroundingsOf(connection);
      surroundings.set(connection, texts);
    }
    return texts;
  };
  const own: Readonly<Record<string, ValueOf>> = {
    request_headers: ({ request }) => headersText(request?.headers),
    response_headers: ({ response }) => headersText(response?.headers),
    anomalies: ({ anomalies }) => (anomalies.length === 0 ? null : JSON.stringify(anomalies)),
    vlans: ({ connection }) => (connection.vlans.length === 0 ? null : around(connection).vlans),
    tunnels: ({ connection }) => (connection.tunnels.length === 0 ? null : around(connection).tunnels),
    sightings: (exchange) => sightingsText(exchange, captures),
  };
  const known = new Map<string, ValueOf>(EXCHANGE_COLUMNS.map(({ name, value }) => [name, value]));
  return BATCH_COLUMNS.map(({ name }) => {
    const value = own[name] ?? known.get(name);
    if (value === undefined) throw new Error(`an exchange has no ${name}`);
    return value;
  });
}

interface Surroundings {
  readonly vlans: string | null;
  readonly tunnels: string | null;
}

function surroundingsOf({ vlans, tunnels }: Connection): Surroundings {
  return {
    vlans: vlans.length === 0 ? null : JSON.stringify(vlans),
    tunnels: tunnels.length === 0 ? null : JSON.stringify(tunnels.map(({ kind, id }) => ({ kind, id }))),
  };
}

/** As in the JSON record. */
function sightingsText(exchange: Exchange, captures: readonly CaptureFacts[]): string | null {
  if (exchange.sightings.length === 0) return null;
  const beganNs = startNs(exchange);
  const after = (ns: number | null): number | null => (ns === null ? null : (ns - beganNs) / 1e6);
  return JSON.stringify(
    exchange.sightings.map(({ at, requestNs, responseNs }) => {
      const name = interfaceName(captures, at.interfaceNumber);
      return {
        capture: at.capture,
        interface: name === null ? null : wellFormed(name),
        interface_number: at.interfaceNumber,
        interface_index: at.interfaceIndex,
        client: at.client.text,
        server: at.server.text,
        tunnels: at.tunnels.map(({ kind, id }) => ({ kind, id })),
        vlans: at.vlans,
        request_ms: after(requestNs),
        response_ms: after(responseNs),
      };
    }),
  );
}
