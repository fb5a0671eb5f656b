import type { Connection, Endpoint, Exchange, Message, Sighting, TcpFacts } from '../model/exchange.ts';
import { QUIET_TCP } from '../model/exchange.ts';
import { uidHigh, uidLow } from '../model/exchange-uid.ts';
import { interfaceName } from '../model/interface-name.ts';
import { jsonText } from '../model/json-text.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import { connectNs, receiveNs, sendNs, startNs, totalNs, waitNs } from '../model/phases.ts';
import { rfc3339 } from '../model/time-text.ts';
import { JsonBytes, jsonPiece } from './json-bytes.ts';

/**
 * Version of the record, its field `v`. New fields may come without a new version; a field that goes away or
 * changes its meaning raises it. Every field is described in docs/json-record.md.
 */
export const RECORD_VERSION = 1;

/** Targets whose route is remembered; then the memory starts anew. Longer targets are not. */
const ROUTES_KEPT = 32_768;
const LONGEST_TARGET_KEPT = 512;

/** The constant pieces of a record, encoded once. */
const PIECE = {
  begin: jsonPiece(`{"v":${RECORD_VERSION},"id":`),
  cut: jsonPiece(',"complete":false,"media_type":'),
  complete: jsonPiece(',"complete":true,"media_type":'),
  firstName: jsonPiece('{"name":'),
  nextName: jsonPiece(',{"name":'),
  firstInterim: jsonPiece('{"status":'),
  nextInterim: jsonPiece(',{"status":'),
  noUid: jsonPiece(',"uid":null'),
  uid: jsonPiece(',"uid":"'),
  quote: jsonPiece('"'),
  connection: jsonPiece(',"connection":'),
  position: jsonPiece(',"position":'),
  time: jsonPiece(',"time":"'),
  noRequest: jsonPiece('","method":null,"host":null,"target":null,"route":null,"http_version":'),
  method: jsonPiece('","method":'),
  host: jsonPiece(',"host":'),
  target: jsonPiece(',"target":'),
  route: jsonPiece(',"route":'),
  httpVersion: jsonPiece(',"http_version":'),
  status: jsonPiece(',"status":'),
  noResponse: jsonPiece('null,"reason":null'),
  noStatus: jsonPiece('null'),
  reason: jsonPiece(',"reason":'),
  outcome: jsonPiece(',"outcome":'),
  ending: jsonPiece(',"ending":'),
  pairing: jsonPiece(',"pairing":'),
  interim: jsonPiece(',"interim":['),
  anomalies: jsonPiece('],"anomalies":['),
  comma: jsonPiece(','),
  tcp: jsonPiece('],"tcp":'),
  end: jsonPiece('}\n'),
  connectMs: jsonPiece(',"connect_ms":'),
  sendMs: jsonPiece(',"send_ms":'),
  waitMs: jsonPiece(',"wait_ms":'),
  receiveMs: jsonPiece(',"receive_ms":'),
  totalMs: jsonPiece(',"total_ms":'),
  request: jsonPiece(',"request":'),
  none: jsonPiece('null'),
  userAgent: jsonPiece('],"user_agent":'),
  close: jsonPiece('}'),
  response: jsonPiece(',"response":'),
  responseVersion: jsonPiece('],"http_version":'),
  capture: jsonPiece('{"capture":'),
  packet: jsonPiece(',"packet":'),
  headerBytes: jsonPiece(',"header_bytes":'),
  bodyBytes: jsonPiece(',"body_bytes":'),
  lostBytes: jsonPiece(',"lost_bytes":'),
  headers: jsonPiece(',"headers":['),
  value: jsonPiece(',"value":'),
  closeString: jsonPiece('"}'),
  noSightings: jsonPiece(',"sightings":[]'),
  sightings: jsonPiece(',"sightings":['),
  closeList: jsonPiece(']'),
};

export interface JsonRecordOptions {
  readonly clock: RunClock;
  /** For the resolution of each interface's time stamps; may grow while packets are read. */
  readonly captures: readonly CaptureFacts[];
  readonly routeOf: (target: string) => string;
}

/** What the exchanges of one connection have in common. */
interface ContextJson {
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly endpoints: Uint8Array;
  readonly surroundings: Uint8Array;
}

/** Writes exchanges in their JSON form, one line each. Keeps what repeats from one exchange to the next. */
export class JsonRecordWriter {
  readonly #clock: RunClock;
  readonly #captures: readonly CaptureFacts[];
  readonly #routeOf: (target: string) => string;
  readonly #json = new JsonBytes();
  /** JSON of the route of each target met. */
  readonly #routes = new Map<string, Uint8Array>();
  readonly #digits = new Map<number, 6 | 9>();
  readonly #contexts = new WeakMap<Connection, ContextJson>();
  readonly #places = new WeakMap<Sighting, Uint8Array>();

