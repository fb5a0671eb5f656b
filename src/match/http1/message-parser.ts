import type { Ledger } from '../../model/ledger.ts';
import type { Direction, SegmentFacts } from '../../model/stream.ts';
import type { Loss } from '../loss.ts';
import type { MessageStart } from '../message-state.ts';
import type { BodyFraming } from './body-framing.ts';
import { CR, LF } from './characters.ts';
import { CHUNKED, ChunkedBody } from './chunked-body.ts';
import { FieldFacts } from './field-facts.ts';
import type { FieldMemo } from './field-memo.ts';
import type { HeadReader } from './head-reader.ts';
import { HeldHead } from './held-head.ts';
import type { LineCache } from './line-cache.ts';
import { LineFacts } from './line-facts.ts';
import type { MessageHandler } from './message-handler.ts';
import { judgeStart, START, type Start } from './start-line.ts';

/**
 * Where a direction stands. In the order in which bytes usually run through them.
 *
 *     probe ─► start ─► head ─► length │ chunked │ until-close ─► start (the next message)
 *       │                 └► long-head
 *       └► foreign (another protocol: looks at segment starts)
 *     lost  (after a gap or broken framing: looks for a start line)
 *     opaque (upgraded or HTTP/2: looks at nothing)
 */
const STATE = {
  /** Nothing of the direction was seen yet. */
  probe: 0,
  /** At the beginning of a message. */
  start: 1,
  /** A head has begun, but not ended; it is collected in `#held`. */
  head: 2,
  /** The rest of a head that is too long. */
  longHead: 3,
  length: 4,
  chunked: 5,
  untilClose: 6,
  foreign: 7,
  lost: 8,
  opaque: 9,
} as const;
type State = (typeof STATE)[keyof typeof STATE];

const NO_SECTION = new FieldFacts();
const NO_LINE = new LineFacts(false);
const SIMPLE_ANSWER = new LineFacts(true);
SIMPLE_ANSWER.version = '0.9';
SIMPLE_ANSWER.isSimple = true;
const NO_BODY: BodyFraming = { kind: 'none' };
/** A start line that has begun plausibly for so long is judged again when its end is there. */
const JUDGED_BYTES = 128;
/** Fewer bytes of a start line are not recognised among those of another protocol. */
const FEWEST_FOREIGN_START_BYTES = 16;

/** Methods whose requests hardly ever have a body (RFC 9110 §9.3). */
const BODILESS_METHODS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

/** What the parsers of a run share. */
export interface ParserContext {
  ledger: Ledger;
  reader: HeadReader;
  lines: LineCache;
  memo: FieldMemo;
  /** Bytes of a head that are kept. */
  headBytes: number;
}

/**
 * Reads the HTTP/1.x messages of one direction out of its bytes, whatever pieces they come in. `shift` below is
 * what turns an offset into the bytes at hand into a place in the direction.
 */
