import type { Anomaly } from '../model/anomaly.ts';
import {
  type Connection,
  type Ending,
  type Exchange,
  type InterimResponse,
  NO_SIGHTINGS,
  type Outcome,
  type Pairing,
  QUIET_TCP,
  type TcpFacts,
} from '../model/exchange.ts';
import { readConnection, readEndpoint, writeConnection, writeEndpoint } from './packed-connection.ts';
import { readRequest, readResponse, writeRequest, writeResponse } from './packed-message.ts';
import { type PackedValues, ValueReader, ValueWriter } from './values.ts';

/** Exchanges, the connections that they are of, and which of these have ended with them. */
export interface PackedBatch {
  readonly exchanges: PackedValues & { readonly count: number };
  readonly connections: PackedValues & { readonly count: number };
  /** Places among the connections. */
  readonly ended: readonly number[];
}

/**
 * Exchanges in the order in which they ended, then connections that have ended with them. Exchanges of one connection have
 * one object for it.
 */
export interface ExchangeBatch {
  readonly exchanges: Exchange[];
  readonly connections: Connection[];
}

/** Gathers exchanges, and packs them when they are sent: what they have of their connection is as it is then. */
export class BatchWriter {
  #values = new ValueWriter();
  #exchanges = 0;
  #places = new Map<Connection, number>();
  #ended: number[] = [];

  exchange(exchange: Exchange): void {
    const to = this.#values;
    const { connection, client, server, request, response, tcp, anomalies, interim, sightings } = exchange;
    this.#exchanges += 1;
    to.put(exchange.id);
    to.put(this.#placeOf(connection));
    to.put(exchange.position);
    to.text(exchange.pairing);
    to.text(exchange.outcome);
    to.text(exchange.ending);
    writeEndpoint(to, client);
    writeEndpoint(to, server);
    to.put(request !== null);
    if (request !== null) writeRequest(to, request);
    to.put(response !== null);
    if (response !== null) writeResponse(to, response);
    to.put(isQuiet(tcp) ? null : tcp);
    to.put(anomalies.length === 0 ? null : anomalies);
    to.put(interim.length === 0 ? null : interim);
    to.put(sightings.length);
    for (const { at, requestNs, responseNs } of sightings) {
      to.put(connection.sightings.indexOf(at));
      to.put(requestNs);
      to.put(responseNs);
    }
  }

  connection(connection: Connection): void {
    this.#ended.push(this.#placeOf(connection));
  }

  /** What was gathered since the last call; null: nothing. */
  take(): PackedBatch | null {
    if (this.#places.size === 0) return null;
    const connections = new ValueWriter();
    for (const connection of this.#places.keys()) writeConnection(connections, connection);
    const batch = {
      exchanges: { ...plain(this.#values), count: this.#exchanges },
      connections: { ...plain(connections), count: this.#places.size },
      ended: this.#ended,
    };
    this.#values = new ValueWriter();
    this.#exchanges = 0;
    this.#places = new Map();
    this.#ended = [];
    return batch;
  }

  #placeOf(connection: Connection): number {
    const known = this.#places.get(connection);
    if (known !== undefined) return known;
    const place = this.#places.size;
    this.#places.set(connection, place);
    return place;
  }
}

const plain = ({ values, texts }: ValueWriter): PackedValues => ({ values, texts });

/** What a batch holds, in objects of its own. */
export function readBatch({ exchanges, connections, ended }: PackedBatch): ExchangeBatch {
  const fromConnections = new ValueReader(connections);
  const all = Array.from({ length: connections.count }, () => readConnection(fromConnections));
  const from = new ValueReader(exchanges);
  return {
    exchanges: Array.from({ length: exchanges.count }, () => readExchange(from, all)),
    connections: ended.map((place) => all[place]),
  };
}

function readExchange(from: ValueReader, connections: readonly Connection[]): Exchange {
  const id = from.next<number>();
  const connection = connections[from.next<number>()];
  // In the order of the values: fields of a literal are computed from the first to the last.
  return {
    id,
    connection,
    position: from.next<number>(),
    pairing: from.text<Pairing>(),
    outcome: from.text<Outcome>(),
    ending: from.textOrNull<Ending>(),
    client: readEndpoint(from),
    server: readEndpoint(from),
    request: from.next<boolean>() ? readRequest(from) : null,
    response: from.next<boolean>() ? readResponse(from) : null,
    tcp: from.next<TcpFacts | null>() ?? QUIET_TCP,
    anomalies: from.next<readonly Anomaly[] | null>() ?? [],
    interim: from.next<readonly InterimResponse[] | null>() ?? [],
    sightings: readSightings(from, connection),
  };
}

function readSightings(from: ValueReader, { sightings }: Connection): Exchange['sightings'] {
  const count = from.next<number>();
  if (count === 0) return NO_SIGHTINGS;
  return Array.from({ length: count }, () => ({
    at: sightings[from.next<number>()],
    requestNs: from.next<number | null>(),
    responseNs: from.next<number | null>(),
  }));
}

function isQuiet(tcp: TcpFacts): boolean {
  if (tcp === QUIET_TCP) return true;
  const { requestRetransmissions, responseRetransmissions, requestOutOfOrder, responseOutOfOrder } = tcp;
  const repeated = requestRetransmissions + responseRetransmissions + requestOutOfOrder + responseOutOfOrder;
  return repeated + tcp.clientZeroWindows + tcp.serverZeroWindows === 0;
}