  constructor({ clock, captures, routeOf }: JsonRecordOptions) {
    this.#clock = clock;
    this.#captures = captures;
    this.#routeOf = routeOf;
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#json.length;
  }

  /** The lines written, in UTF-8; they then belong to the caller. */
  take(): Uint8Array {
    return this.#json.take();
  }

  /** Adds the exchange as one line, with its line feed. */
  write(exchange: Exchange): void {
    const { connection, request, response } = exchange;
    const known = this.#contexts.get(connection);
    const context =
      known !== undefined && known.client === exchange.client && known.server === exchange.server
        ? known
        : this.#remember(exchange);
    const json = this.#json;
    const digits = this.#digitsOf(connection.interfaceNumber);
    json.encoded(PIECE.begin);
    json.integer(exchange.id);
    const high = uidHigh(exchange);
    const low = uidLow(exchange);
    if (high < 0 || low < 0) json.encoded(PIECE.noUid);
    else {
      json.encoded(PIECE.uid);
      json.hexadecimal(high);
      json.hexadecimal(low);
      json.encoded(PIECE.quote);
    }
    json.encoded(PIECE.connection);
    json.integer(connection.id);
    json.encoded(PIECE.position);
    json.integer(exchange.position);
    json.encoded(context.endpoints);
    json.encoded(PIECE.time);
    json.ascii(rfc3339(this.#clock.epochSeconds, startNs(exchange), digits));
    if (request === null) {
      json.encoded(PIECE.noRequest);
    } else {
      json.encoded(PIECE.method);
      json.string(request.method);
      json.encoded(PIECE.host);
      json.string(request.host);
      json.encoded(PIECE.target);
      json.string(request.target);
      json.encoded(PIECE.route);
      json.encoded(this.#route(request.target));
      json.encoded(PIECE.httpVersion);
    }
    json.string(request !== null ? request.version : (response?.version ?? null));
    json.encoded(PIECE.status);
    if (response === null) {
      json.encoded(PIECE.noResponse);
    } else {
      if (response.status === null) json.encoded(PIECE.noStatus);
      else json.integer(response.status);
      json.encoded(PIECE.reason);
      json.string(response.reason);
    }
    json.encoded(PIECE.outcome);
    json.string(exchange.outcome);
    json.encoded(PIECE.ending);
    json.string(exchange.ending);
    json.encoded(PIECE.pairing);
    json.string(exchange.pairing);
    this.#phases(exchange);
    this.#messages(exchange);
    json.encoded(PIECE.interim);
    this.#interim(exchange, digits);
    json.encoded(PIECE.anomalies);
    for (let index = 0; index < exchange.anomalies.length; index += 1) {
      if (index > 0) json.encoded(PIECE.comma);
      json.string(exchange.anomalies[index]);
    }
    json.encoded(PIECE.tcp);
    if (exchange.tcp === QUIET_TCP) json.encoded(QUIET);
    else json.ascii(tcpText(exchange.tcp));
    json.encoded(context.surroundings);
    if (exchange.sightings.length === 0) json.encoded(PIECE.noSightings);
    else this.#sightings(exchange);
    json.encoded(PIECE.end);
  }

  #phases(exchange: Exchange): void {
    const json = this.#json;
    json.encoded(PIECE.connectMs);
    json.milliseconds(connectNs(exchange));
    json.encoded(PIECE.sendMs);
    json.milliseconds(sendNs(exchange));
    json.encoded(PIECE.waitMs);
    json.milliseconds(waitNs(exchange));
    json.encoded(PIECE.receiveMs);
    json.milliseconds(receiveNs(exchange));
    json.encoded(PIECE.totalMs);
    json.milliseconds(totalNs(exchange));
  }

  #messages({ request, response }: Exchange): void {
    const json = this.#json;
    json.encoded(PIECE.request);
    if (request === null) {
      json.encoded(PIECE.none);
    } else {
      this.#message(request);
      json.encoded(PIECE.userAgent);
      json.string(request.userAgent);
      json.encoded(PIECE.close);
    }
    json.encoded(PIECE.response);
    if (response === null) {
      json.encoded(PIECE.none);
    } else {
      this.#message(response);
      json.encoded(PIECE.responseVersion);
      json.string(response.version);
      json.encoded(PIECE.close);
    }
  }

  /** The fields that both messages have, up to the open end of the headers. */
  #message(message: Message): void {
    const json = this.#json;
    json.encoded(PIECE.capture);
    json.integer(message.capture);
    json.encoded(PIECE.packet);
    json.integer(message.packet);
    json.encoded(PIECE.headerBytes);
    json.integer(message.headerBytes);
    json.encoded(PIECE.bodyBytes);
    json.integer(message.bodyBytes);
    json.encoded(PIECE.lostBytes);
    json.integer(message.lostBytes);
    json.encoded(message.lastByteNs === null ? PIECE.cut : PIECE.complete);
    json.string(message.mediaType);
    json.encoded(PIECE.headers);
    const { headers } = message;
    for (let index = 0; index < headers.length; index += 1) {
      json.encoded(index === 0 ? PIECE.firstName : PIECE.nextName);
      json.string(headers[index].name);
      json.encoded(PIECE.value);
      json.string(headers[index].value);
      json.encoded(PIECE.close);
    }
  }

