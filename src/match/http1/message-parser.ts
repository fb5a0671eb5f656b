import type { Anomaly } from '../../model/anomaly.ts';
import type { Ledger } from '../../model/ledger.ts';
import type { Direction, SegmentFacts } from '../../model/stream.ts';
import type { MessageStart } from '../message-state.ts';
import type { BodyFraming } from './body-framing.ts';
import { CR, hexValue, LF } from './characters.ts';
import { FieldFacts } from './field-facts.ts';
import type { FieldMemo } from './field-memo.ts';
import type { HeadReader } from './head-reader.ts';
import type { LineCache } from './line-cache.ts';
import { LineFacts } from './line-facts.ts';
import { judgeStart, START } from './start-line.ts';

/** What the parser of one direction tells its connection. */
export interface MessageHandler {
  /**
   * A head was read; `start` is valid during the call. The answer says how the body is framed. `cut`: bytes of
   * the head are missing.
   */
  head(
    direction: Direction,
    line: LineFacts,
    fields: FieldFacts,
    start: MessageStart,
    headEndOffset: number,
    cut: boolean,
  ): BodyFraming;
  /** Bytes of the current message's body came, or are known to be missing. */
  body(direction: Direction, bytes: number, lost: boolean): void;
  /**
   * The current message is over. `whole`: its end was seen, or lies in a gap that was skipped by arithmetic;
   * `lastByteNs` is null when it was not seen itself. `endOffset` -1: unknown.
   */
  end(direction: Direction, whole: boolean, lastByteNs: number | null, endOffset: number): void;
  /** Something odd in the current message. */
  anomaly(direction: Direction, anomaly: Anomaly): void;
  /** Bytes that belong to no message known are missing: messages may have been lost from `offset` on. */
  lost(direction: Direction, offset: number): void;
  /** The first bytes of the direction are no HTTP. */
  foreign(direction: Direction, bytes: Uint8Array, start: number, end: number): void;
}

/**
 * Where a direction stands. In the order in which bytes usually run through them.
 *
 *     probe ─► start ─► head ─► length │ chunk-size ⇄ chunk-data ─► chunk-end … trailers │ until-close ─► start
 *       │                 └► long-head                                                            (next)
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
  chunkSize: 5,
  chunkData: 6,
  chunkEnd: 7,
  trailers: 8,
  untilClose: 9,
  foreign: 10,
  lost: 11,
  opaque: 12,
} as const;
type State = (typeof STATE)[keyof typeof STATE];

const NO_SECTION = new FieldFacts();
const NO_LINE = new LineFacts(false);
const FIRST_HELD_BYTES = 1024;
/** A start line that has begun plausibly for so long is judged again when its end is there. */
const JUDGED_BYTES = 128;
/** A chunk size with more significant digits than this is no size (2^52 has 13). */
const MAX_CHUNK_DIGITS = 13;

/** What the parsers of a run share. */
export interface ParserContext {
  ledger: Ledger;
  reader: HeadReader;
  lines: LineCache;
  memo: FieldMemo;
  /** Bytes of a head that are kept. */
  headBytes: number;
}

/** Reads the HTTP/1.x messages of one direction out of its bytes, whatever pieces they come in. */
export class MessageParser {
  readonly #direction: Direction;
  readonly #handler: MessageHandler;
  readonly #ledger: Ledger;
  readonly #reader: HeadReader;
  readonly #lines: LineCache;
  readonly #memo: FieldMemo;
  readonly #slot: number;
  readonly #headLimit: number;
  #state: State = STATE.probe;
  /** True once a message was found in this direction. */
  found = false;
  /** Place of the next byte in the direction. */
  nextOffset = 0;
  /** When the last byte of the direction came. */
  lastNs = 0;
  /** A message has begun and not ended. */
  #inMessage = false;
  /** Bytes of the body still to come, or of the chunk. */
  #remaining = 0;
  #framingAfterLongHead: BodyFraming = { kind: 'none' };
  /** When the last byte came that may belong to a message whose end is not known. */
  #limboNs = 0;
  /** Digits of a chunk size so far; -1: in its extension or line end. */
  #chunkDigits = 0;
  #lineBytes = 0;
  #afterEmptyLine = false;
  /** What the head that was read last says. */
  #line: LineFacts = NO_LINE;
  #section: FieldFacts = NO_SECTION;
  readonly #start: MessageStart = { timeNs: 0, packet: 0, capture: 0, offset: 0, ackOffset: -1 };
  #held: Uint8Array | null = null;
  #heldBytes = 0;
  #heldIsResponse = false;
  #heldIsJudged = false;
  #heldStrictly = false;
  /** The request of the response is unknown; its body may be absent although it has a length. */
  doubtfulBody = false;
  /** Messages of this direction are responses / requests, as far as is known. */
  #kind: 0 | 1 | 2 = START.no;

