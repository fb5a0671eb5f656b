import type {
  Connection,
  Endpoint,
  Exchange,
  InterimResponse,
  Message,
  RequestMessage,
  ResponseMessage,
} from '../model/exchange.ts';
import { QUIET_TCP, type TcpFacts } from '../model/exchange.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import { connectNs, receiveNs, sendNs, startNs, totalNs, waitNs } from '../model/phases.ts';
import { rfc3339 } from '../model/time-text.ts';
import { jsonMilliseconds, quoteJson, quoteJsonOrNull } from './json-text.ts';

/**
 * Version of the record, its field `v`. New fields may come without a new version; a field that goes away or
 * changes its meaning raises it. Every field is described in docs/json-record.md.
 */
export const RECORD_VERSION = 1;

/** Targets whose route is remembered; then the memory starts anew. Longer targets are not. */
const ROUTES_KEPT = 32_768;
const LONGEST_TARGET_KEPT = 512;

export interface JsonRecordOptions {
  readonly clock: RunClock;
  /** For the resolution of each interface's time stamps; may grow while packets are read. */
  readonly captures: readonly CaptureFacts[];
  readonly routeOf: (target: string) => string;
}

/** Writes exchanges in their JSON form, one line each. Keeps what repeats from one exchange to the next. */
export class JsonRecordWriter {
  readonly #clock: RunClock;
  readonly #captures: readonly CaptureFacts[];
  readonly #routeOf: (target: string) => string;
  /** JSON text of the route of each target met. */
  readonly #routes = new Map<string, string>();
  readonly #digits = new Map<number, 6 | 9>();
  #connection: Connection | null = null;
  #client: Endpoint | null = null;
  #server: Endpoint | null = null;
  #endpoints = '';
  #surroundings = '';

  constructor({ clock, captures, routeOf }: JsonRecordOptions) {
    this.#clock = clock;
    this.#captures = captures;
    this.#routeOf = routeOf;
  }

  /** The record as one line of JSON, without a line feed. */
  line(exchange: Exchange): string {
    const { connection, request, response } = exchange;
    if (connection !== this.#connection || exchange.client !== this.#client || exchange.server !== this.#server) {
      this.#remember(exchange);
    }
    const digits = this.#digitsOf(connection.interfaceNumber);
    const start = startNs(exchange);
    const head =
      `{"v":${RECORD_VERSION},"id":${exchange.id},"connection":${connection.id},"position":${exchange.position}` +
      `${this.#endpoints},"time":"${rfc3339(this.#clock.epochSeconds, start, digits)}"`;
    const asked =
      request === null
        ? `,"method":null,"host":null,"target":null,"route":null,"http_version":${quoteJsonOrNull(response?.version ?? null)}`
        : `,"method":${quoteJson(request.method)},"host":${quoteJsonOrNull(request.host)},"target":${quoteJson(request.target)}` +
          `,"route":${this.#route(request.target)},"http_version":${quoteJson(request.version)}`;
    const answered =
      response === null ? ',"status":null,"reason":null' : `,"status":${response.status},"reason":${quoteJson(response.reason)}`;
    return (
      head +
      asked +
      answered +
      `,"outcome":"${exchange.outcome}","ending":${exchange.ending === null ? 'null' : `"${exchange.ending}"`},"pairing":"${exchange.pairing}"` +
      `,"connect_ms":${jsonMilliseconds(connectNs(exchange))},"send_ms":${jsonMilliseconds(sendNs(exchange))}` +
      `,"wait_ms":${jsonMilliseconds(waitNs(exchange))},"receive_ms":${jsonMilliseconds(receiveNs(exchange))}` +
      `,"total_ms":${jsonMilliseconds(totalNs(exchange))}` +
      `,"request":${request === null ? 'null' : requestText(request)}` +
      `,"response":${response === null ? 'null' : responseText(response)}` +
      `,"interim":${exchange.interim.length === 0 ? '[]' : this.#interim(exchange.interim, digits)}` +
      `,"anomalies":${exchange.anomalies.length === 0 ? '[]' : `["${exchange.anomalies.join('","')}"]`}` +
      `,"tcp":${exchange.tcp === QUIET_TCP ? QUIET : tcpText(exchange.tcp)}${this.#surroundings}}`
    );
  }

  #remember({ connection, client, server }: Exchange): void {
    this.#connection = connection;
    this.#client = client;
    this.#server = server;
    this.#endpoints = `,"client":${quoteJson(client.text)},"server":${quoteJson(server.text)}`;
    const tunnels = connection.tunnels.map(({ kind, id }) => `{"kind":"${kind}","id":${id}}`);
    this.#surroundings = `,"tunnels":[${tunnels.join(',')}],"vlans":[${connection.vlans.join(',')}]`;
  }

  #route(target: string): string {
    const known = this.#routes.get(target);
    if (known !== undefined) return known;
    const route = quoteJson(this.#routeOf(target));
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

  #interim(interim: readonly InterimResponse[], digits: 6 | 9): string {
    const parts = interim.map(
      ({ status, timeNs }) => `{"status":${status},"time":"${rfc3339(this.#clock.epochSeconds, timeNs, digits)}"}`,
    );
    return `[${parts.join(',')}]`;
  }
}

function messageText(message: Message): string {
  return (
    `"capture":${message.capture},"packet":${message.packet},"header_bytes":${message.headerBytes}` +
    `,"body_bytes":${message.bodyBytes},"lost_bytes":${message.lostBytes}` +
    `,"complete":${message.lastByteNs !== null},"media_type":${quoteJsonOrNull(message.mediaType)}` +
    `,"headers":${headersText(message)}`
  );
}

function requestText(request: RequestMessage): string {
  return `{${messageText(request)},"user_agent":${quoteJsonOrNull(request.userAgent)}}`;
}

function responseText(response: ResponseMessage): string {
  return `{${messageText(response)},"http_version":${quoteJson(response.version)}}`;
}

function headersText({ headers }: Message): string {
  if (headers.length === 0) return '[]';
  let text = '[';
  for (let index = 0; index < headers.length; index += 1) {
    const { name, value } = headers[index];
    text += `${index === 0 ? '' : ','}{"name":${quoteJson(name)},"value":${quoteJson(value)}}`;
  }
  return `${text}]`;
}

function tcpText(tcp: TcpFacts): string {
  return (
    `{"request_retransmissions":${tcp.requestRetransmissions},"response_retransmissions":${tcp.responseRetransmissions}` +
    `,"request_out_of_order":${tcp.requestOutOfOrder},"response_out_of_order":${tcp.responseOutOfOrder}` +
    `,"client_zero_windows":${tcp.clientZeroWindows},"server_zero_windows":${tcp.serverZeroWindows}}`
  );
}

const QUIET = tcpText(QUIET_TCP);
