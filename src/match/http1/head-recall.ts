import type { Direction } from '../../model/stream.ts';
import { FieldFacts } from './field-facts.ts';
import type { FieldMemo } from './field-memo.ts';
import type { HeadReader } from './head-reader.ts';
import type { LineCache } from './line-cache.ts';
import { LineFacts } from './line-facts.ts';

const NO_SECTION = new FieldFacts();
const NO_LINE = new LineFacts(false);
const SIMPLE_ANSWER = new LineFacts(true);
SIMPLE_ANSWER.version = '0.9';
SIMPLE_ANSWER.isSimple = true;

/** What the directions of a run read heads with. */
export interface HeadSources {
  reader: HeadReader;
  lines: LineCache;
  memo: FieldMemo;
}

/**
 * Reads the heads of one direction. Most of them were there before, so their bytes are compared with those remembered
 * in `lines` and `memo`, and only what is new is read. What was read last stands in `line` and `section`.
 */
export class HeadRecall {
  readonly #reader: HeadReader;
  readonly #lines: LineCache;
  readonly #memo: FieldMemo;
  /** Where its header sections are remembered, and where the next one is expected. */
  readonly #ownSlot: number;
  #sectionSlot: number;
  /** Where the direction's last start line stands among those remembered: servers mostly repeat theirs. */
  #lineSlot = 0;
  line: LineFacts = NO_LINE;
  section: FieldFacts = NO_SECTION;

  constructor({ reader, lines, memo }: HeadSources, connectionId: number, direction: Direction) {
    this.#reader = reader;
    this.#lines = lines;
    this.#memo = memo;
    this.#ownSlot = memo.slotOf(connectionId, direction);
    this.#sectionSlot = this.#ownSlot;
  }

  /** What the start line at `start` says, if it was read before. */
  knownLine(bytes: Uint8Array, start: number, end: number): LineFacts | null {
    const expected = this.#lines.findAt(this.#lineSlot, bytes, start, end);
    if (expected !== null) return expected;
    const known = this.#lines.find(bytes, start, end);
    this.#lineSlot = this.#lines.slot;
    return known;
  }

  /**
   * Reads the head at `start`. `known`: what `knownLine`, asked just before, has found there. Returns the length of
   * the head, 0 when it is not there as a whole.
   */
  read(bytes: Uint8Array, start: number, end: number, isResponse: boolean, known: LineFacts | null): number {
    let line = known;
    let lineBytes = this.#lines.length;
    if (line === null) {
      line = this.#reader.line(bytes, start, end, isResponse);
      if (line === null) return 0;
      lineBytes = this.#reader.lineBytes;
      if (this.#lines.find(bytes, start, end) === null) this.#lines.remember(bytes, start, line);
    }
    this.line = line;
    if (line.isSimple) {
      this.section = NO_SECTION;
      return lineBytes;
    }
    const fieldsStart = start + lineBytes;
    const memo = this.#memo;
    const section = memo.find(this.#sectionSlot, isResponse, bytes, fieldsStart, end);
    if (section !== null) {
      this.section = section;
      this.#sectionSlot = memo.slot;
      return lineBytes + memo.length;
    }
    const read = this.#reader.section(bytes, fieldsStart, end, isResponse);
    if (read === null) return 0;
    const { sectionBytes } = this.#reader;
    this.section = read;
    memo.remember(this.#ownSlot, isResponse, bytes, fieldsStart, fieldsStart + sectionBytes, read);
    this.#sectionSlot = this.#ownSlot;
    return lineBytes + sectionBytes;
  }

  /** Reads what is there of a head whose rest is missing: `bytes[0, length)`. */
  readCut(bytes: Uint8Array, length: number, isResponse: boolean): void {
    this.line = this.#reader.line(bytes, 0, length, isResponse, true) as LineFacts;
    this.section =
      this.#reader.section(bytes, this.#reader.lineBytes, length, isResponse, true) ?? NO_SECTION;
  }

  /** An answer of HTTP/0.9 has no head: `line` and `section` then say as much. */
  useSimpleAnswer(): void {
    this.line = SIMPLE_ANSWER;
    this.section = NO_SECTION;
  }
}