  constructor(context: ParserContext, handler: MessageHandler, direction: Direction, connectionId: number) {
    this.#direction = direction;
    this.#handler = handler;
    this.#ledger = context.ledger;
    this.#reader = context.reader;
    this.#lines = context.lines;
    this.#memo = context.memo;
    this.#slot = context.memo.slotOf(connectionId, direction);
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
    let at = start;
    this.nextOffset = offset + (end - start);
    this.lastNs = segment.timeNs;
    while (at < end) {
      switch (this.#state) {
        case STATE.length:
          at = this.#length(bytes, at, end, offset - start, segment);
          break;
        case STATE.start:
        case STATE.probe:
          at = this.#begin(bytes, at, end, offset - start, segment);
          break;
        case STATE.head:
          at = this.#collect(bytes, at, end, offset - start, segment);
          break;
        case STATE.chunkSize:
          at = this.#chunkSize(bytes, at, end);
          break;
        case STATE.chunkData:
          at = this.#chunkData(at, end);
          break;
        case STATE.chunkEnd:
          at = this.#chunkEnd(bytes, at);
          break;
        case STATE.trailers:
          at = this.#trailers(bytes, at, end, offset - start, segment);
          break;
        case STATE.untilClose:
          this.#takeBody(end - at);
          at = end;
          break;
        case STATE.longHead:
          at = this.#longHead(bytes, at, end, offset - start, segment);
          break;
        case STATE.lost:
          at = this.#seek(bytes, at, end, offset - start, segment);
          break;
        case STATE.foreign:
          at = this.#glance(bytes, at, end, offset - start, segment);
          break;
        default:
          this.#ledger.otherProtocolBytes += end - at;
          at = end;
      }
    }
  }

