import type { Anomaly } from './anomaly.ts';
import type { Direction } from './stream.ts';

/** An address and a port. `text` is `10.0.0.1:80` or `[2001:db8::1]:80`. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly text: string;
}

/** One encapsulation around a connection's packets, outermost first. */
export interface Tunnel {
  readonly kind: TunnelKind;
  /** VNI, GRE key, ERSPAN session, TEID, MPLS label or PPPoE session; null where the kind has none. */
  readonly id: number | null;
}

export const TUNNEL_KINDS = [
  'vxlan', 'geneve', 'gre', 'erspan', 'ipip', 'gtp', 'teredo', 'ayiya', 'l2tp', 'mpls', 'pppoe', 'other',
] as const; // biome-ignore format: one line reads better
export type TunnelKind = (typeof TUNNEL_KINDS)[number];

/**
 * A place at which packets of a connection were seen: an interface, with the addresses and wrappings that they had
 * there. Address translation makes a further place also on the same interface.
 */
export interface Sighting {
  /** Index of the capture and run-wide number of the interface. */
  readonly capture: number;
  readonly interfaceNumber: number;
  /** The kernel's interface index, where the packets carry it (Linux cooked v2); else null. */
  readonly interfaceIndex: number | null;
  /** As seen there. */
  client: Endpoint;
  server: Endpoint;
  readonly vlans: readonly number[];
  readonly tunnels: readonly Tunnel[];
  /** First packet there, ns since the run's epoch. */
  readonly firstNs: number;
  /** Packets of the connection seen there, repeated ones included. */
  packets: number;
}

/** How much of a connection's opening the capture holds. */
export type Opening = 'seen' | 'partial' | 'missed';

/** What all exchanges of one TCP connection share. One object per connection; it fills up while packets come. */
export interface Connection {
  /** 1-based, in the order of the connections' first packets. */
  readonly id: number;
  client: Endpoint;
  server: Endpoint;
  opening: Opening;
  /** VLAN ids, outermost first, as on the connection's first packet. */
  readonly vlans: readonly number[];
  /** Tunnels around it, outermost first, as on the connection's first packet. */
  readonly tunnels: readonly Tunnel[];
  /** Index of the capture and run-wide number of the interface that first saw it. */
  readonly capture: number;
  readonly interfaceNumber: number;
  /** ns since the run's epoch. */
  firstNs: number;
  lastNs: number;
  /** First SYN, its SYN/ACK, and the client's first ACK after that; null where not captured. */
  synNs: number | null;
  synAckNs: number | null;
  ackNs: number | null;
  synRetransmissions: number;
  /** How it ended as far as the capture shows. */
  end: ConnectionEnd;
  /** Totals by direction. */
  fromClient: DirectionTotals;
  fromServer: DirectionTotals;
  /** Exchanges that came out of it. */
  exchanges: number;
  /**
   * What happened, in Zeek's letters (conn.log `history`), each once: S SYN, H SYN/ACK, A bare ACK, D payload,
   * F FIN, R RST, G gap, T retransmission, W closed window, Q odd flags; upper case from the client, lower case
   * from the server, `^` when the roles were turned round.
   */
  history: string;
  /**
   * The places at which its packets were seen, when there are several, in the order in which they were found; the
   * first one is the connection's own. Empty: only one is known.
   */
  sightings: readonly Sighting[];
  /** Packets seen at places beyond LIMITS.sightingPlaces. */
  packetsElsewhere: number;
  /** Application protocol found: http, http2, tls, websocket, other, or none when no payload was seen. */
  protocol: ConnectionProtocol;
}

export type ConnectionProtocol = 'http' | 'http2' | 'tls' | 'websocket' | 'other' | 'none';
export type ConnectionEnd =
  | 'open'
  | 'closed-by-client'
  | 'closed-by-server'
  | 'reset-by-client'
  | 'reset-by-server'
  | 'evicted';

export interface DirectionTotals {
  packets: number;
  /** Bytes of the IP packets by their length fields: headers, payload, duplicates. */
  ipBytes: number;
  /** Payload bytes on the wire, duplicates included. */
  payloadBytes: number;
  retransmissions: number;
  outOfOrder: number;
  zeroWindows: number;
  keepAlives: number;
  gaps: number;
  gapBytes: number;
}

/** How sure it is that this response answers this request. */
export type Pairing = 'exact' | 'inferred' | 'ambiguous';

/** What became of the exchange. */
export type Outcome = 'complete' | 'no-response' | 'reset' | 'truncated' | 'orphan-response';

/** Why an exchange is not complete. */
export type Ending =
  | 'reset-by-client'
  | 'reset-by-server'
  | 'closed-by-client'
  | 'closed-by-server'
  | 'capture-ended'
  | 'lost-in-capture'
  | 'broken-framing'
  | 'evicted';

/** A header field worth keeping: on the allow-list, never a credential. */
export interface HeaderField {
  /** Lower case. */
  readonly name: string;
  readonly value: string;
}

