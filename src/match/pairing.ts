import type { Pairing as Certainty } from '../model/exchange.ts';
import type { Loss } from './loss.ts';
import type { RequestState, ResponseState } from './message-state.ts';
import { RequestQueue } from './request-queue.ts';

/** Shared, and never added to. */
const NONE: ResponseState[] = [];

/** What the pairing decides; the connection carries it out. */
export interface PairingResult {
  paired(request: RequestState, response: ResponseState, certainty: Certainty): void;
  /** The answer to `request` lies in a gap, or the request cannot be told from others. */
  unanswered(request: RequestState, certainty: Certainty): void;
  orphan(response: ResponseState, certainty: Certainty): void;
}

/**
 * Which response answers which request, for the requests of one direction.
 *
 * Without loss: first in, first out. Where bytes are missing that may have held messages, counting is off, and
 * TCP's acknowledgements are what is left to go by. Requests that acknowledge the same place were sent together:
 * a batch, mostly of one. A request that acknowledges more begins the next batch, and shows that everything
 * before it had been answered. So the responses to a batch begin between what it acknowledges and what the next
 * one does, and within a batch
 *
 *     requests   Q1 Q2 ▒▒▒ Q5 Q6        ▒ may have held requests
 *     responses  A1 ▒▒▒ A4 A5 A6        ▒ may have held responses
 *
 *  - responses before the first gap answer requests before the first gap, counted from the front, at once;
 *  - responses after the last gap answer requests after the last gap, counted from the back, as soon as the next
 *    batch shows that all was answered; they are held until then;
 *  - what lies between the gaps comes out unpaired and marked ambiguous.
 *
 * A client that sends on while it waits (neither one by one nor in batches) gives no such boundaries; after a loss
 * on such a connection nothing is paired any more. So a pair may be missing, but is never shifted.
 */
export class Pairing {
  readonly #result: PairingResult;
  /** Requests without an answer so far. */
  readonly #waiting = new RequestQueue();
  /** Responses held back, in order, and how many of them stand before the last gap. */
  #held: ResponseState[] = NONE;
  #heldBeforeGap = 0;
  /** Response bytes that may have held messages are missing, or were not understood, up to here; -1: none are. */
  #lostUpTo = -1;
  #missingUpTo = -1;
  /** The same where at least one response is lost for sure. */
  #lostForSureUpTo = -1;
  /** Since the last pair a response without a known request came, or was lost, before here; -1: none. */
  #unpairedUpTo = -1;
  /** Requests were sent while others waited, although an answer had come in between. */
  #overlapping = false;
  /** Requests given up because too many waited; their answers are still to come. */
  #forgotten = 0;
  /** The order cannot be found again. */
  #lostTrack = false;

