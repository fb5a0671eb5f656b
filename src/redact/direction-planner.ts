import type { Direction } from '../model/stream.ts';
import { type BodyKind, bodyKind } from './bodies.ts';
import { ChunkWalk } from './chunk-walk.ts';
import type { HeadFacts } from './heads.ts';
import type { MessagePlace } from './layout.ts';
import { isPartialStart, judgeOutside } from './outside.ts';
import type { PlanningContext } from './planning-context.ts';
import { bytesOf, textOf } from './pseudonyms.ts';
import { StructuredBody } from './structured-body.ts';

const NO_FACTS: HeadFacts = { contentType: '', chunked: false, encoded: false };
/** Bytes of trailers redacted at once. */
const TRAILER_BYTES = 64 * 1024;
const CR = 13;
const LF = 10;

/** Plans what the bytes of one direction become, while they pass in order. */
export class DirectionPlanner {
  readonly #context: PlanningContext;
  readonly #connection: number;
  readonly #direction: Direction;
  readonly #places: readonly MessagePlace[];
  /** The next message to begin. */
  #index = 0;
  /** The message being read; null: outside of messages. */
  #message: MessagePlace | null = null;
  /** Head or trailers as far as they were read. */
  #parts: string[] = [];
  #facts = NO_FACTS;
  #kind: BodyKind = 'other';
  #chunks: ChunkWalk | null = null;
  #body: StructuredBody | null = null;
  /** Bytes of the present line, in the rest of a head that is longer than the limit; null: not there. */
  #longHeadLine: number | null = null;
  #trailersStart = -1;
  /** A message might begin here: nothing odd came since the last one. */
  #atBoundary = true;
  #held = '';
  #heldStart = 0;
  /** The last byte that was delivered, 0 behind a gap. */
  #lastByte = 0;
  /** One past the last byte delivered; -1: none was. */
  reached = -1;

  constructor(context: PlanningContext, connection: number, direction: Direction) {
    this.#context = context;
    this.#connection = connection;
    this.#direction = direction;
    this.#places = context.layout.of(connection, direction);
  }

  /** In-order bytes `bytes[start, end)`, the first of which stands at `offset`. */
  data(bytes: Uint8Array, start: number, end: number, offset: number): void {
    let at = start;
    while (at < end) {
      const position = offset + (at - start);
      const taken = Math.min(end - at, this.#span(position));
      if (taken <= 0) continue;
      this.#take(bytes, at, at + taken, position);
      at += taken;
      this.#lastByte = bytes[at - 1]!;
    }
    this.reached = offset + (end - start);
  }

  /** `length` bytes from `offset` are missing. */
  gap(offset: number, length: number): void {
    const end = offset + length;
    this.reached = end;
    this.#lastByte = 0;
    this.#release(false);
    this.#atBoundary = false;
    const message = this.#message;
    if (message === null) return;
    if (message.end >= 0 && end >= message.end) {
      this.#finishMessage();
      this.#atBoundary = end === message.end;
      return;
    }
    this.#body?.cut();
    if (this.#chunks !== null && !this.#chunks.skip(length)) this.#flushTrailers();
  }

  /** Nothing follows. */
  finish(): void {
    if (this.#message !== null) this.#finishMessage();
    this.#release(true);
    this.#context.plan?.seal(this.#connection, this.#direction);
  }

  /** How many bytes from `position` on are of one kind; 0: something has changed, ask again. */
  #span(position: number): number {
    const message = this.#message;
    if (message !== null) {
      if (position < message.headEnd) return message.headEnd - position;
      const end = this.#messageEnd(message);
      if (position < end) return end - position;
      this.#finishMessage();
      this.#atBoundary = message.end >= 0;
      return 0;
    }
    let next = this.#places[this.#index];
    while (next !== undefined && next.start < position) {
      this.#index += 1;
      next = this.#places[this.#index];
    }
    if (next === undefined) return Number.POSITIVE_INFINITY;
    if (next.start > position) return next.start - position;
    this.#begin(next);
    return 0;
  }

  /** Where its body ends: a message that broke off reaches to the next one. */
  #messageEnd(message: MessagePlace): number {
    if (message.end >= 0) return message.end;
    return this.#places[this.#index]?.start ?? Number.POSITIVE_INFINITY;
  }

  #begin(message: MessagePlace): void {
    this.#release(false);
    // After something lost a message is looked for at the beginning of lines: it has to remain one.
    if (!this.#atBoundary && this.#lastByte === LF) this.#add(message.start - 1, '\n');
    this.#index += 1;
    this.#message = message;
    this.#facts = NO_FACTS;
    this.#kind = 'other';
    this.#chunks = null;
    this.#body = null;
    this.#longHeadLine = null;
    this.#trailersStart = -1;
  }

  #take(bytes: Uint8Array, start: number, end: number, position: number): void {
    const message = this.#message;
    if (message === null) this.#outside(textOf(bytes, start, end), position);
    else if (position < message.headEnd) {
      this.#parts.push(textOf(bytes, start, end));
      if (position + (end - start) === message.headEnd) this.#finishHead(message);
    } else this.#takeBody(bytes, start, end, position);
  }