  #interim({ interim }: Exchange, digits: 6 | 9): void {
    const json = this.#json;
    for (let index = 0; index < interim.length; index += 1) {
      json.encoded(index === 0 ? PIECE.firstInterim : PIECE.nextInterim);
      json.integer(interim[index].status);
      json.encoded(PIECE.time);
      json.ascii(rfc3339(this.#clock.epochSeconds, interim[index].timeNs, digits));
      json.encoded(PIECE.closeString);
    }
  }

  #sightings(exchange: Exchange): void {
    const json = this.#json;
    const beganNs = startNs(exchange);
    json.encoded(PIECE.sightings);
    exchange.sightings.forEach(({ at, requestNs, responseNs }, index) => {
      if (index > 0) json.encoded(PIECE.comma);
      json.encoded(this.#place(at));
      json.ascii(`"request_ms":${millisecondsAfter(beganNs, requestNs)},`);
      json.ascii(`"response_ms":${millisecondsAfter(beganNs, responseNs)}}`);
    });
    json.encoded(PIECE.closeList);
  }

  /** What the exchanges of a connection have in common at one of its places, up to their times. */
  #place(at: Sighting): Uint8Array {
    const known = this.#places.get(at);
    if (known !== undefined) return known;
    const { interfaceNumber, interfaceIndex, capture, client, server, vlans, tunnels } = at;
    const text = jsonText({
      capture,
      interface: interfaceName(this.#captures, interfaceNumber),
      interface_number: interfaceNumber,
      interface_index: interfaceIndex,
      client: client.text,
      server: server.text,
      tunnels: tunnels.map(({ kind, id }) => ({ kind, id })),
      vlans,
    });
    const json = new Uint8Array(Buffer.from(`${text.slice(0, -1)},`));
    this.#places.set(at, json);
    return json;
  }

  #remember({ connection, client, server }: Exchange): ContextJson {
    const around = connection.tunnels.map(({ kind, id }) => ({ kind, id }));
    const context = {
      client,
      server,
      endpoints: jsonPiece(
        `,"client":${JSON.stringify(client.text)},"server":${JSON.stringify(server.text)}`,
      ),
      surroundings: jsonPiece(
        `,"tunnels":${JSON.stringify(around)},"vlans":${JSON.stringify(connection.vlans)}`,
      ),
    };
    this.#contexts.set(connection, context);
    return context;
  }

  #route(target: string): Uint8Array {
    const known = this.#routes.get(target);
    if (known !== undefined) return known;
    const route = Buffer.from(jsonText(this.#routeOf(target)));
    if (target.length > LONGEST_TARGET_KEPT) return route;
    if (this.#routes.size >= ROUTES_KEPT) this.#routes.clear();
    this.#routes.set(target, route);
    return route;
  }

  #digitsOf(interfaceNumber: number): 6 | 9 {
    const known = this.#digits.get(interfaceNumber);
    if (known !== undefined) return known;
    for (const capture of this.#captures) {
      for (const one of capture.interfaces) {
        if (one.number !== interfaceNumber) continue;
        const digits = one.timeDigits <= 6 ? 6 : 9;
        this.#digits.set(interfaceNumber, digits);
        return digits;
      }
    }
    return 9;
  }
}

/** Exact, and negative where another clock was behind. */
function millisecondsAfter(beganNs: number, ns: number | null): number | null {
  return ns === null ? null : (ns - beganNs) / 1e6;
}

function tcpText(tcp: TcpFacts): string {
  return (
    `{"request_retransmissions":${tcp.requestRetransmissions},"response_retransmissions":${tcp.responseRetransmissions}` +
    `,"request_out_of_order":${tcp.requestOutOfOrder},"response_out_of_order":${tcp.responseOutOfOrder}` +
    `,"client_zero_windows":${tcp.clientZeroWindows},"server_zero_windows":${tcp.serverZeroWindows}}`
  );
}

const QUIET = jsonPiece(tcpText(QUIET_TCP));
