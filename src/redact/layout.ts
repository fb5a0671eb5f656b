import type { Exchange, InterimResponse, Message } from '../model/exchange.ts';
import type { Direction } from '../model/stream.ts';
import { growingFloats, growingIntegers } from './growing.ts';

/** Where one message lies in its direction. */
export interface MessagePlace {
  readonly start: number;
  readonly headEnd: number;
  /** One past its last byte; -1: unknown, it broke off. */
  readonly end: number;
  readonly isResponse: boolean;
}

const NONE = -1;

/**
 * Where every message of a run lies, from its exchanges. A run over the same packets has the same connection
 * numbers and places, so the layout of one run explains the bytes of the next. 28 bytes for each message.
 */
export class StreamLayout {
  readonly #starts = growingFloats();
  readonly #headBytes = growingIntegers();
  /** Length; NONE: unknown. */
  readonly #lengths = growingFloats();
  readonly #responses = growingIntegers();
  /** The message of the same direction that was noted before, plus 1; 0: none. */
  readonly #before = growingIntegers();
  /** The message of each direction that was noted last, plus 1; by connection * 2 + direction. */
  readonly #last = growingIntegers();

  get messages(): number {
    return this.#starts.length;
  }

  note(exchange: Exchange): void {
    const { connection, request, response, interim } = exchange;
    if (request !== null) this.#add(connection.id, request, false);
    if (response !== null) this.#add(connection.id, response, true);
    const direction = response?.direction ?? (request?.direction === 0 ? 1 : 0);
    for (const one of interim) this.#addInterim(connection.id, direction, one);
  }

  /** The messages of a direction by their places. */
  of(connection: number, direction: Direction): MessagePlace[] {
    const places: MessagePlace[] = [];
    for (let next = this.#last.at(connection * 2 + direction); next > 0; next = this.#before.at(next - 1)) {
      const start = this.#starts.at(next - 1);
      const length = this.#lengths.at(next - 1);
      places.push({
        start,
        headEnd: start + this.#headBytes.at(next - 1),
        end: length === NONE ? -1 : start + length,
        isResponse: this.#responses.at(next - 1) === 1,
      });
    }
    return places.sort((a, b) => a.start - b.start);
  }

  #add(connection: number, message: Message, isResponse: boolean): void {
    if (message.startOffset < 0) return;
    const length = message.endOffset < 0 ? NONE : message.endOffset - message.startOffset;
    this.#push(connection, message.direction, message.startOffset, message.headerBytes, length, isResponse);
  }

  #addInterim(connection: number, direction: Direction, interim: InterimResponse): void {
    if (interim.startOffset < 0) return;
    const length = interim.endOffset - interim.startOffset;
    this.#push(connection, direction, interim.startOffset, length, length, true);
  }

  #push(
    connection: number,
    direction: Direction,
    start: number,
    headBytes: number,
    length: number,
    isResponse: boolean,
  ): void {
    const key = connection * 2 + direction;
    this.#starts.push(start);
    this.#headBytes.push(headBytes);
    this.#lengths.push(length);
    this.#responses.push(isResponse ? 1 : 0);
    this.#before.push(this.#last.at(key));
    this.#last.set(key, this.#starts.length);
  }
}
