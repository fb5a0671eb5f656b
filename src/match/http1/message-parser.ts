import type { Ledger } from '../../model/ledger.ts';
import type { Direction, SegmentFacts } from '../../model/stream.ts';
import type { Loss } from '../loss.ts';
import { type BodyFraming, requestMayHaveBody } from './body-framing.ts';
import { CR, LF } from './characters.ts';
import { BODY, type ChunkedBody } from './chunked-body.ts';
import { CurrentMessage } from './current-message.ts';
import { type DirectionState, STATE } from './direction-state.ts';
import { HeadRecall, type HeadSources } from './head-recall.ts';
import { IncomingBody } from './incoming-body.ts';
import { HEAD, IncomingHead } from './incoming-head.ts';
import type { LineFacts } from './line-facts.ts';
import type { MessageHandler } from './message-handler.ts';
import { mayBeProxyHeader, ProxyHeader, proxyLineRest } from './proxy-header.ts';
import { judgeStart, mayBeStatusLine, START, type Start } from './start-line.ts';

const NO_BYTES = new Uint8Array(0);
const NO_BODY: BodyFraming = { kind: 'none' };
/** Fewer bytes of a start line are not recognised among those of another protocol. */
const FEWEST_FOREIGN_START_BYTES = 16;

/** What the parsers of a run share. */
export interface ParserContext extends HeadSources {
  ledger: Ledger;
  /** Bytes of a head that are kept. */
  headBytes: number;
}

/**
 * Reads the HTTP/1.x messages of one direction out of its bytes, whatever pieces they come in: finds where messages
 * begin, and hands their bytes to the head and the body under way. `shift` below is what turns an offset into the
 * bytes at hand into a place in the direction.
 */
export class MessageParser {
  readonly #direction: Direction;
  readonly #handler: MessageHandler;
  readonly #ledger: Ledger;
  readonly #recall: HeadRecall;
  readonly #head: IncomingHead;
  readonly #body = new IncomingBody();
  readonly #message: CurrentMessage;
  /** The beginning of the direction is not in the capture: what comes first may be the middle of something. */
  #beginsInside: boolean;
  #state: DirectionState = STATE.probe;
  /** Place of the next byte in the direction. */
  nextOffset = 0;
  /** When the last byte of the direction came. */
  #lastNs = 0;
  /** The body may be absent although it has a length: of a response to an unknown request, or a refused request. */
  doubtfulBody = false;
  #framingAfterLongHead: BodyFraming = NO_BODY;
  #preface: ProxyHeader | null = null;

  /** `beginsInside`: the opening of the connection was not captured. */
  constructor(
    context: ParserContext,
    handler: MessageHandler,
    direction: Direction,
    connectionId: number,
    beginsInside: boolean,
  ) {
    this.#beginsInside = beginsInside;
    this.#direction = direction;
    this.#handler = handler;
    this.#ledger = context.ledger;
    this.#recall = new HeadRecall(context, connectionId, direction);
    this.#head = new IncomingHead(this.#recall, context.headBytes);
    this.#message = new CurrentMessage(direction, handler, context.ledger);
  }

  /** The direction goes over to another protocol; nothing in it is looked at any more. */
  becomeOpaque(): void {
    this.#dropHeld(true);
    this.#state = STATE.opaque;
  }

  /** A tunnel begins: what follows may be anything, also HTTP. */
  restart(): void {
    this.#dropHeld(true);
    this.#state = STATE.probe;
    this.#message.kind = START.no;
  }

