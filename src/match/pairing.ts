import type { Pairing as Certainty } from '../model/exchange.ts';
import type { RequestState, ResponseState } from './message-state.ts';
import { RequestQueue } from './request-queue.ts';

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
 * First in, first out, anchored by TCP. Three facts bind a response to a request:
 *  - the server had received the request when it answered: the response's segment acknowledges its head;
 *  - the client had not received the answer when it asked: what the request's segment acknowledges lies at or
 *    before the response's first byte;
 *  - where bytes of the response direction are missing, a request that was followed by another one which
 *    acknowledges some of the missing bytes has its answer in there.
 *
 * Where bytes are missing and several requests are under way at once, nothing tells at first which answers were
 * lost. Responses are then held back until a later request shows that everything before it had been answered;
 * they are the last answers before it, so they are assigned from the end. If that never happens, they come out
 * unpaired and marked ambiguous. A pair is never shifted.
 */
export class Pairing {
  readonly #result: PairingResult;
  /** Requests without an answer so far. */
  readonly #waiting = new RequestQueue();
  /** Responses held back, in order, and how many of the first ones are cut off from the later ones by a gap. */
  #held: ResponseState[] = [];
  #heldBeforeGap = 0;
  /** Where response bytes that may have held messages began to be missing; -1: none since the last pair. */
  #lostFrom = -1;
  /** Place right after the head of the last response that was paired; 0: none yet. */
  #pairedUpTo = 0;

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

  /** Response bytes from `offset` on are missing and belong to no known message. */
  responsesLost(offset: number): void {
    if (this.#lostFrom < 0) this.#lostFrom = offset;
    this.#heldBeforeGap = this.#held.length;
  }

  request(request: RequestState): void {
    const last = this.#held[this.#held.length - 1];
    // Sent after all held responses had been received: they answer what came before this request.
    if (last !== undefined && request.ackOffset > last.startOffset) this.#settle(true);
    this.#waiting.push(request);
  }

  /** A response's head was read. Tells the request's method where it is certain, for the body's framing. */
  response(response: ResponseState): void {
    if (this.#held.length > 0) {
      this.#hold(response);
      return;
    }
    for (let inferred = false; ; inferred = true) {
      const request = this.#waiting.at(0);
      if (request === undefined) {
        this.#orphan(response, this.#lostFrom >= 0 || inferred ? 'inferred' : 'exact');
        return;
      }
      if (response.ackOffset >= 0 && response.ackOffset < request.headEndOffset) {
        // The server had not read this request. Then it answers one that the capture lost; without a loss, the
        // acknowledgement numbers are not to be trusted and the order decides.
        if (request.gapBefore) {
          this.#orphan(response, 'exact');
          return;
        }
        inferred = true;
      }
      if (this.#lostFrom >= 0) {
        const verdict = this.#afterLoss(request, response);
        if (verdict === 'hold') {
          this.#hold(response);
          return;
        }
        if (verdict === 'lost') {
          this.#waiting.shift();
          this.#result.unanswered(request, 'inferred');
          continue;
        }
        if (request.ackOffset !== response.startOffset) inferred = true;
      } else if (request.gapBefore && request.ackOffset <= this.#pairedUpTo) {
        // Requests may be missing right before this one, and nothing was answered in between.
        if (response.ackOffset < 0 || response.ackOffset > request.headEndOffset || this.#waiting.length > 1) {
          this.#hold(response);
          return;
        }
        inferred = true;
      }
      this.#waiting.shift();
      this.#pair(request, response, inferred || request.gapBefore ? 'inferred' : 'exact');
      return;
    }
  }

  /** The connection is over. `orderly`: the server ended it after its last response. */
  finish(orderly: boolean): void {
    if (this.#held.length > 0) this.#settle(orderly && this.#held.length >= this.#waiting.length);
    for (let request = this.#waiting.shift(); request !== undefined; request = this.#waiting.shift()) {
      this.#result.unanswered(request, 'exact');
    }
  }

  /** Gives up the oldest waiting request, because too many wait. */
  dropOldest(): void {
    if (this.#held.length > 0) this.#settle(false);
    const request = this.#waiting.shift();
    if (request !== undefined) this.#result.unanswered(request, 'exact');
  }

  /** True when response bytes are missing that may have held the answer to `request`. */
  mayBeLost(request: RequestState): boolean {
    return this.#lostFrom >= 0 && request.ackOffset <= this.#lostFrom;
  }

  /** What a gap before `response` means for the oldest request: its answer was in there, or not, or unclear. */
  #afterLoss(request: RequestState, response: ResponseState): 'answered' | 'lost' | 'hold' {
    const { ackOffset } = response;
    const following = this.#waiting.at(1);
    const followingIsRead =
      following !== undefined && (ackOffset < 0 || following.headEndOffset <= ackOffset);
    if (followingIsRead && following.ackOffset > this.#lostFrom) return 'lost';
    // Sent after bytes of the gap had been received: a later answer is its own, if nothing else is under way.
    if (request.ackOffset > this.#lostFrom) return followingIsRead ? 'hold' : 'answered';
    if (followingIsRead) return 'hold';
    const end = request.endOffset < 0 ? request.headEndOffset : request.endOffset;
    return ackOffset >= 0 && ackOffset <= Math.max(end, request.headEndOffset) ? 'answered' : 'hold';
  }

  #hold(response: ResponseState): void {
    response.held = true;
    this.#held.push(response);
  }

  #pair(request: RequestState, response: ResponseState, certainty: Certainty): void {
    this.#lostFrom = -1;
    this.#pairedUpTo = response.headEndOffset;
    response.held = false;
    this.#result.paired(request, response, certainty);
  }

  #orphan(response: ResponseState, certainty: Certainty): void {
    response.held = false;
    this.#result.orphan(response, certainty);
  }

  /**
   * Lets go of the held responses. With `allAnswered` the waiting requests have all been answered, so the held
   * responses belong to the last of them; otherwise nothing is certain.
   */
  #settle(allAnswered: boolean): void {
    const held = this.#held;
    const cutOff = this.#heldBeforeGap;
    this.#held = [];
    this.#heldBeforeGap = 0;
    const certain = allAnswered ? Math.min(held.length - cutOff, this.#waiting.length) : 0;
    const orphans = held.length - certain;
    for (let index = 0; index < orphans; index += 1) this.#orphan(held[index], 'ambiguous');
    const unanswered = allAnswered ? this.#waiting.length - certain : 0;
    for (let count = 0; count < unanswered; count += 1) {
      const request = this.#waiting.shift();
      if (request !== undefined) this.#result.unanswered(request, certain > 0 ? 'inferred' : 'ambiguous');
    }
    for (let index = orphans; index < held.length; index += 1) {
      const request = this.#waiting.shift();
      if (request !== undefined) this.#pair(request, held[index], 'inferred');
    }
    this.#lostFrom = -1;
  }
}