  #finishHead(message: MessagePlace): void {
    const text = this.#parts.join('');
    this.#parts = [];
    const { heads, rules, limits } = this.#context;
    const head = heads.head(text, message.isResponse);
    this.#add(message.start, head.text);
    this.#facts = head.facts;
    this.#kind = bodyKind(head.facts, rules);
    if (head.facts.chunked) this.#chunks = new ChunkWalk();
    if (text.length >= limits.headBytes && !/\n\r?\n$/.test(text)) this.#longHeadLine = 1;
  }

  #takeBody(bytes: Uint8Array, from: number, end: number, fromPosition: number): void {
    let start = from;
    let position = fromPosition;
    if (this.#longHeadLine !== null) {
      start = this.#restOfHead(bytes, from, end, position);
      position += start - from;
    }
    if (start >= end) return;
    if (this.#chunks === null) {
      this.#content(bytes, start, end, position);
      return;
    }
    const shift = position - start;
    let framingStart = -1;
    let framingEnd = -1;
    const flushFraming = (): void => {
      if (framingStart >= 0) this.#add(framingStart + shift, textOf(bytes, framingStart, framingEnd));
      framingStart = -1;
    };
    this.#chunks.take(bytes, start, end, (kind, partStart, partEnd) => {
      if (kind === 'framing') {
        if (framingStart < 0) framingStart = partStart;
        framingEnd = partEnd;
        return;
      }
      flushFraming();
      if (kind === 'data') this.#content(bytes, partStart, partEnd, partStart + shift);
      else if (kind === 'extension') this.#extension(partStart + shift, bytes[partStart]!);
      else if (kind === 'trailer') {
        if (this.#trailersStart < 0) this.#trailersStart = partStart + shift;
        this.#parts.push(textOf(bytes, partStart, partEnd));
        if (this.#parts.length >= TRAILER_BYTES) this.#flushTrailers();
      }
    });
    flushFraming();
  }

  #extension(position: number, byte: number): void {
    this.#context.rules.replaced.add('chunk extension bytes');
    this.#add(position, byte === 59 || byte === 61 ? String.fromCharCode(byte) : 'x');
  }

  /** The rest of a head that was too long to be read: only its line ends stay. Returns where it ends. */
  #restOfHead(bytes: Uint8Array, start: number, end: number, position: number): number {
    const shown: number[] = [];
    let at = start;
    while (at < end && this.#longHeadLine !== null) {
      const byte = bytes[at]!;
      shown.push(byte === CR || byte === LF ? byte : 120);
      if (byte === LF) this.#longHeadLine = this.#longHeadLine === 0 ? null : 0;
      else if (byte !== CR) this.#longHeadLine += 1;
      at += 1;
    }
    this.#context.rules.replaced.add('bytes of heads that are too long', '', shown.length);
    this.#add(position, textOf(Uint8Array.from(shown)));
    return at;
  }

  #content(bytes: Uint8Array, start: number, end: number, position: number): void {
    if (this.#kind === 'other') {
      this.#context.plan?.addFiller(this.#connection, this.#direction, position, position + (end - start));
      return;
    }
    this.#body ??= new StructuredBody(this.#context, this.#connection, this.#direction);
    this.#body.add(bytes, start, end, position);
  }

  #finishMessage(): void {
    const message = this.#message as MessagePlace;
    // A head without its end: as much of it as came.
    if (this.#parts.length > 0 && this.#trailersStart < 0) this.#finishHead(message);
    this.#flushTrailers();
    this.#body?.finish(this.#kind, this.#facts.contentType);
    this.#countBody();
    this.#message = null;
    this.#body = null;
  }

  #countBody(): void {
    const message = this.#message as MessagePlace;
    if (message.end === message.headEnd) return;
    const { replaced } = this.#context.rules;
    replaced.add(
      'bodies',
      this.#facts.encoded ? 'encoded, now filler' : this.#kind === 'other' ? 'filler' : this.#kind,
    );
  }

  #flushTrailers(): void {
    if (this.#trailersStart < 0) return;
    const text = this.#parts.join('');
    this.#parts = [];
    this.#add(this.#trailersStart, this.#context.heads.section(text).text);
    this.#trailersStart = -1;
  }

  /** Bytes of no message. */
  #outside(text: string, position: number): void {
    if (!this.#atBoundary) {
      this.#scrubbed(text.length);
      return;
    }
    if (this.#held === '') this.#heldStart = position;
    this.#held += text;
    while (this.#held !== '') {
      const verdict = judgeOutside(this.#held);
      if (verdict.kind === 'wait') return;
      if (verdict.kind === 'nothing') {
        this.#atBoundary = false;
        this.#scrubbed(this.#held.length);
        this.#held = '';
        return;
      }
      const part = this.#held.slice(0, verdict.bytes);
      const shown = verdict.kind === 'interim' ? this.#context.heads.head(part, true).text : part;
      this.#add(this.#heldStart, shown);
      this.#held = this.#held.slice(verdict.bytes);
      this.#heldStart += verdict.bytes;
      if (verdict.kind === 'keep') {
        this.#atBoundary = false;
        this.#scrubbed(this.#held.length);
        this.#held = '';
      }
    }
  }

  /** What was held back is no message; at the very end it may be the beginning of one. */
  #release(isEnd: boolean): void {
    if (this.#held === '') return;
    if (isEnd && isPartialStart(this.#held)) {
      this.#add(this.#heldStart, this.#context.heads.head(this.#held, this.#held.startsWith('HTTP/')).text);
    } else this.#scrubbed(this.#held.length);
    this.#held = '';
  }

  #scrubbed(bytes: number): void {
    if (bytes > 0) this.#context.rules.replaced.add('TCP payload bytes outside of messages', '', bytes);
  }

  #add(position: number, text: string): void {
    this.#context.plan?.add(this.#connection, this.#direction, position, bytesOf(text));
  }
}