  /** `length` bytes from `offset` are missing. */
  gap(offset: number, length: number, segment: SegmentFacts): void {
    this.nextOffset = offset + length;
    switch (this.#state) {
      case STATE.length: {
        const inside = Math.min(length, this.#remaining);
        this.#remaining -= inside;
        this.#handler.body(this.#direction, inside, true);
        if (this.#remaining > 0) return;
        this.#finishMessage(true, null, offset + inside);
        if (inside < length) this.#lose(offset + inside);
        return;
      }
      case STATE.chunkData:
        if (length < this.#remaining) {
          this.#remaining -= length;
          this.#handler.body(this.#direction, length, true);
          return;
        }
        if (length === this.#remaining) {
          this.#remaining = 0;
          this.#handler.body(this.#direction, length, true);
          this.#state = STATE.chunkEnd;
          return;
        }
        this.#handler.body(this.#direction, this.#remaining, true);
        this.#lose(offset);
        return;
      case STATE.untilClose:
        this.#handler.body(this.#direction, length, true);
        return;
      case STATE.head:
        this.#breakHead(segment);
        this.#lose(offset);
        return;
      case STATE.probe:
        this.#handler.lost(this.#direction, offset);
        return;
      case STATE.foreign:
      case STATE.opaque:
        return;
      default:
        this.#lose(offset);
    }
  }

  /** The direction has ended in order. */
  fin(timeNs: number): void {
    if (this.#state === STATE.untilClose || (this.#state === STATE.lost && this.#inMessage)) {
      const whole = this.#state === STATE.untilClose;
      this.#finishMessage(whole, Math.max(this.lastNs, this.#start.timeNs), this.nextOffset);
      this.#state = STATE.start;
    } else if (this.#state === STATE.head) {
      this.#breakHead({ timeNs, packet: 0, capture: 0, ackOffset: -1 });
      if (this.#inMessage) this.#finishMessage(false, this.lastNs, -1);
      this.#state = STATE.lost;
    }
  }

  /** Nothing more comes: what has begun is brought to an end. */
  finish(): void {
    if (this.#state === STATE.head) this.#breakHead({ timeNs: this.lastNs, packet: 0, capture: 0, ackOffset: -1 });
    if (this.#inMessage) this.#finishMessage(false, this.lastNs, -1);
    this.#dropHeld(false);
    this.#state = STATE.opaque;
  }

  // At the beginning of a message.
  #begin(bytes: Uint8Array, from: number, end: number, shift: number, segment: SegmentFacts): number {
    const known = this.#lines.find(bytes, from, end);
    if (known !== null && (this.#kind === START.no || known.isResponse === (this.#kind === START.response))) {
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
    if (judged === START.no || (this.#kind !== START.no && judged !== START.more && judged !== this.#kind)) {
      this.#notHttp(bytes, at, end);
      return at;
    }
    this.#noteStart(at + shift, segment);
    if (judged === START.more) {
      this.#heldStrictly = false;
      this.#hold(bytes, at, end, false, false);
      return end;
    }
    return this.#tryHead(bytes, at, end, shift, segment, judged === START.response, null);
  }

  #noteStart(offset: number, segment: SegmentFacts): void {
    const start = this.#start;
    start.timeNs = segment.timeNs;
    start.packet = segment.packet;
    start.capture = segment.capture;
    start.offset = offset;
    start.ackOffset = segment.ackOffset;
  }

  /**
   * Reads a head in place if it is there as a whole; otherwise begins to collect it. `known`: what its start line
   * says, where that was read before.
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
        this.#enterBody(this.#announce(this.#line, this.#section, length, after + shift, false), segment.timeNs, after + shift);
        return after;
      }
    }
    const fits = Math.min(end, at + this.#headLimit);
    this.#hold(bytes, at, fits, isResponse, true);
    return this.#headIsThere(fits, 0, fits - at, shift, segment);
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
    if (line.isSimpleRequest) {
      this.#section = NO_SECTION;
      return lineBytes;
    }
    const fieldsStart = start + lineBytes;
    const section = this.#memo.find(this.#slot, bytes, fieldsStart, end);
    if (section !== null) {
      this.#section = section;
      return lineBytes + this.#memo.lengthOf(this.#slot);
    }
    const read = this.#reader.section(bytes, fieldsStart, end, isResponse);
    if (read === null) return 0;
    this.#section = read;
    this.#memo.remember(this.#slot, bytes, fieldsStart, fieldsStart + this.#reader.sectionBytes, read);
    return lineBytes + this.#reader.sectionBytes;
  }

  #hold(bytes: Uint8Array, start: number, end: number, isResponse: boolean, judged: boolean): void {
    const needed = this.#heldBytes + (end - start);
    if (this.#held === null || this.#held.length < needed) {
      const grown = new Uint8Array(Math.max(FIRST_HELD_BYTES, needed * 2));
      if (this.#held !== null) grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(bytes.subarray(start, end), this.#heldBytes);
    this.#heldBytes = needed;
    this.#heldIsResponse = isResponse;
    this.#heldIsJudged = judged;
    this.#state = STATE.head;
  }

  /** More of a head that was cut by the segments. Returns the offset after what was used. */
  #collect(bytes: Uint8Array, at: number, end: number, shift: number, segment: SegmentFacts): number {
    const before = this.#heldBytes;
    const room = this.#headLimit - before;
    const taken = Math.min(end - at, room);
    this.#hold(bytes, at, at + taken, this.#heldIsResponse, this.#heldIsJudged);
    const held = this.#held as Uint8Array;
    if (!this.#heldIsJudged) {
      // Judging reads the line from its start: not again for every byte of a line that trickles in.
      if (before >= JUDGED_BYTES && this.#heldBytes < this.#headLimit && !hasLineFeed(bytes, at, at + taken)) {
        return at + taken;
      }
      const judged = judgeStart(held, 0, this.#heldBytes, this.#heldStrictly);
      if (judged === START.no || (this.#kind !== START.no && judged !== START.more && judged !== this.#kind)) {
        this.#heldBytes = before;
        this.#dropHeld(false);
        this.#notHttp(bytes, at, end);
        return at;
      }
      if (judged === START.more) {
        if (this.#heldBytes < this.#headLimit) return at + taken;
        this.#heldBytes = before;
        this.#dropHeld(false);
        this.#notHttp(bytes, at, end);
        return at;
      }
      this.#heldIsJudged = true;
      this.#heldIsResponse = judged === START.response;
    }
    return this.#headIsThere(at + taken, before, taken, shift, segment);
  }

  /**
   * Looks whether the collected head has its empty line now; `before` bytes were collected earlier, `taken`
   * just now, up to `at`. Returns the offset from which the caller goes on.
   */
  #headIsThere(at: number, before: number, taken: number, shift: number, segment: SegmentFacts): number {
    const held = this.#held as Uint8Array;
    const headEnd = findHeadEnd(held, Math.max(0, before - 3), this.#heldBytes, this.#isSimple(held));
    if (headEnd >= 0) {
      const length = this.#head(held, 0, headEnd, this.#heldIsResponse, null);
      if (length > 0) {
        const after = at - (before + taken - length);
        this.#heldBytes = 0;
        const framing = this.#announce(this.#line, this.#section, length, after + shift, false);
        this.#enterBody(framing, segment.timeNs, after + shift);
        return after;
      }
    }
    if (this.#heldBytes < this.#headLimit) return at;
    // Longer than the limit: what is there is used, the rest is skipped up to the empty line.
    const length = this.#heldBytes;
    this.#cutHead(held, length);
    this.#heldBytes = 0;
    this.#lineBytes = 1;
    this.#framingAfterLongHead = this.#announce(this.#line, this.#section, length, at + shift, true);
    this.#handler.anomaly(this.#direction, 'head-too-long');
    this.#state = STATE.longHead;
    return at;
  }

  /** Reads the first `length` bytes of a head whose rest is missing; they begin with a start line. */
  #cutHead(held: Uint8Array, length: number): void {
    this.#line = this.#reader.line(held, 0, length, this.#heldIsResponse, true) as LineFacts;
    const fieldsStart = this.#reader.lineBytes;
    this.#section = this.#reader.section(held, fieldsStart, length, this.#heldIsResponse, true) ?? NO_SECTION;
  }

  /** A request of HTTP/0.9 has no empty line: its head ends with its line. */
  #isSimple(held: Uint8Array): boolean {
    if (this.#heldIsResponse) return false;
    const lineFeed = held.subarray(0, this.#heldBytes).indexOf(LF);
    if (lineFeed < 0) return false;
    const line = String.fromCharCode(...held.subarray(Math.max(0, lineFeed - 12), lineFeed));
    return !/HTTP\/[\d.]+[ \t\r]*$/i.test(line);
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

  /** A head of `length` bytes was read: tells the handler, and answers how the body is framed. */
  #announce(
    line: LineFacts,
    fields: FieldFacts,
    length: number,
    headEndOffset: number,
    cut: boolean,
  ): BodyFraming {
    if (this.#inMessage) this.#finishMessage(false, this.#limboNs, -1);
    this.#ledger.headBytes += length;
    this.found = true;
    this.#inMessage = true;
    this.#kind = line.isResponse ? START.response : START.request;
    this.#state = STATE.start;
    this.doubtfulBody = false;
    const framing = this.#handler.head(this.#direction, line, fields, this.#start, headEndOffset, cut);
    if (this.#afterEmptyLine) {
      this.#afterEmptyLine = false;
      this.#handler.anomaly(this.#direction, 'leading-empty-lines');
    }
    return framing;
  }

  #enterBody(framing: BodyFraming, timeNs: number, headEndOffset: number): void {
    switch (framing.kind) {
      case 'length':
        this.#remaining = framing.bytes;
        this.#state = STATE.length;
        return;
      case 'chunked':
        this.#chunkDigits = 0;
        this.#remaining = 0;
        this.#state = STATE.chunkSize;
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
      // A response to an unknown request, perhaps HEAD: if a status line stands where the body should, there is none.
      if (judgeStart(bytes, at, end, true) === START.response) {
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

  #chunkSize(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end) {
      const byte = bytes[at];
      at += 1;
      if (byte === LF) {
        if (this.#chunkDigits === 0) return this.#badChunk(from, at);
        this.#takeBody(at - from);
        this.#chunkDigits = 0;
        this.#lineBytes = 0;
        this.#state = this.#remaining === 0 ? STATE.trailers : STATE.chunkData;
        return at;
      }
      if (this.#chunkDigits < 0) continue;
      const digit = hexValue(byte);
      if (digit >= 0) {
        this.#remaining = this.#remaining * 16 + digit;
        this.#chunkDigits += this.#chunkDigits > 0 && this.#remaining === 0 ? 0 : 1;
        if (this.#chunkDigits > MAX_CHUNK_DIGITS) return this.#badChunk(from, at);
      } else if (byte === 59 && this.#chunkDigits > 0) {
        this.#handler.anomaly(this.#direction, 'chunk-extension');
        this.#chunkDigits = -1;
      } else if (byte === CR || ((byte === 32 || byte === 9) && this.#chunkDigits > 0)) {
        if (this.#chunkDigits === 0) return this.#badChunk(from, at);
        if (byte === CR) this.#chunkDigits = -1;
      } else return this.#badChunk(from, at);
    }
    this.#takeBody(at - from);
    return at;
  }

  #badChunk(from: number, at: number): number {
    this.#handler.anomaly(this.#direction, 'bad-chunk-size');
    this.#ledger.unparsedBytes += at - from;
    this.#remaining = 0;
    this.#lose(this.nextOffset);
    return at;
  }

  #chunkData(at: number, end: number): number {
    const count = Math.min(this.#remaining, end - at);
    this.#remaining -= count;
    this.#takeBody(count);
    if (this.#remaining === 0) this.#state = STATE.chunkEnd;
    return at + count;
  }

  #chunkEnd(bytes: Uint8Array, at: number): number {
    const byte = bytes[at];
    if (byte === CR) {
      this.#takeBody(1);
      return at + 1;
    }
    this.#state = STATE.chunkSize;
    this.#chunkDigits = 0;
    this.#remaining = 0;
    if (byte !== LF) return this.#badChunk(at, at);
    this.#takeBody(1);
    return at + 1;
  }

  #trailers(bytes: Uint8Array, from: number, end: number, shift: number, segment: SegmentFacts): number {
    for (let at = from; at < end; at += 1) {
      const byte = bytes[at];
      if (byte === LF) {
        if (this.#lineBytes === 0) {
          this.#takeBody(at + 1 - from);
          this.#finishMessage(true, segment.timeNs, at + 1 + shift);
          return at + 1;
        }
        this.#handler.anomaly(this.#direction, 'trailers');
        this.#lineBytes = 0;
      } else if (byte !== CR) this.#lineBytes += 1;
    }
    this.#takeBody(end - from);
    return end;
  }

  /** Bytes at the place of a start line are none. */
  #notHttp(bytes: Uint8Array, at: number, end: number): void {
    if (this.#state === STATE.probe || !this.found) {
      this.#state = STATE.foreign;
      this.#handler.foreign(this.#direction, bytes, at, end);
    } else this.#lose(this.nextOffset);
  }

  /** Framing is lost: from here on a start line is looked for. */
  #lose(offset: number): void {
    this.#state = STATE.lost;
    this.#limboNs = this.lastNs;
    this.#handler.lost(this.#direction, offset);
  }

  /** Looks for a start line at the beginning of lines and segments. */
  #seek(bytes: Uint8Array, from: number, end: number, shift: number, segment: SegmentFacts): number {
    let at = from;
    while (at < end) {
      const judged = judgeStart(bytes, at, end, true);
      if (judged !== START.no && (judged === START.more || this.#kind === START.no || judged === this.#kind)) {
        // A piece of a line at the end of the segment counts when it is long enough to be recognised.
        if (judged !== START.more || end - at >= 5) {
          this.#ledger.unparsedBytes += at - from;
          this.#noteStart(at + shift, segment);
          if (judged === START.more) {
            this.#heldStrictly = true;
            this.#hold(bytes, at, end, false, false);
            return end;
          }
          return this.#tryHead(bytes, at, end, shift, segment, judged === START.response, null);
        }
      }
      while (at < end && bytes[at] !== LF) at += 1;
      at += 1;
    }
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
    this.#ledger.otherProtocolBytes += end - at;
    return end;
  }

  /** A head whose rest is missing: if its start line is there, the message counts. */
  #breakHead(segment: SegmentFacts): void {
    const held = this.#held as Uint8Array;
    const lineFeed = held.subarray(0, this.#heldBytes).indexOf(LF);
    if (!this.#heldIsJudged || lineFeed < 0) {
      this.#dropHeld(false);
      this.#state = STATE.lost;
      return;
    }
    const length = this.#heldBytes;
    this.#cutHead(held, length);
    const framing = this.#announce(this.#line, this.#section, length, this.#start.offset + length, true);
    this.#heldBytes = 0;
    this.#handler.anomaly(this.#direction, 'gap-in-head');
    this.#enterBody(framing, segment.timeNs, this.#start.offset + length);
    if (!this.#inMessage) this.#state = STATE.start;
  }

  /** Bytes held for a head that came to nothing go to the ledger. */
  #dropHeld(foreign: boolean): void {
    if (foreign || !this.found) this.#ledger.otherProtocolBytes += this.#heldBytes;
    else this.#ledger.unparsedBytes += this.#heldBytes;
    this.#heldBytes = 0;
  }
}

function hasLineFeed(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] === LF) return true;
  return false;
}

/** Offset after the empty line that ends a head, looking from `from`; or after the first line when `simple`. */
function findHeadEnd(bytes: Uint8Array, from: number, end: number, simple: boolean): number {
  for (let at = from; at < end; at += 1) {
    if (bytes[at] !== LF) continue;
    if (simple) return at + 1;
    if (at + 1 < end && bytes[at + 1] === LF) return at + 2;
    if (at + 2 < end && bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}
