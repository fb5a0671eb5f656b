import type { Direction } from '../model/stream.ts';
import type { BodyKind } from './bodies.ts';
import type { PlanningContext } from './planning-context.ts';
import { bytesOf, textOf } from './pseudonyms.ts';

/**
 * The content of one body while it comes, chunk framing taken off: held until it is whole or too long, then
 * redacted as one text and put back into its places.
 */
export class StructuredBody {
  readonly #context: PlanningContext;
  readonly #connection: number;
  readonly #direction: Direction;
  #parts: string[] = [];
  #starts: number[] = [];
  #bytes = 0;
  /** Bytes are missing or were too many: what follows is filler. */
  #ended = false;

  constructor(context: PlanningContext, connection: number, direction: Direction) {
    this.#context = context;
    this.#connection = connection;
    this.#direction = direction;
  }

  add(bytes: Uint8Array, start: number, end: number, position: number): void {
    const { limits, plan, rules } = this.#context;
    const length = end - start;
    if (
      !this.#ended &&
      (this.#bytes + length > limits.structureBytes ||
        this.#context.structureBytes + length > limits.structureBytesTotal)
    ) {
      this.#ended = true;
      rules.replaced.add('bodies whose rest is filler, being too long');
    }
    if (this.#ended) {
      plan?.addFiller(this.#connection, this.#direction, position, position + length);
      return;
    }
    this.#parts.push(textOf(bytes, start, end));
    this.#starts.push(position);
    this.#bytes += length;
    this.#context.structureBytes += length;
  }

  /** Bytes are missing here. */
  cut(): void {
    this.#ended = true;
  }

  /** The body is over. */
  finish(kind: BodyKind, contentType: string): void {
    const redacted = this.#context.bodies.body(this.#parts.join(''), kind, contentType);
    let at = 0;
    this.#parts.forEach((part, index) => {
      const text = redacted.slice(at, at + part.length);
      this.#context.plan?.add(this.#connection, this.#direction, this.#starts[index]!, bytesOf(text));
      at += part.length;
    });
    this.#context.structureBytes -= this.#bytes;
    this.#parts = [];
    this.#starts = [];
    this.#bytes = 0;
  }
}