  /**
   * An answer came that only the message under way can have brought about. Where its head is not whole yet, what is
   * there of it counts, and the rest is passed over.
   */
  answered(): void {
    if (this.#state !== STATE.head || !this.#head.hasLine) return;
    this.#framingAfterLongHead = this.#beginCutMessage(this.nextOffset);
    this.#state = STATE.longHead;
  }

  data(bytes: Uint8Array, start: number, end: number, offset: number, segment: SegmentFacts): void {
    const shift = offset - start;
    let at = start;
    this.nextOffset = offset + (end - start);
    this.#lastNs = segment.timeNs;
    while (at < end) {
      switch (this.#state) {
        case STATE.body:
          at = this.#takeBody(bytes, at, end, shift, segment);
          break;
        case STATE.start:
        case STATE.probe:
          at = this.#begin(bytes, at, end, shift, segment);
          break;
        case STATE.head:
          at = this.#collect(bytes, at, end, shift, segment);
          break;
        case STATE.longHead:
          at = this.#skipLongHead(bytes, at, end, shift, segment);
          break;
        case STATE.lost:
          at = this.#seek(bytes, at, end, shift, segment);
          break;
        case STATE.foreign:
          at = this.#glance(bytes, at, end, shift, segment);
          break;
        case STATE.preface:
          at = this.#passPreface(bytes, at, end);
          break;
        default:
          this.#ledger.otherProtocolBytes += end - at;
          at = end;
      }
    }
  }

  /** `length` bytes from `offset` are missing; `cut`: they are the rest of a segment that the snaplen cut. */
  gap(offset: number, length: number, cut: boolean, segment: SegmentFacts): void {
    const end = offset + length;
    this.nextOffset = end;
    switch (this.#state) {
      case STATE.body:
        this.#gapInBody(offset, length);
        return;
      case STATE.head:
        // The rest of a segment that begins with a head is taken for the rest of that message.
        if (!this.#breakHead(segment.timeNs, true) || !cut) this.#lose(end, 'inside');
        else if (this.#message.isOpen) this.#state = STATE.lost;
        return;
      case STATE.probe:
        this.#beginsInside = true;
        this.#handler.lost(this.#direction, end, 'between');
        return;
      case STATE.foreign:
        this.#handler.lost(this.#direction, end, 'inside');
        return;
      case STATE.opaque:
        return;
      case STATE.start:
        this.#lose(end, 'between');
        return;
      default:
        if (!cut || !this.#message.isOpen) this.#lose(end, 'inside');
    }
  }

  /** The direction has ended in order. */
  fin(timeNs: number): void {
    if (this.#state === STATE.head) {
      this.#breakHead(timeNs, false);
      if (this.#message.isOpen) this.#endMessage(false, this.#lastNs, -1);
      this.#state = STATE.lost;
    } else if (this.#message.isOpen) {
      const endsHere = this.#state === STATE.body && this.#body.lastsUntilClose;
      if (endsHere || this.#state === STATE.lost) {
        this.#endMessage(endsHere, this.#lastNs, this.nextOffset);
      }
    }
  }

  /** Nothing more comes: what has begun is brought to an end. */
  finish(): void {
    if (this.#state === STATE.head) this.#breakHead(this.#lastNs, false);
    if (this.#message.isOpen) this.#endMessage(false, this.#lastNs, -1);
    this.#dropHeld(false);
    this.#state = STATE.opaque;
  }

  // Where a message may begin.

  #begin(bytes: Uint8Array, from: number, end: number, shift: number, segment: SegmentFacts): number {
    if (this.#beginsInside) {
      this.#beginsInside = false;
      if (judgeStart(bytes, from, end, true) === START.no) {
        this.#notHttp(bytes, from, end);
        return from;
      }
    }
    const known = this.#recall.knownLine(bytes, from, end);
    if (known !== null && this.#message.expects(known.isResponse ? START.response : START.request)) {
      return this.#takeHead(bytes, from, end, shift, segment, known.isResponse, known);
    }
    let at = from;
    while (at < end && (bytes[at] === LF || bytes[at] === CR)) at += 1;
    if (at > from) {
      this.#ledger.unparsedBytes += at - from;
      this.#message.isAfterEmptyLine = true;
      if (at === end) return at;
    }
    const judged = judgeStart(bytes, at, end, false);
    if (judged !== START.response && this.#beginsSimpleAnswer(bytes, at, end)) {
      this.#message.noteStart(at + shift, segment);
      this.#beginSimpleAnswer(at + shift, segment);
      return at;
    }
    if (judged === START.no || !this.#message.expects(judged)) {
      const after = at + this.#prefaceBytes(NO_BYTES, 0, bytes, at, end);
      if (after === at && this.#state !== STATE.preface) this.#notHttp(bytes, at, end);
      return after;
    }
    return this.#takeStart(bytes, at, end, shift, segment, judged, false);
  }

  /**
   * Before the first message may stand a header of the PROXY protocol. Bytes of its line at `at`, behind those that are held; of a
   * header of version 2 the state says that it begins.
   */
  #prefaceBytes(held: Uint8Array, heldBytes: number, bytes: Uint8Array, at: number, end: number): number {
    if (this.#message.found || this.#state === STATE.start) return 0;
    if (this.#message.isAfterEmptyLine && heldBytes === 0 && mayBeProxyHeader(bytes, at)) {
      this.#preface = new ProxyHeader();
      this.#state = STATE.preface;
      return 0;
    }
    const length = proxyLineRest(held, heldBytes, bytes, at, end);
    this.#ledger.otherProtocolBytes += length;
    return length;
  }

  #passPreface(bytes: Uint8Array, at: number, end: number): number {
    const preface = this.#preface;
    if (preface === null) return at;
    const after = preface.take(bytes, at, end);
    this.#ledger.otherProtocolBytes += after - at;
    if (preface.done || preface.broken) {
      this.#preface = null;
      this.#state = STATE.probe;
      this.#message.isAfterEmptyLine = false;
      if (preface.broken) this.#notHttp(bytes, after, end);
    }
    return after;
  }

  /** The body of HTTP/0.9 begins here, unless it may still become a status line, which later servers send. */
  #beginsSimpleAnswer(bytes: Uint8Array, at: number, end: number): boolean {
    const mayBe = !this.#message.found && !mayBeStatusLine(bytes, at, end);
    return mayBe && this.#handler.answersSimpleRequest(this.#direction);
  }

  /** The message of which the start is noted is the bare body of HTTP/0.9. */
  #beginSimpleAnswer(offset: number, segment: SegmentFacts): void {
    this.#recall.useSimpleAnswer();
    this.#beginBody(this.#beginMessage(0, offset, false), segment.timeNs, offset);
  }

  /** Looks for a start line at the beginning of lines and segments. */
  #seek(bytes: Uint8Array, from: number, end: number, shift: number, segment: SegmentFacts): number {
    let at = from;
    while (at < end) {
      const judged = judgeStart(bytes, at, end, true);
      if (judged !== START.no && this.#message.expects(judged)) {
        this.#ledger.unparsedBytes += at - from;
        return this.#takeStart(bytes, at, end, shift, segment, judged, true);
      }
      while (at < end && bytes[at] !== LF) at += 1;
      at += 1;
    }
    // A start line cut within its first bytes would have been missed.
    this.#handler.lost(this.#direction, end + shift, 'skipped');
    this.#ledger.unparsedBytes += end - from;
    this.#message.limboNs = segment.timeNs;
    return end;
  }

  /** Another protocol: HTTP may still begin, at the start of a segment (SOCKS, PROXY protocol, mid-stream). */
  #glance(bytes: Uint8Array, at: number, end: number, shift: number, segment: SegmentFacts): number {
    const judged = judgeStart(bytes, at, end, true);
    const isLongEnough = judged !== START.more || end - at >= FEWEST_FOREIGN_START_BYTES;
    if (judged !== START.no && isLongEnough) {
      return this.#takeStart(bytes, at, end, shift, segment, judged, true);
    }
    this.#handler.lost(this.#direction, end + shift, 'skipped');
    this.#ledger.otherProtocolBytes += end - at;
    return end;
  }

  /** Bytes at the place of a start line are none. */
  #notHttp(bytes: Uint8Array, at: number, end: number): void {
    if (this.#state === STATE.probe || !this.#message.found) {
      this.#state = STATE.foreign;
      this.#handler.foreign(this.#direction, bytes, at, end);
    } else this.#lose(this.nextOffset);
  }

  /** Framing is lost: from here on a start line is looked for. */
  #lose(end: number, loss: Loss = 'skipped'): void {
    this.#state = STATE.lost;
    this.#message.limboNs = this.#lastNs;
    this.#handler.lost(this.#direction, end, loss);
  }

