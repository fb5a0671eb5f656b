import { ANOMALY_NAMES, type Anomaly } from '../model/anomaly.ts';
import type { Connection, DirectionTotals, Exchange, HeaderField, InterimResponse } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';
import { connectNs, receiveNs, sendNs, startNs, totalNs, waitNs } from '../model/phases.ts';
import {
  Batch,
  CONNECTION_ENDS,
  CONNECTION_FIELDS,
  DICTIONARY,
  type DictionaryNumber,
  ENDINGS,
  ENTRY_FIELDS,
  EXCHANGE_FIELDS,
  OPENINGS,
  OUTCOMES,
  PAIRINGS,
  PROTOCOLS,
} from './batch.ts';
import { Dictionary } from './dictionary.ts';
import { HeaderSets } from './header-sets.ts';

/** Where full batches go and empty ones come from. */
export interface BatchPort {
  /** Takes the batch over. */
  send(batch: Batch): void;
  /** A buffer that came back, or null. */
  take(): ArrayBuffer | null;
}

const NULL = Number.NaN;
const NOT_ANOMALY = -1;

const positions = <Word extends string>(words: readonly Word[]): Record<Word, number> =>
  Object.fromEntries(words.map((word, index) => [word, index])) as Record<Word, number>;
const OUTCOME = positions(OUTCOMES);
const ENDING = positions(ENDINGS);
const PAIRING = positions(PAIRINGS);
const PROTOCOL = positions(PROTOCOLS);
const OPENING = positions(OPENINGS);
const CONNECTION_END = positions(CONNECTION_ENDS);
const ANOMALY: Partial<Record<Anomaly, number>> = positions(ANOMALY_NAMES);

/**
 * Packs exchanges and connections into batches on the main thread. This is the part of storing that decoding
 * waits for, so it makes no object per exchange and no string that it has seen before.
 */
export class Packer {
  readonly #port: BatchPort;
  readonly #clock: RunClock;
  #batch: Batch;
  #strings = new Dictionary();
  #hosts = new Dictionary();
  #targets = new Dictionary();
  #requestHeaders = new HeaderSets();
  #responseHeaders = new HeaderSets();
  // The texts of the exchange before: mostly the same again, often the same object.
  #lastHost: string | null = null;
  #lastHostId = NULL;
  #lastTarget = '';
  #lastTargetId = 0;
  #lastMethod = '';
  #lastMethodId = 0;
  #lastReason = '';
  #lastReasonId = 0;
  #lastUserAgent: string | null = null;
  #lastUserAgentId = NULL;
  #lastRequestType: string | null = null;
  #lastRequestTypeId = NULL;
  #lastResponseType: string | null = null;
  #lastResponseTypeId = NULL;
  #lastRequestVersion = '';
  #lastRequestVersionId = 0;
  #lastResponseVersion = '';
  #lastResponseVersionId = 0;

  constructor(port: BatchPort, clock: RunClock) {
    this.#port = port;
    this.#clock = clock;
    this.#batch = this.#fresh(0);
  }