export class MessageParser {
  readonly #direction: Direction;
  readonly #handler: MessageHandler;
  readonly #ledger: Ledger;
  readonly #reader: HeadReader;
  readonly #lines: LineCache;
  readonly #memo: FieldMemo;
  /** Where its header sections are remembered, and where the next one is expected. */
  readonly #ownSlot: number;
  #sectionSlot: number;
  readonly #headLimit: number;
  /** The beginning of the direction is not in the capture: what comes first may be the middle of something. */
  #beginsInside: boolean;
  #state: State = STATE.probe;
  /** True once a message was found in this direction. */
  found = false;
  /** Place of the next byte in the direction. */
  nextOffset = 0;
  /** When the last byte of the direction came. */
  lastNs = 0;
  /** The body may be absent although it has a length: of a response to an unknown request, or a refused request. */
  doubtfulBody = false;
  /** Messages of this direction are responses or requests, as far as is known. */
  #kind: 0 | 1 | 2 = START.no;
  /** A message has begun and not ended. */
  #inMessage = false;
  /** When the last byte came that may belong to a message whose end is not known. */
  #limboNs = 0;
  readonly #start: MessageStart = {
    timeNs: 0,
    packet: 0,
    capture: 0,
    offset: 0,
    ackOffset: -1,
    sequenceBase: 0,
    acknowledged: 0,
    hasAcknowledged: false,
  };
  /** What the head that was read last says. */
  #line: LineFacts = NO_LINE;
  #section: FieldFacts = NO_SECTION;
  /** Where the direction's last start line stands among those remembered: servers mostly repeat theirs. */
  #lineSlot = 0;
  #held: HeldHead | null = null;
  #afterEmptyLine = false;
  #framingAfterLongHead: BodyFraming = NO_BODY;
  /** Bytes of the present line of a head that is too long. */
  #lineBytes = 0;
  /** Bytes of a body of known length still to come. */
  #remaining = 0;
  #chunked: ChunkedBody | null = null;

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
    this.#reader = context.reader;
    this.#lines = context.lines;
    this.#memo = context.memo;
    this.#ownSlot = context.memo.slotOf(connectionId, direction);
    this.#sectionSlot = this.#ownSlot;
    this.#headLimit = context.headBytes;
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
    this.#kind = START.no;
  }

  data(bytes: Uint8Array, start: number, end: number, offset: number, segment: SegmentFacts): void {
    const shift = offset - start;
    let at = start;
    this.nextOffset = offset + (end - start);
    this.lastNs = segment.timeNs;
    while (at < end) {
      switch (this.#state) {
        case STATE.length:
          at = this.#length(bytes, at, end, shift, segment);
          break;
        case STATE.start:
        case STATE.probe:
          at = this.#begin(bytes, at, end, shift, segment);
          break;
        case STATE.head:
          at = this.#collect(bytes, at, end, shift, segment);
          break;
        case STATE.chunked:
          at = this.#chunks(bytes, at, end, shift, segment);
          break;
        case STATE.untilClose:
          this.#takeBody(end - at);
          at = end;
          break;
        case STATE.longHead:
          at = this.#longHead(bytes, at, end, shift, segment);
          break;
        case STATE.lost:
          at = this.#seek(bytes, at, end, shift, segment);
          break;
        case STATE.foreign:
          at = this.#glance(bytes, at, end, shift, segment);
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
      case STATE.length:
        this.#gapInLength(offset, length);
        return;
      case STATE.chunked:
        this.#handler.body(this.#direction, length, true);
        if (this.#chunked?.skip(length) !== true) this.#lose(end, 'inside');
        return;
      case STATE.untilClose:
        this.#handler.body(this.#direction, length, true);
        return;
      case STATE.head:
        // The rest of a segment that begins with a head is taken for the rest of that message.
        if (!this.#breakHead(segment.timeNs, true) || !cut) this.#lose(end, 'inside');
        else if (this.#inMessage) this.#state = STATE.lost;
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
        if (!cut || !this.#inMessage) this.#lose(end, 'inside');
    }
  }

  #gapInLength(offset: number, length: number): void {
    if (this.doubtfulBody) {
      // Whether there is a body at all is unknown, so the missing bytes may have been other messages.
      this.doubtfulBody = false;
      this.#lose(offset + length, 'inside');
      return;
    }
    const inside = Math.min(length, this.#remaining);
    this.#remaining -= inside;
    this.#handler.body(this.#direction, inside, true);
    if (this.#remaining > 0) return;
    this.#finishMessage(true, null, offset + inside);
    if (inside < length) this.#lose(offset + length, 'between');
  }

  /** The direction has ended in order. */
  fin(timeNs: number): void {
    if (this.#state === STATE.head) {
      this.#breakHead(timeNs, false);
      if (this.#inMessage) this.#finishMessage(false, this.lastNs, -1);
      this.#state = STATE.lost;
    } else if (this.#inMessage && (this.#state === STATE.untilClose || this.#state === STATE.lost)) {
      this.#finishMessage(this.#state === STATE.untilClose, this.lastNs, this.nextOffset);
    }
  }

  /** Nothing more comes: what has begun is brought to an end. */
  finish(): void {
    if (this.#state === STATE.head) this.#breakHead(this.lastNs, false);
    if (this.#inMessage) this.#finishMessage(false, this.lastNs, -1);
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
    let known = this.#lines.findAt(this.#lineSlot, bytes, from, end);
    if (known === null) {
      known = this.#lines.find(bytes, from, end);
      this.#lineSlot = this.#lines.slot;
    }
    if (known !== null && this.#isExpected(known.isResponse ? START.response : START.request)) {
      this.#noteStart(from + shift, segment);
      return this.#tryHead(bytes, from, end, shift, segment, known.isResponse, known);
    }
    let at = from;
    while (at < end && (bytes[at] === LF || bytes[at] === CR)) at += 1;
    if (at > from) {
      this.#ledger.unparsedBytes += at - from;
      this.#afterEmptyLine = true;
      if (at === end) return at;
    }
    const judged = judgeStart(bytes, at, end, false);
    if (judged !== START.response && this.#beginsSimpleAnswer(bytes[at])) {
      this.#simpleAnswer(at + shift, segment);
      return at;
    }
    if (judged === START.no || !this.#isExpected(judged)) {
      this.#notHttp(bytes, at, end);
      return at;
    }
    this.#noteStart(at + shift, segment);
    if (judged === START.more) {
      return this.#hold(bytes, at, end, false);
    }
    return this.#tryHead(bytes, at, end, shift, segment, judged === START.response, null);
  }

  /** The body of HTTP/0.9 begins here; an `H` may still become a status line, which later servers send. */
  #beginsSimpleAnswer(first: number): boolean {
    return !this.found && (first | 0x20) !== 0x68 && this.#handler.answersSimpleRequest(this.#direction);
  }

  #simpleAnswer(offset: number, segment: SegmentFacts): void {
    this.#noteStart(offset, segment);
    this.#line = SIMPLE_ANSWER;
    this.#section = NO_SECTION;
    this.#enterBody(this.#announce(0, offset, false), segment.timeNs, offset);
  }

  /** Looks for a start line at the beginning of lines and segments. */
  #seek(bytes: Uint8Array, from: number, end: number, shift: number, segment: SegmentFacts): number {
    let at = from;
    while (at < end) {
      const judged = judgeStart(bytes, at, end, true);
      if (judged !== START.no && this.#isExpected(judged)) {
        this.#ledger.unparsedBytes += at - from;
        this.#noteStart(at + shift, segment);
        if (judged === START.more) {
          return this.#hold(bytes, at, end, true);
        }
        return this.#tryHead(bytes, at, end, shift, segment, judged === START.response, null);
      }
      while (at < end && bytes[at] !== LF) at += 1;
      at += 1;
    }
    // A start line cut within its first bytes would have been missed.
    this.#handler.lost(this.#direction, end + shift, 'skipped');
    this.#ledger.unparsedBytes += end - from;
    this.#limboNs = segment.timeNs;
    return end;
  }

  /** Another protocol: HTTP may still begin, at the start of a segment (SOCKS, PROXY protocol, mid-stream). */
  #glance(bytes: Uint8Array, at: number, end: number, shift: number, segment: SegmentFacts): number {
    const judged = judgeStart(bytes, at, end, true);
    if (judged === START.request || judged === START.response) {
      this.#noteStart(at + shift, segment);
      return this.#tryHead(bytes, at, end, shift, segment, judged === START.response, null);
    }
    if (judged === START.more && end - at >= FEWEST_FOREIGN_START_BYTES) {
      this.#noteStart(at + shift, segment);
      return this.#hold(bytes, at, end, true);
    }
    this.#handler.lost(this.#direction, end + shift, 'skipped');
    this.#ledger.otherProtocolBytes += end - at;
    return end;
  }

  /** A direction that has sent requests sends no responses, and the other way round. */
  #isExpected(judged: Start): boolean {
    return this.#kind === START.no || judged === START.more || judged === this.#kind;
  }

  #noteStart(offset: number, segment: SegmentFacts): void {
    const start = this.#start;
    start.timeNs = segment.timeNs;
    start.packet = segment.packet;
    start.capture = segment.capture;
    start.offset = offset;
    start.ackOffset = segment.ackOffset;
    start.sequenceBase = segment.sequenceBase;
    start.acknowledged = (segment.peerSequenceBase + segment.ackOffset) | 0;
    start.hasAcknowledged = segment.ackOffset >= 0;
  }

  /** Bytes at the place of a start line are none. */
  #notHttp(bytes: Uint8Array, at: number, end: number): void {
    if (this.#state === STATE.probe || !this.found) {
      this.#state = STATE.foreign;
      this.#handler.foreign(this.#direction, bytes, at, end);
    } else this.#lose(this.nextOffset);
  }

  /** Framing is lost: from here on a start line is looked for. */
  #lose(end: number, loss: Loss = 'skipped'): void {
    this.#state = STATE.lost;
    this.#limboNs = this.lastNs;
    this.#handler.lost(this.#direction, end, loss);
  }

  // Heads.

  /**
   * Reads a head in place if it is there as a whole; otherwise begins to collect it. `known`: what its start line
   * says, where that was read before. Returns the offset after what was used.
   */
  #tryHead(
    bytes: Uint8Array,
    at: number,
    end: number,
    shift: number,
    segment: SegmentFacts,
    isResponse: boolean,
    known: LineFacts | null,
  ): number {
    if (end - at <= this.#headLimit) {
      const length = this.#head(bytes, at, end, isResponse, known);
      if (length > 0) {
        const after = at + length;
        this.#enterBody(this.#announce(length, after + shift, false), segment.timeNs, after + shift);
        return after;
      }
    }
    const held = this.#heldHead();
    const fits = Math.min(end, at + this.#headLimit);
    held.add(bytes, at, fits);
    held.isJudged = true;
    held.isResponse = isResponse;
    this.#state = STATE.head;
    return this.#headIsThere(held, fits, 0, shift, segment);
  }

  /** Reads the head at `start` into `#line` and `#section`. Returns its length, 0 when it is not there as a whole. */
  #head(bytes: Uint8Array, start: number, end: number, isResponse: boolean, known: LineFacts | null): number {
    let line = known;
    let lineBytes = this.#lines.length;
    if (line === null) {
      line = this.#reader.line(bytes, start, end, isResponse);
      if (line === null) return 0;
      lineBytes = this.#reader.lineBytes;
      if (this.#lines.find(bytes, start, end) === null) this.#lines.remember(bytes, start, line);
    }
    this.#line = line;
    if (line.isSimple) {
      this.#section = NO_SECTION;
      return lineBytes;
    }
    const fieldsStart = start + lineBytes;
    const memo = this.#memo;
    const section = memo.find(this.#sectionSlot, isResponse, bytes, fieldsStart, end);
    if (section !== null) {
      this.#section = section;
      this.#sectionSlot = memo.slot;
      return lineBytes + memo.length;
    }
    const read = this.#reader.section(bytes, fieldsStart, end, isResponse);
    if (read === null) return 0;
    const { sectionBytes } = this.#reader;
    this.#section = read;
    memo.remember(this.#ownSlot, isResponse, bytes, fieldsStart, fieldsStart + sectionBytes, read);
    this.#sectionSlot = this.#ownSlot;
    return lineBytes + sectionBytes;
  }

  #heldHead(): HeldHead {
    this.#held ??= new HeldHead();
    return this.#held;
  }

  /** Begins to collect a start line that is not there as a whole. Returns the offset after what was used. */
  #hold(bytes: Uint8Array, start: number, end: number, strictly: boolean): number {
    const held = this.#heldHead();
    const fits = Math.min(end, start + this.#headLimit);
    held.add(bytes, start, fits);
    held.isJudged = false;
    held.isResponse = false;
    held.strictly = strictly;
    this.#state = STATE.head;
    return fits;
  }

  /** More of a head that was cut by the segments. Returns the offset after what was used. */
  #collect(bytes: Uint8Array, at: number, end: number, shift: number, segment: SegmentFacts): number {
    const held = this.#heldHead();
    const before = held.length;
    const fits = Math.min(end, at + this.#headLimit - before);
    held.add(bytes, at, fits);
    if (!held.isJudged) {
      const full = held.length >= this.#headLimit;
      // Judging reads the line from its start: not again for every byte of a line that trickles in.
      if (before >= JUDGED_BYTES && !full && !hasLineFeed(bytes, at, fits)) return fits;
      const judged = judgeStart(held.bytes, 0, held.length, held.strictly);
      if (judged === START.more && !full) return fits;
      if (judged === START.no || judged === START.more || !this.#isExpected(judged)) {
        // What was collected before this segment is no head; this segment is looked at again.
        held.length = before;
        this.#dropHeld(false);
        this.#notHttp(bytes, at, end);
        return at;
      }
      held.isJudged = true;
      held.isResponse = judged === START.response;
    }
    return this.#headIsThere(held, fits, before, shift, segment);
  }

  /**
   * Looks whether the collected head has its empty line now. `before` bytes were collected earlier, the others just
   * now, up to `at`. Returns the offset after what was used.
   */
  #headIsThere(held: HeldHead, at: number, before: number, shift: number, segment: SegmentFacts): number {
    const headEnd = held.end(Math.max(0, before - 3));
    if (headEnd >= 0) {
      const length = this.#head(held.bytes, 0, headEnd, held.isResponse, null);
      if (length > 0) {
        const after = at - (held.length - length);
        held.clear();
        this.#enterBody(this.#announce(length, after + shift, false), segment.timeNs, after + shift);
        return after;
      }
    }
    if (held.length < this.#headLimit) return at;
    // Longer than the limit: what is there is used, the rest is skipped up to the empty line.
    this.#framingAfterLongHead = this.#announceCutHead(held, at + shift);
    this.#handler.anomaly(this.#direction, 'head-too-long');
    this.#lineBytes = 1;
    this.#state = STATE.longHead;
    return at;
  }

  #longHead(bytes: Uint8Array, from: number, end: number, shift: number, segment: SegmentFacts): number {
    for (let at = from; at < end; at += 1) {
      if (bytes[at] === LF) {
        if (this.#lineBytes === 0) {
          this.#ledger.headBytes += at + 1 - from;
          this.#enterBody(this.#framingAfterLongHead, segment.timeNs, at + 1 + shift);
          return at + 1;
        }
        this.#lineBytes = 0;
      } else if (bytes[at] !== CR) this.#lineBytes += 1;
    }
    this.#ledger.headBytes += end - from;
    return end;
  }

  /**
   * A head whose rest is missing in the capture, or was never sent: if its start line is there, the message counts.
   * False: it is not.
   */
  #breakHead(timeNs: number, isGap: boolean): boolean {
    const held = this.#heldHead();
    if (!held.isJudged || !held.hasLine()) {
      this.#dropHeld(false);
      this.#state = STATE.lost;
      return false;
    }
    const headEndOffset = this.#start.offset + held.length;
    const framing = this.#announceCutHead(held, headEndOffset);
    if (isGap) this.#handler.anomaly(this.#direction, 'gap-in-head');
    // Whether a body follows stood perhaps in the missing fields.
    if (framing.kind === 'none' && this.#mayHaveBody()) this.#state = STATE.lost;
    else this.#enterBody(framing, timeNs, headEndOffset);
    return true;
  }

  #mayHaveBody(): boolean {
    return !this.#line.isResponse && !BODILESS_METHODS.has(this.#line.method);
  }

  /** Reads and announces what is there of a head whose rest is missing or too long. */
  #announceCutHead(held: HeldHead, headEndOffset: number): BodyFraming {
    const { bytes, length, isResponse } = held;
    this.#line = this.#reader.line(bytes, 0, length, isResponse, true) as LineFacts;
    this.#section =
      this.#reader.section(bytes, this.#reader.lineBytes, length, isResponse, true) ?? NO_SECTION;
    held.clear();
    return this.#announce(length, headEndOffset, true);
  }

  /** Bytes held for a head that came to nothing go to the ledger. */
  #dropHeld(foreign: boolean): void {
    if (this.#held === null || this.#held.length === 0) return;
    if (!foreign && !this.found) {
      this.#handler.foreign(this.#direction, this.#held.bytes, 0, this.#held.length);
    }
    if (foreign || !this.found) this.#ledger.otherProtocolBytes += this.#held.length;
    else this.#ledger.unparsedBytes += this.#held.length;
    this.#held.clear();
  }

  /** The head just read, of `length` bytes, goes to the handler, which answers how the body is framed. */
  #announce(length: number, headEndOffset: number, cut: boolean): BodyFraming {
    if (this.#inMessage) this.#finishMessage(false, this.#limboNs, -1);
    this.#ledger.headBytes += length;
    this.found = true;
    this.#inMessage = true;
    this.#kind = this.#line.isResponse ? START.response : START.request;
    this.#state = STATE.start;
    this.doubtfulBody = false;
    const framing = this.#handler.head(
      this.#direction,
      this.#line,
      this.#section,
      this.#start,
      headEndOffset,
      cut,
    );
    if (this.#afterEmptyLine) {
      this.#afterEmptyLine = false;
      this.#handler.anomaly(this.#direction, 'leading-empty-lines');
    }
    return framing;
  }

  // Bodies.

  #enterBody(framing: BodyFraming, timeNs: number, headEndOffset: number): void {
    switch (framing.kind) {
      case 'length':
        this.#remaining = framing.bytes;
        this.#state = STATE.length;
        return;
      case 'chunked':
        this.#chunked ??= new ChunkedBody();
        this.#chunked.begin();
        this.#state = STATE.chunked;
        return;
      case 'until-close':
        this.#state = STATE.untilClose;
        return;
      case 'none':
      case 'switch':
        this.#finishMessage(true, timeNs, headEndOffset);
    }
  }

  #finishMessage(whole: boolean, lastByteNs: number | null, endOffset: number): void {
    this.#inMessage = false;
    // After a switch the handler has set another state.
    if (this.#state !== STATE.opaque && this.#state !== STATE.probe) this.#state = STATE.start;
    this.#handler.end(this.#direction, whole, lastByteNs, endOffset);
  }

  #takeBody(count: number): void {
    this.#ledger.bodyBytes += count;
    this.#handler.body(this.#direction, count, false);
  }

  #length(bytes: Uint8Array, at: number, end: number, shift: number, segment: SegmentFacts): number {
    if (this.doubtfulBody) {
      this.doubtfulBody = false;
      // A response to an unknown request, perhaps HEAD, or a request that waited for 100 Continue in vain: where a
      // start line stands in place of the body, there is none.
      if (judgeStart(bytes, at, end, true) === this.#kind) {
        this.#finishMessage(true, this.lastNs, at + shift);
        return at;
      }
    }
    const count = Math.min(this.#remaining, end - at);
    this.#remaining -= count;
    this.#takeBody(count);
    if (this.#remaining === 0) this.#finishMessage(true, segment.timeNs, at + count + shift);
    return at + count;
  }

  #chunks(bytes: Uint8Array, from: number, end: number, shift: number, segment: SegmentFacts): number {
    const chunked = this.#chunked as ChunkedBody;
    const at = chunked.take(bytes, from, end);
    this.#takeBody(at - from);
    if (chunked.outcome === CHUNKED.more) return at;
    if (chunked.hasBareLineFeed) this.#handler.anomaly(this.#direction, 'bare-lf');
    if (chunked.hasExtension) this.#handler.anomaly(this.#direction, 'chunk-extension');
    if (chunked.hasTrailers) this.#handler.anomaly(this.#direction, 'trailers');
    if (chunked.outcome === CHUNKED.end) this.#finishMessage(true, segment.timeNs, at + shift);
    else {
      this.#handler.anomaly(this.#direction, 'bad-chunk-size');
      this.#lose(this.nextOffset);
    }
    return at;
  }
}

function hasLineFeed(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] === LF) return true;
  return false;
}
