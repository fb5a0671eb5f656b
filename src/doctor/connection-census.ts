import type {
  Connection,
  ConnectionProtocol,
  DirectionTotals,
  Exchange,
  TunnelKind,
} from '../model/exchange.ts';
import type { ExchangeSink, RunRecord } from '../model/sink.ts';

/** Servers of HTTP kept for the capture filter, by packets; further ones are left to `tcp`. */
const SERVERS = 10_000;

export interface ProtocolCensus {
  connections: number;
  payloadBytes: number;
}

/** Counts what the connections of a run show, from a capture or from a SQLite file. */
export class ConnectionCensus implements ExchangeSink {
  connections = 0;
  /** Connections that carried payload: what the shares below are of. */
  withPayload = 0;
  /** Of those: opening not captured, packets of one direction only, bytes missing. */
  midStream = 0;
  oneSided = 0;
  /** One-sided ones of which only the client's packets are there. */
  clientOnly = 0;
  withGaps = 0;
  /** Bytes missing of connections with packets of both directions. */
  gapBytes = 0;
  /** SYNs without any answer, also a refusal. */
  unansweredOpenings = 0;
  retransmissions = 0;
  packets = 0;
  readonly protocols = new Map<ConnectionProtocol, ProtocolCensus>();
  readonly tunnels = new Map<TunnelKind, number>();
  /** Packets of HTTP connections by server port. */
  readonly httpPorts = new Map<number, number>();
  readonly httpServers = new Set<string>();
  vlans = 0;
  exchanges = 0;
  /** Exchanges with a head of which bytes are missing. */
  cutHeads = 0;
  run: RunRecord | null = null;

  exchange({ anomalies }: Exchange): void {
    this.exchanges += 1;
    if (anomalies.includes('gap-in-head')) this.cutHeads += 1;
  }

  connection(connection: Connection): void {
    const { fromClient, fromServer } = connection;
    this.connections += 1;
    this.packets += fromClient.packets + fromServer.packets;
    this.retransmissions += fromClient.retransmissions + fromServer.retransmissions;
    if (connection.vlans.length > 0) this.vlans += 1;
    for (const { kind } of connection.tunnels.slice(0, 1))
      this.tunnels.set(kind, (this.tunnels.get(kind) ?? 0) + 1);
    this.#protocol(connection);
    const payloadBytes = fromClient.payloadBytes + fromServer.payloadBytes;
    if (payloadBytes === 0) {
      if (connection.synNs !== null && fromServer.packets === 0) this.unansweredOpenings += 1;
      return;
    }
    this.withPayload += 1;
    if (connection.opening === 'missed') this.midStream += 1;
    if (fromClient.packets === 0 || fromServer.packets === 0) {
      this.oneSided += 1;
      if (fromServer.packets === 0) this.clientOnly += 1;
    } else if (lost(fromClient) || lost(fromServer)) {
      this.withGaps += 1;
      this.gapBytes += fromClient.gapBytes + fromServer.gapBytes;
    }
  }

  #protocol(connection: Connection): void {
    const { protocol, fromClient, fromServer, server } = connection;
    let census = this.protocols.get(protocol);
    if (census === undefined) {
      census = { connections: 0, payloadBytes: 0 };
      this.protocols.set(protocol, census);
    }
    census.connections += 1;
    census.payloadBytes += fromClient.payloadBytes + fromServer.payloadBytes;
    if (protocol !== 'http' || this.httpPorts.size >= SERVERS) return;
    const packets = fromClient.packets + fromServer.packets;
    this.httpPorts.set(server.port, (this.httpPorts.get(server.port) ?? 0) + packets);
    if (this.httpServers.size < SERVERS) this.httpServers.add(server.address);
  }

  drain(): null {
    return null;
  }

  async finish(run: RunRecord): Promise<void> {
    this.run = run;
  }

  async abort(): Promise<void> {}
}

function lost({ gaps }: DirectionTotals): boolean {
  return gaps > 0;
}
