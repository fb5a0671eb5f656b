import type { Anomaly } from '../model/anomaly.ts';
import {
  type Pairing as Certainty,
  type Connection,
  type DirectionTotals,
  type Ending,
  type Endpoint,
  turnEndpoints,
} from '../model/exchange.ts';
import { turnedHistory } from '../model/history.ts';
import type { Limits } from '../model/limits.ts';
import {
  type Direction,
  FROM_CLIENT,
  FROM_SERVER,
  type SegmentFacts,
  type SightingLog,
  type StreamConsumer,
} from '../model/stream.ts';
import type { ExchangeBuilder } from './exchange-builder.ts';
import { type BodyFraming, bodyFraming } from './http1/body-framing.ts';
import type { FieldFacts } from './http1/field-facts.ts';
import type { LineFacts } from './http1/line-facts.ts';
import type { MessageHandler } from './http1/message-handler.ts';
import { MessageParser, type ParserContext } from './http1/message-parser.ts';
import type { Loss } from './loss.ts';
import { type MessageStart, RequestState, ResponseState } from './message-state.ts';
import { Pairing, type PairingResult } from './pairing.ts';
import { foreignProtocol } from './protocol.ts';
import { countersNow, type Ends, type TcpCounters } from './tcp-counters.ts';

/** What connections share. */
export interface HttpContext {
  limits: Limits;
  parsers: ParserContext;
  exchanges: ExchangeBuilder;
}

const SWITCH: BodyFraming = { kind: 'switch', to: 'upgrade' };

/** Requests of one direction, with the responses that come back in the other. */
interface Side {
  parser: MessageParser;
  pairing: Pairing;
  endpoint: Endpoint;
  totals: DirectionTotals;
  /** The message being received in this direction. */
  request: RequestState | null;
  response: ResponseState | null;
  /** Bytes that may have held requests are missing since the last request. */
  /** Something odd in TCP right before the next message. */
  anomalyBefore: Anomaly | null;
  requestsLost: Loss | null;
  finished: boolean;
}

/** The HTTP exchanges of one TCP connection. */
export class HttpConnection implements StreamConsumer, MessageHandler, PairingResult {
  readonly #context: HttpContext;
  readonly #connection: Connection;
  readonly #sides: readonly [Side, Side];
  readonly #clientAsks: Ends;
  readonly #serverAsks: Ends;
  #counters: TcpCounters | null = null;
  #sightings: SightingLog | null = null;
  #requests = 0;
  #resetBy: Direction | null = null;
  /** The direction that ended first. */
  #firstFin: Direction | null = null;
  /** Set when the connection is over. */
  #over: 'closed' | 'evicted' | 'capture-ended' | null = null;

