import { ANOMALIES, type Anomaly } from '../model/anomaly.ts';
import {
  type Connection,
  type Exchange,
  type ExchangeSighting,
  NO_SIGHTINGS,
  QUIET_TCP,
  type RequestMessage,
  type ResponseMessage,
  type TcpFacts,
} from '../model/exchange.ts';
import { sequencesOf } from '../model/exchange-uid.ts';
import { FROM_CLIENT, FROM_SERVER } from '../model/stream.ts';
import { RowValues, wordPlaceSql } from './row-values.ts';
import { sightingsIn } from './sighting-text.ts';
import { damagedStore, type StoreFile } from './store-file.ts';
import type { Placement } from './stored-run.ts';
import { StoredTexts } from './stored-texts.ts';
import { ENDINGS, OUTCOMES, PAIRINGS } from './words.ts';

/** What is read of exchange_rows, in the order of `#exchange`. */
export const EXCHANGE_COLUMNS = [
  'id', 'connection_id', 'reversed', 'position', 'started_us', 'started_ns',
  wordPlaceSql('outcome', OUTCOMES), wordPlaceSql('ending', ENDINGS), wordPlaceSql('pairing', PAIRINGS),
  'interim_id', 'anomaly_count',
  'request_retransmissions', 'response_retransmissions', 'request_out_of_order', 'response_out_of_order',
  'client_zero_windows', 'server_zero_windows',
  'request_packet', 'method_id', 'target_id', 'host_id', 'request_version_id', 'request_media_type_id',
  'user_agent_id', 'request_headers_id', 'request_span_ns', 'request_capture', 'request_header_bytes',
  'request_body_bytes', 'request_lost_bytes',
  'response_packet', 'status', 'reason_id', 'response_version_id', 'response_media_type_id', 'response_headers_id',
  'response_offset_ns', 'response_span_ns', 'response_capture', 'response_header_bytes', 'response_body_bytes',
  'response_lost_bytes', 'sightings_id', 'uid_high', 'uid_low',
].join(', '); // biome-ignore format: a list
const REQUEST_AT = 17;
const RESPONSE_AT = 30;
const SIGHTINGS_AT = RESPONSE_AT + 12;
const UID_AT = SIGHTINGS_AT + 1;
/** A half of a uid is a number of 32 bits. */
const UID_HALF_BEYOND = 2 ** 32;

/** Makes exchanges of the rows of one file. */
export class StoredExchanges {
  readonly #file: StoreFile;
  readonly #placement: Placement;
  readonly #texts: StoredTexts;
  readonly #anomalies: RowValues;

  constructor(file: StoreFile, placement: Placement) {
    this.#file = file;
    this.#placement = placement;
    this.#texts = new StoredTexts(file);
    const { database, path } = file;
    const anomalies = database.prepare('SELECT code FROM anomalies WHERE exchange_id = ? ORDER BY rowid');
    this.#anomalies = new RowValues(database, anomalies, path);
  }