  exchange(exchange: Exchange): void {
    const { request, response, tcp } = exchange;
    // Texts first: they may end the batch, and a row must lie in one batch.
    let hostId = NULL;
    let targetId = NULL;
    let methodId = NULL;
    let requestVersionId = NULL;
    let requestTypeId = NULL;
    let userAgentId = NULL;
    let requestHeadersId = NULL;
    if (request !== null) {
      if (request.host !== this.#lastHost) {
        this.#lastHostId = this.#number(this.#hosts, DICTIONARY.hosts, request.host);
        this.#lastHost = request.host;
      }
      hostId = this.#lastHostId;
      if (this.#lastTargetId === 0 || request.target !== this.#lastTarget) {
        this.#lastTargetId = this.#number(this.#targets, DICTIONARY.targets, request.target);
        this.#lastTarget = request.target;
      }
      targetId = this.#lastTargetId;
      if (this.#lastMethodId === 0 || request.method !== this.#lastMethod) {
        this.#lastMethodId = this.#text(request.method);
        this.#lastMethod = request.method;
      }
      methodId = this.#lastMethodId;
      if (this.#lastRequestVersionId === 0 || request.version !== this.#lastRequestVersion) {
        this.#lastRequestVersionId = this.#text(request.version);
        this.#lastRequestVersion = request.version;
      }
      requestVersionId = this.#lastRequestVersionId;
      if (request.mediaType !== this.#lastRequestType) {
        this.#lastRequestTypeId = this.#text(request.mediaType);
        this.#lastRequestType = request.mediaType;
      }
      requestTypeId = this.#lastRequestTypeId;
      if (request.userAgent !== this.#lastUserAgent) {
        this.#lastUserAgentId = this.#text(request.userAgent);
        this.#lastUserAgent = request.userAgent;
      }
      userAgentId = this.#lastUserAgentId;
      requestHeadersId = this.#headersId(this.#requestHeaders, request.headers);
    }
    let reasonId = NULL;
    let responseVersionId = NULL;
    let responseTypeId = NULL;
    let responseHeadersId = NULL;
    if (response !== null) {
      if (this.#lastReasonId === 0 || response.reason !== this.#lastReason) {
        this.#lastReasonId = this.#text(response.reason);
        this.#lastReason = response.reason;
      }
      reasonId = this.#lastReasonId;
      if (this.#lastResponseVersionId === 0 || response.version !== this.#lastResponseVersion) {
        this.#lastResponseVersionId = this.#text(response.version);
        this.#lastResponseVersion = response.version;
      }
      responseVersionId = this.#lastResponseVersionId;
      if (response.mediaType !== this.#lastResponseType) {
        this.#lastResponseTypeId = this.#text(response.mediaType);
        this.#lastResponseType = response.mediaType;
      }
      responseTypeId = this.#lastResponseTypeId;
      responseHeadersId = this.#headersId(this.#responseHeaders, response.headers);
    }
    const interimId = exchange.interim.length === 0 ? NULL : this.#text(interimText(exchange.interim));

    if (this.#batch.exchangesFull) this.#next(0);
    const { counts, exchanges: row } = this.#batch;
    let at = counts.exchanges * EXCHANGE_FIELDS;
    counts.exchanges += 1;
    const beganNs = startNs(exchange);
    const beganUs = Math.floor(beganNs / 1000);
    // In the order of EXCHANGE_ROWS.
    row[at++] = exchange.id;
    row[at++] = this.#epochUs() + beganUs;
    row[at++] = response === null ? NULL : response.status;
    row[at++] = hostId;
    row[at++] = orNull(totalNs(exchange));
    row[at++] = targetId;
    row[at++] = methodId;
    row[at++] = exchange.connection.id;
    row[at++] = OUTCOME[exchange.outcome];
    row[at++] = exchange.position;
    row[at++] = beganNs - beganUs * 1000;
    row[at++] = orNull(connectNs(exchange));
    row[at++] = orNull(sendNs(exchange));
    row[at++] = orNull(waitNs(exchange));
    row[at++] = orNull(receiveNs(exchange));
    row[at++] = request === null ? NULL : request.packet;
    row[at++] = response === null ? NULL : response.packet;
    row[at++] = request === null ? NULL : request.headerBytes;
    row[at++] = request === null ? NULL : request.bodyBytes;
    row[at++] = response === null ? NULL : response.headerBytes;
    row[at++] = response === null ? NULL : response.bodyBytes;
    row[at++] = request === null ? NULL : request.lostBytes;
    row[at++] = response === null ? NULL : response.lostBytes;
    row[at++] = exchange.ending === null ? NULL : ENDING[exchange.ending];
    row[at++] = PAIRING[exchange.pairing];
    row[at++] = reasonId;
    row[at++] = requestVersionId;
    row[at++] = responseVersionId;
    row[at++] = requestTypeId;
    row[at++] = responseTypeId;
    row[at++] = userAgentId;
    row[at++] = requestHeadersId;
    row[at++] = responseHeadersId;
    row[at++] = interimId;
    row[at++] = request === null ? NULL : request.capture;
    row[at++] = response === null ? NULL : response.capture;
    row[at++] = tcp.requestRetransmissions;
    row[at++] = tcp.responseRetransmissions;
    row[at++] = tcp.requestOutOfOrder;
    row[at++] = tcp.responseOutOfOrder;
    row[at++] = tcp.clientZeroWindows;
    row[at++] = tcp.serverZeroWindows;
    row[at++] = exchange.anomalies.length;
    if (exchange.anomalies.length > 0) this.#anomalies(exchange.id, exchange.anomalies);
  }

  connection(connection: Connection): void {
    const vlans = connection.vlans.length === 0 ? '' : JSON.stringify(connection.vlans);
    const tunnels = connection.tunnels.length === 0 ? '' : JSON.stringify(connection.tunnels);
    const { client, server } = connection;
    const chars = client.address.length + server.address.length + vlans.length + tunnels.length;
    if (this.#batch.connectionsFull) this.#next(0);
    this.#room(chars);
    const { counts, connections: row } = this.#batch;
    let at = counts.connections * CONNECTION_FIELDS;
    counts.connections += 1;
    // In the order of CONNECTIONS.
    row[at++] = connection.id;
    at = this.#place(row, at, client.address);
    row[at++] = client.port;
    at = this.#place(row, at, server.address);
    row[at++] = server.port;
    row[at++] = PROTOCOL[connection.protocol];
    row[at++] = OPENING[connection.opening];
    row[at++] = CONNECTION_END[connection.end];
    row[at++] = connection.exchanges;
    at = this.#instant(row, at, connection.firstNs);
    at = this.#instant(row, at, connection.lastNs);
    row[at++] = elapsedMs(connection.synNs, connection.ackNs);
    row[at++] = elapsedMs(connection.synNs, connection.synAckNs);
    row[at++] = connection.synRetransmissions;
    at = totals(row, at, connection.fromClient);
    at = totals(row, at, connection.fromServer);
    at = this.#place(row, at, vlans);
    at = this.#place(row, at, tunnels);
    row[at++] = connection.capture;
    row[at++] = connection.interfaceNumber;
  }

  /** Sends what is packed so far. */
  flush(): void {
    if (!this.#batch.empty) this.#next(0);
  }

  /** Sends what is packed so far and forgets all numbers: what follows goes to an empty database. */
  restart(): void {
    this.flush();
    this.#strings = new Dictionary();
    this.#hosts = new Dictionary();
    this.#targets = new Dictionary();
    this.#requestHeaders = new HeaderSets();
    this.#responseHeaders = new HeaderSets();
    this.#lastHost = null;
    this.#lastHostId = NULL;
    this.#lastUserAgent = null;
    this.#lastUserAgentId = NULL;
    this.#lastRequestType = null;
    this.#lastRequestTypeId = NULL;
    this.#lastResponseType = null;
    this.#lastResponseTypeId = NULL;
    this.#lastTargetId = 0;
    this.#lastMethodId = 0;
    this.#lastReasonId = 0;
    this.#lastRequestVersionId = 0;
    this.#lastResponseVersionId = 0;
  }

  #epochUs(): number {
    return (this.#clock.epochSeconds ?? 0) * 1e6;
  }

  #anomalies(exchangeId: number, anomalies: readonly Anomaly[]): void {
    for (const anomaly of anomalies) {
      if (this.#batch.anomaliesFull) this.#next(0);
      const { counts, anomalies: list } = this.#batch;
      list[counts.anomalies * 2] = exchangeId;
      list[counts.anomalies * 2 + 1] = ANOMALY[anomaly] ?? NOT_ANOMALY;
      counts.anomalies += 1;
    }
  }

  #headersId(sets: HeaderSets, headers: readonly HeaderField[]): number {
    if (headers.length === 0) return NULL;
    const known = sets.find(headers);
    if (known !== 0) return known;
    return sets.remember(headers, this.#text(headersText(headers)));
  }

  #text(text: string | null): number {
    return this.#number(this.#strings, DICTIONARY.strings, text);
  }

  #number(dictionary: Dictionary, which: DictionaryNumber, text: string | null): number {
    if (text === null) return NULL;
    const known = dictionary.find(text);
    if (known !== 0) return known;
    const id = dictionary.add(text);
    if (this.#batch.entriesFull) this.#next(0);
    this.#room(text.length);
    const { counts, entries } = this.#batch;
    const at = counts.entries * ENTRY_FIELDS;
    counts.entries += 1;
    entries[at] = which;
    entries[at + 1] = id;
    entries[at + 2] = counts.stringBytes;
    entries[at + 3] = this.#write(text);
    return id;
  }

  /** Room for so many characters: at most 3 bytes each in UTF-8. */
  #room(chars: number): void {
    const { counts, strings } = this.#batch;
    if (counts.stringBytes + chars * 3 > strings.length) this.#next(chars * 3);
  }

  /** Lone surrogates become U+FFFD: text in SQLite is UTF-8. */
  #write(text: string): number {
    const { counts, strings } = this.#batch;
    const bytes = strings.write(text, counts.stringBytes, 'utf8');
    counts.stringBytes += bytes;
    return bytes;
  }