  constructor(context: HttpContext, connection: Connection) {
    this.#context = context;
    this.#connection = connection;
    this.#sides = [
      this.#makeSide(FROM_CLIENT, connection.client, connection.fromClient),
      this.#makeSide(FROM_SERVER, connection.server, connection.fromServer),
    ];
    const [client, server] = this.#sides;
    this.#clientAsks = { asker: client, answerer: server };
    this.#serverAsks = { asker: server, answerer: client };
  }

  #makeSide(direction: Direction, endpoint: Endpoint, totals: DirectionTotals): Side {
    return {
      parser: new MessageParser(
        this.#context.parsers,
        this,
        direction,
        this.#connection.id,
        this.#connection.opening === 'missed',
      ),
      pairing: new Pairing(this),
      endpoint,
      totals,
      request: null,
      response: null,
      anomalyBefore: null,
      requestsLost: null,
      finished: false,
    };
  }

  // From the reassembler.

  data(
    direction: Direction,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    segment: SegmentFacts,
  ): void {
    this.#sightings = segment.sightings;
    this.#sides[direction].parser.data(bytes, start, end, offset, segment);
  }

  gap(direction: Direction, offset: number, length: number, cut: boolean, segment: SegmentFacts): void {
    this.#sides[direction].parser.gap(offset, length, cut, segment);
  }

  fin(direction: Direction, segment: SegmentFacts): void {
    const side = this.#sides[direction];
    this.#firstFin ??= direction;
    side.finished = true;
    side.parser.fin(segment.timeNs);
  }

  reset(by: Direction): void {
    this.#resetBy ??= by;
  }

  anomaly(direction: Direction, anomaly: Anomaly): void {
    const side = this.#sides[direction];
    const message = side.request ?? side.response;
    if (message !== null) message.note(anomaly);
    else side.anomalyBefore = anomaly;
  }

  finish(reason: 'closed' | 'evicted' | 'capture-ended'): void {
    this.#over = reason;
    for (const side of this.#sides) side.parser.finish();
    this.#sides[FROM_CLIENT].pairing.finish(this.#isOrderly(FROM_CLIENT));
    this.#sides[FROM_SERVER].pairing.finish(this.#isOrderly(FROM_SERVER));
  }

  /** Requests of `asking` were answered as long as the other side wanted to, as far as the capture can tell. */
  #isOrderly(asking: Direction): boolean {
    const answered = this.#resetBy === null && this.#sides[opposite(asking)].finished;
    return answered && this.#sides[asking].requestsLost === null;
  }

  // From the parsers.

  head(
    direction: Direction,
    line: LineFacts,
    fields: FieldFacts,
    start: MessageStart,
    headEndOffset: number,
    cut: boolean,
  ): BodyFraming {
    return line.isResponse
      ? this.#responseHead(direction, line, fields, start, headEndOffset, cut)
      : this.#requestHead(direction, line, fields, start, headEndOffset, cut);
  }

  #requestHead(
    direction: Direction,
    line: LineFacts,
    fields: FieldFacts,
    start: MessageStart,
    headEndOffset: number,
    cut: boolean,
  ): BodyFraming {
    const side = this.#sides[direction];
    const peer = this.#sides[opposite(direction)];
    const connection = this.#connection;
    if (line.method === 'PRI' && line.version === '2.0') {
      connection.protocol = 'http2';
      side.parser.becomeOpaque();
      peer.parser.becomeOpaque();
      return SWITCH;
    }
    this.#isHttp(direction);
    // What was not delivered when the request was sent cannot have been received before it.
    const delivered = peer.parser.nextOffset;
    start.ackOffset = start.ackOffset < 0 ? delivered : Math.min(start.ackOffset, delivered);
    const request = new RequestState(direction, line, fields, start, headEndOffset, cut);
    if (this.#sightings !== null) request.watchIn(this.#sightings);
    this.#requests += 1;
    request.position = this.#requests;
    request.gapBefore = side.requestsLost;
    if (side.requestsLost !== null) request.note('resynchronised');
    side.requestsLost = null;
    if (!cut && this.#isClosed(side)) request.note('after-close');
    this.#counters = countersNow(side.totals, peer.totals, this.#counters);
    request.counters = this.#counters;
    const before = side.pairing.last();
    if ((before !== undefined && request.ackOffset <= before.ackOffset) || peer.response !== null) {
      request.note('pipelined');
    }
    this.#context.parsers.ledger.requests += 1;
    if (side.pairing.waiting >= this.#context.limits.pendingRequests) {
      side.pairing.next()?.note('pipelining-limit');
      side.pairing.dropOldest();
    }
    this.#noteBefore(side, request);
    side.request = request;
    side.pairing.request(request);
    if (fields.anomalies.includes('expect-continue')) side.parser.doubtfulBody = true;
    return bodyFraming(line, fields, null);
  }

  #isClosed(side: Side): boolean {
    return side.finished || this.#resetBy !== null;
  }

  #noteBefore(side: Side, message: RequestState | ResponseState): void {
    if (side.anomalyBefore === null) return;
    message.note(side.anomalyBefore);
    side.anomalyBefore = null;
  }

  #responseHead(
    direction: Direction,
    line: LineFacts,
    fields: FieldFacts,
    start: MessageStart,
    headEndOffset: number,
    cut: boolean,
  ): BodyFraming {
    const side = this.#sides[direction];
    const asker = this.#sides[opposite(direction)];
    this.#isHttp(opposite(direction));
    // Nothing waits for an answer: it is that to the request of which the head is still coming.
    if (asker.pairing.next() === undefined) asker.parser.answered();
    this.#context.parsers.ledger.responses += 1;
    if (line.status < 200 && line.status >= 100 && line.status !== 101) {
      this.#context.parsers.ledger.interim += 1;
      const waiting = asker.pairing.next();
      const interim = {
        status: line.status,
        timeNs: start.timeNs,
        startOffset: start.offset,
        endOffset: headEndOffset,
      };
      if (waiting?.addInterim(interim, this.#context.limits.interimResponses) === false) {
        waiting.note('many-interim-responses');
      }
      side.response = null;
      return bodyFraming(line, fields, null);
    }
    const response = new ResponseState(direction, line, fields, start, headEndOffset, cut);
    if (this.#sightings !== null) response.watchIn(this.#sightings);
    this.#noteBefore(side, response);
    side.response = response;
    if (!cut && this.#isClosed(side)) response.note('after-close');
    asker.pairing.response(response);
    const { request } = response;
    if (request !== null && !request.done && !request.anomalies.includes('bad-chunk-size')) {
      request.note('early-response');
    }
    const framing = bodyFraming(line, fields, request === null ? null : request.method);
    if (framing.kind === 'switch' && !cut) this.#switch(framing.to, response);
    else if (request === null) side.parser.doubtfulBody = true;
    return framing;
  }

  /** The connection goes over to another protocol after this response. */
  #switch(to: 'upgrade' | 'tunnel', response: ResponseState): void {
    const [client, server] = this.#sides;
    if (to === 'tunnel') {
      response.note('tunnel');
      client.parser.restart();
      server.parser.restart();
      return;
    }
    response.note('upgraded');
    const upgrade = response.headers.find((field) => field.name === 'upgrade')?.value.toLowerCase() ?? '';
    if (upgrade === 'websocket') this.#connection.protocol = 'websocket';
    else if (upgrade.startsWith('h2')) this.#connection.protocol = 'http2';
    client.parser.becomeOpaque();
    server.parser.becomeOpaque();
  }

  /** The first message of a connection settles its protocol and, where it was a guess, who the client is. */
  #isHttp(asking: Direction): void {
    const connection = this.#connection;
    if (connection.protocol === 'http') return;
    connection.protocol = 'http';
    const side = this.#sides[asking];
    if (connection.opening !== 'missed' || connection.client === side.endpoint) return;
    turnEndpoints(connection);
    connection.history = turnedHistory(connection.history);
  }

  body(direction: Direction, bytes: number, lost: boolean): void {
    const side = this.#sides[direction];
    const message = side.request ?? side.response;
    if (message === null) return;
    message.bodyBytes += bytes;
    if (!lost) return;
    message.lostBytes += bytes;
    message.note('gap-in-body');
  }

  end(direction: Direction, whole: boolean, lastByteNs: number | null, endOffset: number): void {
    const side = this.#sides[direction];
    const { request, response } = side;
    side.request = null;
    side.response = null;
    const message = request ?? response;
    if (message === null) return;
    message.lastByteNs = lastByteNs;
    message.endOffset = endOffset;
    message.whole = whole;
    message.done = true;
    if (!whole) message.ending = this.#endingOf(direction, message);
    if (request !== null) {
      if (request.response?.done === true) this.#emitPair(request, request.response);
    } else if (response !== null) this.#responseDone(response);
  }

  #responseDone(response: ResponseState): void {
    if (response.held) return;
    const { request } = response;
    if (request === null) this.#emitOrphan(response);
    else if (request.done) this.#emitPair(request, response);
  }

  /** Why a message of `direction` broke off. */
  #endingOf(direction: Direction, message: RequestState | ResponseState): Ending {
    if (message.anomalies.includes('bad-chunk-size')) return 'broken-framing';
    // How it was framed, and so whether it broke off at all, stood perhaps in the missing part.
    if (message.anomalies.includes('gap-in-head')) return 'lost-in-capture';
    if (this.#sides[direction].finished) {
      // Who asks has no reason to go on when the other side has closed; who answers may, for it may still be read.
      return closedBy(message instanceof RequestState ? (this.#firstFin ?? direction) : direction);
    }
    return this.#over === null ? 'lost-in-capture' : this.#endingOfConnection(opposite(direction));
  }

  /** Why nothing more came for `asking`. A reset after the other side had closed is not the reason. */
  #endingOfConnection(asking: Direction): Ending {
    if (this.#firstFin === opposite(asking)) return closedBy(this.#firstFin);
    if (this.#resetBy !== null) return this.#resetBy === FROM_CLIENT ? 'reset-by-client' : 'reset-by-server';
    if (this.#over === 'evicted') return 'evicted';
    return this.#firstFin === null ? 'capture-ended' : closedBy(this.#firstFin);
  }

  answersSimpleRequest(direction: Direction): boolean {
    return this.#sides[opposite(direction)].pairing.next()?.line.isSimple === true;
  }

  lost(direction: Direction, end: number, loss: Loss): void {
    const side = this.#sides[direction];
    if (side.requestsLost !== 'between') side.requestsLost = loss;
    this.#sides[opposite(direction)].pairing.responsesLost(end, loss);
  }

  foreign(_direction: Direction, bytes: Uint8Array, start: number, end: number): void {
    if (this.#connection.protocol !== 'none') return;
    this.#connection.protocol = foreignProtocol(bytes, start, end);
  }

  // From the pairing.

  paired(request: RequestState, response: ResponseState, certainty: Certainty): void {
    request.response = response;
    request.pairing = certainty;
    response.request = request;
    if (request.method === 'HEAD' && response.bodyBytes > 0) {
      // Held back, it took what followed for its body, because its request was not known.
      response.whole = false;
      response.ending = 'lost-in-capture';
    }
    if (request.done && response.done) this.#emitPair(request, response);
  }

  unanswered(request: RequestState, certainty: Certainty): void {
    const asking = request.direction;
    request.pairing = certainty;
    let ending: Ending;
    if (request.anomalies.includes('pipelining-limit')) ending = 'evicted';
    else if (this.#over === null || this.#sides[asking].pairing.mayBeLost(request))
      ending = 'lost-in-capture';
    else ending = this.#endingOfConnection(asking);
    this.#context.exchanges.unanswered(this.#connection, this.#endsFor(asking), request, ending);
  }

  orphan(response: ResponseState, certainty: Certainty): void {
    this.#requests += 1;
    response.position = this.#requests;
    response.pairing = certainty;
    if (response.done) this.#emitOrphan(response);
  }

  #emitPair(request: RequestState, response: ResponseState): void {
    this.#context.exchanges.pair(this.#connection, this.#endsFor(request.direction), request, response);
  }

  #emitOrphan(response: ResponseState): void {
    const ends = this.#endsFor(opposite(response.direction));
    this.#context.exchanges.orphan(this.#connection, ends, response, response.pairing);
  }

  #endsFor(asking: Direction): Ends {
    return asking === FROM_CLIENT ? this.#clientAsks : this.#serverAsks;
  }
}

function opposite(direction: Direction): Direction {
  return direction === FROM_CLIENT ? FROM_SERVER : FROM_CLIENT;
}

function closedBy(direction: Direction): Ending {
  return direction === FROM_CLIENT ? 'closed-by-client' : 'closed-by-server';
}