  constructor(result: PairingResult) {
    this.#result = result;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** The request that would be answered next. */
  next(): RequestState | undefined {
    return this.#waiting.at(0);
  }

  /** The newest request, if it still waits. */
  last(): RequestState | undefined {
    return this.#waiting.at(this.#waiting.length - 1);
  }

  /** Response bytes up to `end` belong to no known message. */
  responsesLost(end: number, loss: Loss): void {
    if (loss !== 'skipped') this.#missingUpTo = Math.max(this.#missingUpTo, end);
    if (loss === 'between') {
      this.#lostForSureUpTo = Math.max(this.#lostForSureUpTo, end);
      this.#unpairedUpTo = Math.max(this.#unpairedUpTo, end);
    }
    this.#lostUpTo = Math.max(this.#lostUpTo, end);
    this.#heldBeforeGap = this.#held.length;
  }

  request(request: RequestState): void {
    const last = this.last();
    const newBatch = last === undefined ? this.#held.length > 0 : request.ackOffset > last.ackOffset;
    if (newBatch && !this.#lostTrack) {
      if (!this.#inDoubt()) this.#overlapping = true;
      else if (this.#overlapping) this.#loseTrack();
      else this.#settle(request.gapBefore === null);
    }
    if (request.gapBefore !== null) {
      request.gapAnswered = request.gapBefore !== 'between' || this.#answeredBefore(request);
    }
    this.#waiting.push(request);
  }

  /** A response's head was read: pairs it, holds it back, or finds that its request is unknown. */
  response(response: ResponseState): void {
    if (this.#lostTrack || this.#forgotten > 0) {
      if (this.#forgotten > 0) this.#forgotten -= 1;
      this.#orphan(response, 'ambiguous');
      return;
    }
    if (this.#held.length > 0) {
      this.#hold(response);
      return;
    }
    const request = this.#waiting.at(0);
    if (request === undefined) {
      this.#orphan(response, 'exact');
      return;
    }
    const wasRead = response.ackOffset < 0 || response.ackOffset >= request.headEndOffset;
    if (request.gapBefore !== null) {
      // What the server had not read it cannot have answered: this answers a request that is missing.
      if (wasRead) this.#hold(response);
      else this.#orphan(response, 'exact');
      return;
    }
    const afterGap = this.#lostUpTo > request.ackOffset;
    if (afterGap && !this.#isOnlyCandidate(request, response)) {
      this.#hold(response);
      return;
    }
    this.#waiting.shift();
    // Without a loss the order decides, also where acknowledgement numbers contradict it.
    this.#pair(request, response, afterGap || !wasRead ? 'inferred' : 'exact');
  }

  /**
   * The connection is over. `orderly`: the server ended it, and no request bytes are missing after the last
   * request.
   */
  finish(orderly: boolean): void {
    if (this.#held.length > 0) this.#settle(orderly && this.#allAnswered());
    for (let request = this.#waiting.shift(); request !== undefined; request = this.#waiting.shift()) {
      this.#result.unanswered(request, this.#lostTrack ? 'ambiguous' : 'exact');
    }
  }

  /** Gives up the oldest waiting request, because too many wait. */
  dropOldest(): void {
    if (this.#held.length > 0) this.#settle(false);
    const request = this.#waiting.shift();
    if (request === undefined) return;
    this.#forgotten += 1;
    this.#result.unanswered(request, 'exact');
  }

  /** True when response bytes are missing that may have held the answer to `request`. */
  mayBeLost(request: RequestState): boolean {
    return this.#missingUpTo > request.ackOffset;
  }

  /** Something is missing that makes counting unreliable for what waits now. */
  #inDoubt(): boolean {
    const first = this.#waiting.at(0);
    return (
      this.#held.length > 0 ||
      (first !== undefined && (first.gapBefore !== null || this.#lostUpTo > first.ackOffset))
    );
  }

  /** Since the last pair an answer to an unknown request came, or was lost, before `request` was sent. */
  #answeredBefore(request: RequestState): boolean {
    return this.#unpairedUpTo >= 0 && request.ackOffset >= this.#unpairedUpTo;
  }

  /** The server had read nothing but this request when it answered, and no other one waits. */
  #isOnlyCandidate(request: RequestState, response: ResponseState): boolean {
    const end = Math.max(request.endOffset, request.headEndOffset);
    return this.#waiting.length === 1 && response.ackOffset >= 0 && response.ackOffset <= end;
  }

  /**
   * The held responses account for every waiting request: one or more lost responses and the held ones make up
   * all answers, or there are more of them than known requests, because requests are missing.
   */
  #allAnswered(): boolean {
    const afterGap = this.#held.length - this.#heldBeforeGap;
    const known = this.#requestsAfterGap();
    const first = this.#waiting.at(this.#waiting.length - known);
    if (first !== undefined && first.gapBefore !== null)
      return first.gapAnswered ? afterGap >= known : afterGap > known;
    const lostForSure = first !== undefined && this.#lostForSureUpTo > first.ackOffset;
    return afterGap >= (lostForSure ? known - 1 : known);
  }

  /** Waiting requests from the last one with missing bytes before it; all of them where none are missing. */
  #requestsAfterGap(): number {
    const count = this.#waiting.length;
    for (let index = count - 1; index >= 0; index -= 1) {
      if (this.#waiting.at(index)?.gapBefore !== null) return count - index;
    }
    return count;
  }

  #hold(response: ResponseState): void {
    response.held = true;
    if (this.#held === NONE) this.#held = [];
    this.#held.push(response);
  }

  #pair(request: RequestState, response: ResponseState, certainty: Certainty): void {
    this.#unpairedUpTo = -1;
    response.held = false;
    this.#result.paired(request, response, certainty);
  }

  #orphan(response: ResponseState, certainty: Certainty): void {
    response.held = false;
    this.#unpairedUpTo = Math.max(this.#unpairedUpTo, response.headEndOffset);
    this.#result.orphan(response, certainty);
  }

  /** Lets go of everything waiting and held; with `countBack` the last ones are paired. */
  #settle(countBack: boolean): void {
    const held = this.#held;
    const pairs = countBack ? this.#pairsFromTheBack() : 0;
    this.#held = NONE;
    this.#heldBeforeGap = 0;
    const orphans = held.length - pairs;
    const unanswered = this.#waiting.length - pairs;
    const certainty = orphans > 0 && unanswered > 0 ? 'ambiguous' : 'inferred';
    for (let index = 0; index < orphans; index += 1) this.#orphan(held[index], certainty);
    for (let count = 0; count < unanswered; count += 1) {
      const request = this.#waiting.shift();
      if (request !== undefined) this.#result.unanswered(request, certainty);
    }
    for (let index = orphans; index < held.length; index += 1) {
      const request = this.#waiting.shift();
      if (request !== undefined) this.#pair(request, held[index], 'inferred');
    }
  }

  /** How many pairs can be counted from the back of a batch that was answered as a whole. */
  #pairsFromTheBack(): number {
    const responses = this.#held.length - this.#heldBeforeGap;
    const requests = this.#requestsAfterGap();
    const first = this.#waiting.at(this.#waiting.length - requests);
    if (first !== undefined && first.gapBefore !== null) {
      // At least one request is missing there; its answer must be among the responses, or have come before.
      return responses > requests || (first.gapAnswered && responses === requests)
        ? requests
        : this.#fewer(responses, first);
    }
    return responses <= requests ? responses : 0;
  }

  /** With response bytes missing as well, the last responses still answer the last requests. */
  #fewer(responses: number, first: RequestState): number {
    return this.#lostUpTo > first.ackOffset ? responses : 0;
  }

  #loseTrack(): void {
    this.#lostTrack = true;
    const held = this.#held;
    this.#held = NONE;
    this.#heldBeforeGap = 0;
    for (const response of held) this.#orphan(response, 'ambiguous');
  }
}