  /** A text of its own: place and bytes; NULL when it is empty. */
  #place(row: Float64Array, at: number, text: string): number {
    row[at] = text === '' ? NULL : this.#batch.counts.stringBytes;
    row[at + 1] = this.#write(text);
    return at + 2;
  }

  #instant(row: Float64Array, at: number, ns: number): number {
    const us = Math.floor(ns / 1000);
    row[at] = this.#epochUs() + us;
    row[at + 1] = ns - us * 1000;
    return at + 2;
  }

  #next(stringBytes: number): void {
    if (!this.#batch.empty) {
      this.#port.send(this.#batch);
      this.#batch = this.#fresh(stringBytes);
    } else if (this.#batch.strings.length < stringBytes) {
      this.#batch = Batch.allocate(stringBytes);
    }
  }

  #fresh(stringBytes: number): Batch {
    const used = this.#port.take();
    const batch = used === null ? Batch.allocate(stringBytes) : new Batch(used);
    return batch.strings.length >= stringBytes ? batch : Batch.allocate(stringBytes);
  }
}

function orNull(value: number | null): number {
  return value === null ? NULL : value;
}

function elapsedMs(fromNs: number | null, toNs: number | null): number {
  return fromNs === null || toNs === null ? NULL : Math.max(0, toNs - fromNs) / 1e6;
}

function totals(row: Float64Array, at: number, from: DirectionTotals): number {
  row[at++] = from.packets;
  row[at++] = from.payloadBytes;
  row[at++] = from.retransmissions;
  row[at++] = from.outOfOrder;
  row[at++] = from.zeroWindows;
  row[at++] = from.keepAlives;
  row[at++] = from.gaps;
  row[at++] = from.gapBytes;
  return at;
}

/** JSON array of [name, value]; `headers` is not empty. */
export function headersText(headers: readonly HeaderField[]): string {
  let text = '';
  for (const { name, value } of headers) text += `,[${JSON.stringify(name)},${JSON.stringify(value)}]`;
  return `[${text.slice(1)}]`;
}

export function interimText(interim: readonly InterimResponse[]): string {
  return JSON.stringify(interim.map((one) => one.status));
}
