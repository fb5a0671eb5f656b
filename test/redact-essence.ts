import type { Exchange } from '../src/model/exchange.ts';

/** What a redacted copy must leave of an exchange as it was. */
export function essence(exchange: Exchange): Record<string, unknown> {
  const { connection, request, response } = exchange;
  const message = (one: Exchange['request'] | Exchange['response']): unknown =>
    one === null
      ? null
      : {
          version: one.version,
          times: [one.firstByteNs, one.lastByteNs],
          packet: one.packet,
          places: [one.startOffset, one.endOffset],
          sizes: [one.headerBytes, one.bodyBytes, one.lostBytes],
        };
  return {
    connection: connection.id,
    ends: [connection.opening, connection.end, connection.history, connection.protocol],
    times: [connection.firstNs, connection.lastNs, connection.synNs, connection.synAckNs, connection.ackNs],
    totals: [connection.fromClient, connection.fromServer],
    ports: [exchange.client.port, exchange.server.port],
    tunnels: connection.tunnels,
    vlans: connection.vlans,
    position: exchange.position,
    method: request?.method,
    status: response?.status,
    request: message(request),
    response: message(response),
    interim: exchange.interim,
    pairing: exchange.pairing,
    outcome: exchange.outcome,
    ending: exchange.ending,
    anomalies: [...exchange.anomalies].sort(),
    tcp: exchange.tcp,
  };
}