/** What requests and responses have in common. */
export interface Message {
  /** `1.1`, `1.0`, `0.9`; as sent, so other digits are possible. */
  readonly version: string;
  /** Capture time of the segment that brought the first and last byte, ns since the run's epoch. */
  readonly firstByteNs: number;
  /**
   * Of a message that is not whole: the last byte seen. null: it lies in a gap of the capture, or the message
   * is a head without an end.
   */
  readonly lastByteNs: number | null;
  /** Packet number (as Wireshark counts, in capture `capture`) of the first byte. */
  readonly packet: number;
  readonly capture: number;
  /** Direction of the connection's bytes in which it was sent. Read from a store: the client's is FROM_CLIENT. */
  readonly direction: Direction;
  /**
   * Place of the first byte, and one past the last, in that direction (see StreamConsumer). -1: unknown, always so
   * when the exchange was read from a store; the end is also unknown of a message that broke off.
   */
  readonly startOffset: number;
  readonly endOffset: number;
  /**
   * TCP sequence number of the first byte, and of what its segment acknowledges in the opposite direction; 0 to
   * 2^32 - 1, -1: unknown. Read from a store, only those are known of which the exchange's uid is made.
   */
  readonly sequence: number;
  readonly acknowledges: number;
  /** Start line and header section with its empty line, bytes as sent. */
  readonly headerBytes: number;
  /** Body bytes on the wire (chunk framing and trailers included), as far as seen or skipped by arithmetic. */
  readonly bodyBytes: number;
  /** Bytes of the message that the capture does not hold. */
  readonly lostBytes: number;
  /** Content-Type without parameters, lower case; null when absent. */
  readonly mediaType: string | null;
  /** Allow-listed header fields, in the order sent. */
  readonly headers: readonly HeaderField[];
}

export interface RequestMessage extends Message {
  readonly method: string;
  /** Request target as sent, secrets in its query masked unless asked otherwise. */
  readonly target: string;
  /** Host header as sent; null when absent. */
  readonly host: string | null;
  readonly userAgent: string | null;
}

export interface ResponseMessage extends Message {
  /** null: an answer of HTTP/0.9, which is the bare body (RFC 1945 §6). */
  readonly status: number | null;
  readonly reason: string;
}

/** A 1xx response that came before the final one (101 is final). */
export interface InterimResponse {
  readonly status: number;
  readonly timeNs: number;
  /** Place of its first byte and one past its empty line, as in Message; -1: unknown. */
  readonly startOffset: number;
  readonly endOffset: number;
}

/** TCP events between the exchange's first and last byte, by direction. */
export interface TcpFacts {
  readonly requestRetransmissions: number;
  readonly responseRetransmissions: number;
  readonly requestOutOfOrder: number;
  readonly responseOutOfOrder: number;
  /** Segments in which the client / the server advertised a closed receive window. */
  readonly clientZeroWindows: number;
  readonly serverZeroWindows: number;
}

/** Shared by the many exchanges in which TCP had nothing to report. */
export const QUIET_TCP: TcpFacts = Object.freeze({
  requestRetransmissions: 0,
  responseRetransmissions: 0,
  requestOutOfOrder: 0,
  responseOutOfOrder: 0,
  clientZeroWindows: 0,
  serverZeroWindows: 0,
});

/** When the first bytes of an exchange's messages passed one of the connection's places. */
export interface ExchangeSighting {
  /** One of the connection's `sightings`. */
  readonly at: Sighting;
  /** Capture time there of the packet with the first byte, ns since the run's epoch; null: not seen there. */
  readonly requestNs: number | null;
  readonly responseNs: number | null;
}

/**
 * One request with its response. Every request seen yields exactly one exchange, also when no answer
 * came; a response whose request is unknown yields one with `request` null. Never both null. Immutable.
 */
export interface Exchange {
  /** 1-based, in the order in which exchanges came to their end. */
  readonly id: number;
  readonly connection: Connection;
  /** Who sent the request and who answers it; nearly always the connection's client and server. */
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** 1-based position on the connection, in the order of the requests (orphans where they stood). */
  readonly position: number;
  readonly request: RequestMessage | null;
  readonly response: ResponseMessage | null;
  readonly interim: readonly InterimResponse[];
  readonly pairing: Pairing;
  readonly outcome: Outcome;
  /** null when the outcome is `complete`. */
  readonly ending: Ending | null;
  readonly anomalies: readonly Anomaly[];
  readonly tcp: TcpFacts;
  /** One entry for each place of the connection that saw it; empty when the connection has only one place. */
  readonly sightings: readonly ExchangeSighting[];
}

/** What most connections have: one place. */
export const NO_SIGHTINGS = Object.freeze([]) as readonly never[];

/** Client and server of a connection turn out to be the other way round. */
export function turnEndpoints(connection: Connection): void {
  [connection.client, connection.server] = [connection.server, connection.client];
  [connection.fromClient, connection.fromServer] = [connection.fromServer, connection.fromClient];
  for (const one of connection.sightings) [one.client, one.server] = [one.server, one.client];
}