  /** The exchange of a row of EXCHANGE_COLUMNS. Throws UserError when there is no sense in it. */
  exchange(row: RowValues, connection: Connection): Exchange {
    const id = row.count(0);
    const reversed = row.count(2) !== 0;
    const beganNs = (row.whole(4) - this.#placement.epochUs) * 1000 + row.whole(5);
    const outcome = OUTCOMES[row.word(6)];
    const pairing = PAIRINGS[row.word(8)];
    if (outcome === undefined || pairing === undefined)
      throw damagedStore(this.#file.path, `exchange ${id} has no outcome or no pairing`);
    const hasRequest = row.countOrNull(REQUEST_AT) !== null;
    const hasResponse = row.countOrNull(RESPONSE_AT) !== null;
    const uid = sequencesOf(this.#uidHalf(row, 0), this.#uidHalf(row, 1), hasRequest, hasResponse);
    const request = hasRequest ? this.#request(row, beganNs, reversed, uid.request) : null;
    const response = hasResponse ? this.#response(row, beganNs, reversed, uid.response) : null;
    if (request === null && response === null)
      throw damagedStore(this.#file.path, `exchange ${id} has neither request nor response`);
    return {
      id: id + this.#placement.exchangesBefore,
      connection,
      client: reversed ? connection.server : connection.client,
      server: reversed ? connection.client : connection.server,
      position: row.count(3),
      request,
      response,
      interim: this.#texts.interim(row.count(9), beganNs),
      pairing,
      outcome,
      ending: ENDINGS[row.word(7)] ?? null,
      anomalies: row.count(10) === 0 ? NO_ANOMALIES : this.#anomaliesOf(id),
      tcp: tcpFacts(row, 11),
      sightings: this.#sightings(row.count(SIGHTINGS_AT), connection, beganNs),
    };
  }

  finalize(): void {
    this.#texts.finalize();
    this.#anomalies.statement.finalize();
  }

  /** -1: not known. */
  #uidHalf(row: RowValues, half: 0 | 1): number {
    const value = row.countOrNull(UID_AT + half) ?? -1;
    if (value < UID_HALF_BEYOND) return value;
    throw damagedStore(this.#file.path, 'the uid of an exchange makes no sense');
  }

  #request(
    row: RowValues,
    firstByteNs: number,
    reversed: boolean,
    [sequence, acknowledges]: readonly [number, number],
  ): RequestMessage {
    const at = REQUEST_AT;
    const texts = this.#texts;
    const spanNs = row.wholeOrNull(at + 8);
    return {
      version: texts.string(row.count(at + 4)) ?? '',
      firstByteNs,
      lastByteNs: spanNs === null ? null : firstByteNs + spanNs,
      packet: row.count(at),
      capture: row.count(at + 9) + this.#placement.capturesBefore,
      direction: reversed ? FROM_SERVER : FROM_CLIENT,
      startOffset: -1,
      endOffset: -1,
      sequence,
      acknowledges,
      headerBytes: row.count(at + 10),
      bodyBytes: row.count(at + 11),
      lostBytes: row.count(at + 12),
      mediaType: texts.string(row.count(at + 5)),
      headers: texts.headers(row.count(at + 7)),
      method: texts.string(row.count(at + 1)) ?? '',
      target: texts.target(row.count(at + 2)) ?? '',
      host: texts.host(row.count(at + 3)),
      userAgent: texts.string(row.count(at + 6)),
    };
  }

  #response(
    row: RowValues,
    beganNs: number,
    reversed: boolean,
    [sequence, acknowledges]: readonly [number, number],
  ): ResponseMessage {
    const at = RESPONSE_AT;
    const texts = this.#texts;
    const firstByteNs = beganNs + row.whole(at + 6);
    const spanNs = row.wholeOrNull(at + 7);
    const status = row.count(at + 1);
    return {
      version: texts.string(row.count(at + 3)) ?? '',
      firstByteNs,
      lastByteNs: spanNs === null ? null : firstByteNs + spanNs,
      packet: row.count(at),
      capture: row.count(at + 8) + this.#placement.capturesBefore,
      direction: reversed ? FROM_CLIENT : FROM_SERVER,
      startOffset: -1,
      endOffset: -1,
      sequence,
      acknowledges,
      headerBytes: row.count(at + 9),
      bodyBytes: row.count(at + 10),
      lostBytes: row.count(at + 11),
      mediaType: texts.string(row.count(at + 4)),
      headers: texts.headers(row.count(at + 5)),
      status: status === 0 ? null : status,
      reason: texts.string(row.count(at + 2)) ?? '',
    };
  }

  #sightings(id: number, { sightings }: Connection, beganNs: number): readonly ExchangeSighting[] {
    const text = this.#texts.string(id);
    return text === null ? NO_SIGHTINGS : sightingsIn(text, sightings, beganNs, this.#file.path);
  }

  #anomaliesOf(id: number): readonly Anomaly[] {
    const { statement } = this.#anomalies;
    statement.bindNumber(1, id);
    const anomalies: Anomaly[] = [];
    while (statement.step()) {
      const code = this.#anomalies.text(0);
      if (!Object.hasOwn(ANOMALIES, code))
        throw damagedStore(this.#file.path, `exchange ${id} has an anomaly that this version does not know`);
      anomalies.push(code as Anomaly);
    }
    statement.reset();
    return anomalies;
  }
}

const NO_ANOMALIES: readonly Anomaly[] = Object.freeze([]);

function tcpFacts(row: RowValues, at: number): TcpFacts {
  const requestRetransmissions = row.count(at);
  const responseRetransmissions = row.count(at + 1);
  const requestOutOfOrder = row.count(at + 2);
  const responseOutOfOrder = row.count(at + 3);
  const clientZeroWindows = row.count(at + 4);
  const serverZeroWindows = row.count(at + 5);
  const quiet =
    requestRetransmissions + responseRetransmissions + requestOutOfOrder + responseOutOfOrder === 0 &&
    clientZeroWindows + serverZeroWindows === 0;
  return quiet
    ? QUIET_TCP
    : {
        requestRetransmissions,
        responseRetransmissions,
        requestOutOfOrder,
        responseOutOfOrder,
        clientZeroWindows,
        serverZeroWindows,
      };
}
