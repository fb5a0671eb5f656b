import type {
  Connection,
  ConnectionEnd,
  ConnectionProtocol,
  DirectionTotals,
  Endpoint,
  Opening,
  Sighting,
  Tunnel,
} from '../model/exchange.ts';
import type { ValueReader, ValueWriter } from './values.ts';

/** Connections as values; see packed-message.ts. */

export function writeConnection(to: ValueWriter, connection: Connection): void {
  to.put(connection.id);
  writeEndpoint(to, connection.client);
  writeEndpoint(to, connection.server);
  to.text(connection.opening);
  to.put(connection.vlans);
  to.put(connection.tunnels);
  to.put(connection.capture);
  to.put(connection.interfaceNumber);
  to.put(connection.firstNs);
  to.put(connection.lastNs);
  to.put(connection.synNs);
  to.put(connection.synAckNs);
  to.put(connection.ackNs);
  to.put(connection.synRetransmissions);
  to.text(connection.end);
  writeTotals(to, connection.fromClient);
  writeTotals(to, connection.fromServer);
  to.put(connection.exchanges);
  to.text(connection.history);
  to.put(connection.sightings);
  to.put(connection.packetsElsewhere);
  to.text(connection.protocol);
}

export function readConnection(from: ValueReader): Connection {
  return {
    id: from.next<number>(),
    client: readEndpoint(from),
    server: readEndpoint(from),
    opening: from.text<Opening>(),
    vlans: from.next<readonly number[]>(),
    tunnels: from.next<readonly Tunnel[]>(),
    capture: from.next<number>(),
    interfaceNumber: from.next<number>(),
    firstNs: from.next<number>(),
    lastNs: from.next<number>(),
    synNs: from.next<number | null>(),
    synAckNs: from.next<number | null>(),
    ackNs: from.next<number | null>(),
    synRetransmissions: from.next<number>(),
    end: from.text<ConnectionEnd>(),
    fromClient: readTotals(from),
    fromServer: readTotals(from),
    exchanges: from.next<number>(),
    history: from.text(),
    sightings: from.next<readonly Sighting[]>(),
    packetsElsewhere: from.next<number>(),
    protocol: from.text<ConnectionProtocol>(),
  };
}

export function writeEndpoint(to: ValueWriter, { address, port, text }: Endpoint): void {
  to.text(address);
  to.put(port);
  to.text(text);
}

export function readEndpoint(from: ValueReader): Endpoint {
  return { address: from.text(), port: from.next<number>(), text: from.text() };
}

function writeTotals(to: ValueWriter, totals: DirectionTotals): void {
  to.put(totals.packets);
  to.put(totals.ipBytes);
  to.put(totals.payloadBytes);
  to.put(totals.retransmissions);
  to.put(totals.outOfOrder);
  to.put(totals.zeroWindows);
  to.put(totals.keepAlives);
  to.put(totals.gaps);
  to.put(totals.gapBytes);
}

function readTotals(from: ValueReader): DirectionTotals {
  return {
    packets: from.next<number>(),
    ipBytes: from.next<number>(),
    payloadBytes: from.next<number>(),
    retransmissions: from.next<number>(),
    outOfOrder: from.next<number>(),
    zeroWindows: from.next<number>(),
    keepAlives: from.next<number>(),
    gaps: from.next<number>(),
    gapBytes: from.next<number>(),
  };
}
