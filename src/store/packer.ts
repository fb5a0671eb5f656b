import { ANOMALY_NAMES, type Anomaly } from '../model/anomaly.ts';
import type { Connection, DirectionTotals, Exchange, Message } from '../model/exchange.ts';
import { uidHigh, uidLow } from '../model/exchange-uid.ts';
import type { RunClock } from '../model/packet.ts';
import { connectNs, startNs, totalNs } from '../model/phases.ts';
import { Batch, CONNECTION_FIELDS, ENTRY_FIELDS, EXCHANGE_FIELDS } from './batch.ts';
import { placesText, sightingsText } from './sighting-text.ts';
import { interimText, Texts } from './texts.ts';
import { CONNECTION_ENDS, ENDINGS, OPENINGS, OUTCOMES, PAIRINGS, PROTOCOLS } from './words.ts';

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
  #texts: Texts;

  constructor(port: BatchPort, clock: RunClock) {
    this.#port = port;
    this.#clock = clock;
    this.#batch = this.#fresh(0);
    this.#texts = this.#newTexts();
  }

  exchange(exchange: Exchange): void {
    const { request, response, tcp } = exchange;
    const texts = this.#texts;
    // Texts first: they may end the batch, and a row must lie in one batch.
    let hostId = NULL;
    let targetId = NULL;
    let methodId = NULL;
    let requestVersionId = NULL;
    let requestTypeId = NULL;
    let userAgentId = NULL;
    let requestHeadersId = NULL;
    if (request !== null) {
      hostId = texts.host.id(request.host);
      targetId = texts.target.id(request.target);
      methodId = texts.method.id(request.method);
      requestVersionId = texts.requestVersion.id(request.version);
      requestTypeId = texts.requestType.id(request.mediaType);
      userAgentId = texts.userAgent.id(request.userAgent);
      requestHeadersId = texts.requestHeaders.id(request.headers);
    }
    let reasonId = NULL;
    let responseVersionId = NULL;
    let responseTypeId = NULL;
    let responseHeadersId = NULL;
    if (response !== null) {
      reasonId = texts.reason.id(response.reason);
      responseVersionId = texts.responseVersion.id(response.version);
      responseTypeId = texts.responseType.id(response.mediaType);
      responseHeadersId = texts.responseHeaders.id(response.headers);
    }
    const beganNs = startNs(exchange);
    const interimId =
      exchange.interim.length === 0 ? NULL : texts.interim.id(interimText(exchange.interim, beganNs));

    const { sightings } = exchange;
    const sightingsId =
      sightings.length === 0
        ? NULL
        : texts.sightings.id(sightingsText(sightings, exchange.connection.sightings, beganNs));

    if (this.#batch.exchangesFull) this.#next(0);
    const { counts, exchanges: row } = this.#batch;
    let at = counts.exchanges * EXCHANGE_FIELDS;
    counts.exchanges += 1;
    const beganUs = Math.floor(beganNs / 1000);
    // In the order of EXCHANGE_ROWS.
    row[at++] = exchange.id;
    row[at++] = this.#epochUs() + beganUs;
    row[at++] = response === null ? NULL : (response.status ?? 0);
    row[at++] = hostId;
    row[at++] = orNull(totalNs(exchange));
    row[at++] = targetId;
    row[at++] = methodId;
    row[at++] = exchange.connection.id;
    row[at++] = isReversed(exchange) ? 1 : 0;
    row[at++] = OUTCOME[exchange.outcome];
    row[at++] = exchange.position;
    row[at++] = beganNs - beganUs * 1000;
    row[at++] = orNull(connectNs(exchange));
    row[at++] = request === null ? NULL : spanNs(request);
    row[at++] = request === null || response === null ? NULL : response.firstByteNs - beganNs;
    row[at++] = response === null ? NULL : spanNs(response);
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
    row[at++] = sightingsId;
    row[at++] = unlessNegative(uidHigh(exchange));
    row[at++] = unlessNegative(uidLow(exchange));
    if (exchange.anomalies.length > 0) this.#anomalies(exchange.id, exchange.anomalies);
  }

  /** `continues`: it has not come to its end, and will be in a later part as well. */
  connection(connection: Connection, continues = false): void {
    const vlans = connection.vlans.length === 0 ? '' : JSON.stringify(connection.vlans);
    const tunnels = connection.tunnels.length === 0 ? '' : JSON.stringify(connection.tunnels);
    const places = placesText(connection);
    const { client, server, history, firstNs } = connection;
    const texts = [client.address, server.address, history, vlans, tunnels, places];
    const chars = texts.reduce((sum, { length }) => sum + length, 0);
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
    at = this.#place(row, at, history);
    row[at++] = connection.exchanges;
    at = this.#instant(row, at, firstNs);
    at = this.#instant(row, at, connection.lastNs);
    row[at++] = elapsedMs(connection.synNs, connection.ackNs);
    row[at++] = elapsedMs(connection.synNs, connection.synAckNs);
    row[at++] = connection.synRetransmissions;
    at = totals(row, at, connection.fromClient);
    at = totals(row, at, connection.fromServer);
    at = this.#place(row, at, vlans);
    at = this.#place(row, at, tunnels);
    at = this.#place(row, at, places);
    row[at++] = connection.packetsElsewhere;
    row[at++] = connection.capture;
    row[at++] = connection.interfaceNumber;
    row[at++] = connection.synNs === null ? NULL : connection.synNs - firstNs;
    row[at++] = connection.synAckNs === null ? NULL : connection.synAckNs - firstNs;
    row[at++] = connection.ackNs === null ? NULL : connection.ackNs - firstNs;
    row[at++] = continues ? 1 : 0;
  }

  /** Sends what is packed so far. */
  flush(): void {
    if (!this.#batch.empty) this.#next(0);
  }

  /** Sends what is packed so far and forgets all numbers: what follows goes to an empty database. */
  restart(): void {
    this.flush();
    this.#texts = this.#newTexts();
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

  #newTexts(): Texts {
    return new Texts((dictionary, id, text) => {
      if (this.#batch.entriesFull) this.#next(0);
      this.#room(text.length);
      const { counts, entries } = this.#batch;
      const at = counts.entries * ENTRY_FIELDS;
      counts.entries += 1;
      entries[at] = dictionary;
      entries[at + 1] = id;
      entries[at + 2] = counts.stringBytes;
      entries[at + 3] = this.#write(text);
    });
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

/** A connection's client is settled before its first exchange, so this stays true. */
function isReversed({ client, connection }: Exchange): boolean {
  return client !== connection.client && client.text !== connection.client.text;
}

function orNull(value: number | null): number {
  return value === null ? NULL : value;
}

function unlessNegative(value: number): number {
  return value < 0 ? NULL : value;
}

/** First byte to last; negative where the clock of the capture went back. */
function spanNs({ firstByteNs, lastByteNs }: Message): number {
  return lastByteNs === null ? NULL : lastByteNs - firstByteNs;
}

function elapsedMs(fromNs: number | null, toNs: number | null): number {
  return fromNs === null || toNs === null ? NULL : Math.max(0, toNs - fromNs) / 1e6;
}

function totals(row: Float64Array, at: number, from: DirectionTotals): number {
  row[at++] = from.packets;
  row[at++] = from.ipBytes;
  row[at++] = from.payloadBytes;
  row[at++] = from.retransmissions;
  row[at++] = from.outOfOrder;
  row[at++] = from.zeroWindows;
  row[at++] = from.keepAlives;
  row[at++] = from.gaps;
  row[at++] = from.gapBytes;
  return at;
}