  // Heads. What takes bytes returns the offset after what was used.

  /** A start line stands at `at`, or the beginning of one; `strictly`: it was found among other bytes. */
  #takeStart(
    bytes: Uint8Array,
    at: number,
    end: number,
    shift: number,
    segment: SegmentFacts,
    judged: Start,
    strictly: boolean,
  ): number {
    if (judged !== START.more) {
      return this.#takeHead(bytes, at, end, shift, segment, judged === START.response, null);
    }
    this.#message.noteStart(at + shift, segment);
    this.#state = STATE.head;
    return this.#head.hold(bytes, at, end, strictly);
  }

  /** `known`: what the start line says, where that was read before. */
  #takeHead(
    bytes: Uint8Array,
    at: number,
    end: number,
    shift: number,
    segment: SegmentFacts,
    isResponse: boolean,
    known: LineFacts | null,
  ): number {
    this.#message.noteStart(at + shift, segment);
    const after = this.#head.take(bytes, at, end, isResponse, known);
    this.#useHead(after + shift, segment);
    return after;
  }

  /** More of a head that was cut by the segments. */
  #collect(bytes: Uint8Array, at: number, end: number, shift: number, segment: SegmentFacts): number {
    const after = this.#head.takeMore(bytes, at, end, this.#message.kind);
    if (this.#head.outcome !== HEAD.none) this.#useHead(after + shift, segment);
    else if (!this.#message.found && this.#handler.answersSimpleRequest(this.#direction)) {
      const { heldBytes } = this.#head;
      this.#head.drop();
      this.#beginSimpleAnswer(this.#message.startOffset, segment);
      this.#message.body(heldBytes);
    } else {
      const { held, heldBytes } = this.#head;
      const rest = this.#prefaceBytes(held, heldBytes, bytes, at, end);
      if (rest > 0) {
        this.#dropHeld(true);
        this.#state = STATE.probe;
        return at + rest;
      }
      this.#dropHeld(false);
      this.#notHttp(bytes, at, end);
    }
    return after;
  }

  /** Bytes of a head were taken, up to `offset`. */
  #useHead(offset: number, segment: SegmentFacts): void {
    const head = this.#head;
    if (head.outcome === HEAD.whole) {
      this.#beginBody(this.#beginMessage(head.length, offset, false), segment.timeNs, offset);
    } else if (head.outcome === HEAD.more) this.#state = STATE.head;
    else {
      // Longer than the limit: what is there is used, the rest is skipped up to the empty line.
      this.#framingAfterLongHead = this.#beginCutMessage(offset);
      this.#message.note('head-too-long');
      this.#state = STATE.longHead;
    }
  }

  #skipLongHead(bytes: Uint8Array, from: number, end: number, shift: number, segment: SegmentFacts): number {
    const after = this.#head.skipRest(bytes, from, end);
    this.#ledger.headBytes += after - from;
    if (this.#head.outcome === HEAD.whole) {
      this.#beginBody(this.#framingAfterLongHead, segment.timeNs, after + shift);
    }
    return after;
  }

  /**
   * A head whose rest is missing in the capture, or was never sent: if its start line is there, the message counts.
   * False: it is not.
   */
  #breakHead(timeNs: number, isGap: boolean): boolean {
    if (!this.#head.hasLine) {
      this.#dropHeld(false);
      this.#state = STATE.lost;
      return false;
    }
    const headEndOffset = this.#message.startOffset + this.#head.heldBytes;
    const framing = this.#beginCutMessage(headEndOffset);
    if (isGap) this.#message.note('gap-in-head');
    // Whether a body follows stood perhaps in the missing fields.
    if (framing.kind === 'none' && requestMayHaveBody(this.#recall.line)) this.#state = STATE.lost;
    else this.#beginBody(framing, timeNs, headEndOffset);
    return true;
  }

  /** Bytes held for a head that came to nothing go to the ledger. */
  #dropHeld(foreign: boolean): void {
    const { heldBytes } = this.#head;
    if (heldBytes === 0) return;
    const { found } = this.#message;
    if (!foreign && !found) this.#handler.foreign(this.#direction, this.#head.held, 0, heldBytes);
    if (foreign || !found) this.#ledger.otherProtocolBytes += heldBytes;
    else this.#ledger.unparsedBytes += heldBytes;
    this.#head.drop();
  }

  // Messages and their bodies.

  /** The message whose head was read last, of `headBytes`, begins. Returns how its body is framed. */
  #beginMessage(headBytes: number, headEndOffset: number, cut: boolean): BodyFraming {
    // The handler may set another state, and doubt the body.
    this.#state = STATE.start;
    this.doubtfulBody = false;
    return this.#message.begin(this.#recall, headBytes, headEndOffset, cut);
  }

  /** The same for what is there of a head whose rest is missing or too long. */
  #beginCutMessage(headEndOffset: number): BodyFraming {
    this.#head.readCut();
    return this.#beginMessage(this.#head.length, headEndOffset, true);
  }

  #beginBody(framing: BodyFraming, timeNs: number, headEndOffset: number): void {
    if (framing.kind === 'none' || framing.kind === 'switch') {
      this.#endMessage(true, timeNs, headEndOffset);
      return;
    }
    this.#body.begin(framing);
    this.#state = STATE.body;
  }

  #endMessage(whole: boolean, lastByteNs: number | null, endOffset: number): void {
    // After a switch the handler has set another state.
    if (this.#state !== STATE.opaque && this.#state !== STATE.probe) this.#state = STATE.start;
    this.#message.end(whole, lastByteNs, endOffset);
  }

  #takeBody(bytes: Uint8Array, at: number, end: number, shift: number, segment: SegmentFacts): number {
    const body = this.#body;
    const message = this.#message;
    if (this.doubtfulBody && body.hasLength) {
      this.doubtfulBody = false;
      // A response to an unknown request, perhaps HEAD, or a request that waited for 100 Continue in vain: where a
      // start line stands in place of the body, there is none.
      if (judgeStart(bytes, at, end, true) === message.kind) {
        this.#endMessage(true, this.#lastNs, at + shift);
        return at;
      }
    }
    const after = body.take(bytes, at, end);
    message.body(after - at);
    if (body.outcome === BODY.more) return after;
    if (body.chunks !== null) this.#noteChunks(body.chunks);
    if (body.outcome === BODY.end) this.#endMessage(true, segment.timeNs, after + shift);
    else this.#lose(this.nextOffset);
    return after;
  }

  #noteChunks(chunks: ChunkedBody): void {
    const message = this.#message;
    if (chunks.hasBareLineFeed) message.note('bare-lf');
    if (chunks.hasExtension) message.note('chunk-extension');
    if (chunks.hasTrailers) message.note('trailers');
    if (chunks.outcome === BODY.broken) message.note('bad-chunk-size');
  }

  #gapInBody(offset: number, length: number): void {
    const end = offset + length;
    const body = this.#body;
    if (this.doubtfulBody && body.hasLength) {
      // Whether there is a body at all is unknown, so the missing bytes may have been other messages.
      this.doubtfulBody = false;
      this.#lose(end, 'inside');
      return;
    }
    const inside = body.skip(length);
    this.#message.missingBody(inside);
    if (body.outcome === BODY.broken) this.#lose(end, 'inside');
    if (body.outcome !== BODY.end) return;
    this.#endMessage(true, null, offset + inside);
    if (inside < length) this.#lose(end, 'between');
  }
}
