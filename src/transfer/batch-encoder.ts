import type { Exchange } from '../model/exchange.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import type { BatchColumn, RowBatch } from '../model/row-batch.ts';
import { BATCH_COLUMNS, type BatchColumnFacts } from './batch-columns.ts';
import { NumberColumnBuilder, TextColumnBuilder } from './column-builder.ts';
import { encodeBatch } from './encode-batch.ts';
import { exchangeValues, type ValueOf } from './exchange-values.ts';
import { checkText } from './value-rules.ts';
import { wellFormed } from './well-formed.ts';

export interface BatchEncoderOptions {
  /** The run's clock; its epoch must be known when the first exchange comes. */
  readonly clock: RunClock;
  /** For the names of interfaces in `sightings`; may grow. */
  readonly captures: readonly CaptureFacts[];
}

/** Bytes of an exchange before compression, beside those of its texts: measured, and only an estimate. */
const NUMBER_BYTES = 130;

/** An address that is none, for a column that must have one. */
const NO_ADDRESS = '::';

// Classes, so that all columns have one shape: these loops run for every value of every exchange.

class TextColumn {
  readonly facts: BatchColumnFacts;
  readonly valueIn: ValueOf;
  readonly texts: TextColumnBuilder;

  constructor(facts: BatchColumnFacts, valueIn: ValueOf) {
    this.facts = facts;
    this.valueIn = valueIn;
    this.texts = new TextColumnBuilder(facts.form === 'uid');
  }
}

class NumberColumn {
  readonly facts: BatchColumnFacts;
  readonly valueIn: ValueOf;
  readonly numbers = new NumberColumnBuilder();
  /** Smallest and largest value. */
  readonly bounds: Float64Array;
  readonly isInteger: boolean;

  constructor(facts: BatchColumnFacts, valueIn: ValueOf) {
    this.facts = facts;
    this.valueIn = valueIn;
    this.bounds = Float64Array.of(facts.minimum, facts.maximum);
    this.isInteger = facts.type === 'integer';
  }
}

/**
 * Gathers exchanges in columns, and gives them out as the body of an upload. Made of exchanges, a batch is always one
 * that a server takes: what no batch may hold is left out and counted.
 */
export class BatchEncoder {
  readonly #clock: RunClock;
  /** Apart, so that each of the two loops over them runs the same code for every column. */
  readonly #texts: readonly TextColumn[];
  readonly #numbers: readonly NumberColumn[];
  #rows = 0;
  #leftOut = 0;

  constructor({ clock, captures }: BatchEncoderOptions) {
    this.#clock = clock;
    const values = exchangeValues(captures);
    const texts: TextColumn[] = [];
    const numbers: NumberColumn[] = [];
    for (const [index, facts] of BATCH_COLUMNS.entries()) {
      const valueIn = values[index] as ValueOf;
      if (facts.type === 'text') texts.push(new TextColumn(facts, valueIn));
      else numbers.push(new NumberColumn(facts, valueIn));
    }
    this.#texts = texts;
    this.#numbers = numbers;
  }

  /** Adds the exchange; nothing of it is kept by reference but its texts. */
  add(exchange: Exchange): void {
    const epochSeconds = this.#clock.epochSeconds ?? 0;
    for (const { facts, valueIn, texts } of this.#texts) {
      const value = valueIn(exchange, epochSeconds) as string | null;
      if (value === null) texts.addNull();
      else this.#text(texts, facts, value);
    }
    for (const { facts, valueIn, numbers, bounds, isInteger } of this.#numbers) {
      const value = valueIn(exchange, epochSeconds) as number | null;
      const isGood =
        value === null ||
        (value >= bounds[0] && value <= bounds[1] && (!isInteger || Number.isInteger(value)));
      numbers.add(isGood ? value : this.#nearest(facts, value));
    }
    this.#rows += 1;
  }

  #text(texts: TextColumnBuilder, facts: BatchColumnFacts, text: string): void {
    const known = texts.codeOf(text);
    if (known !== undefined) {
      texts.addCode(known);
      return;
    }
    const checked = checkText(facts, wellFormed(text), true);
    if (typeof checked === 'string') texts.addCode(texts.learn(text, checked));
    else {
      this.#leftOut += 1;
      if (facts.nullable) texts.addNull();
      else texts.add(facts.words?.[0] ?? NO_ADDRESS);
    }
  }

  /** In the place of a number that no batch may carry. */
  #nearest({ nullable, minimum, maximum }: BatchColumnFacts, value: number): number | null {
    this.#leftOut += 1;
    if (nullable) return null;
    return Number.isNaN(value) ? minimum : Math.trunc(Math.min(maximum, Math.max(minimum, value)));
  }

  /** Exchanges since the last `take`. */
  get rows(): number {
    return this.#rows;
  }

  /** About how many bytes they will have before compression. */
  get bytes(): number {
    let chars = 0;
    for (const { texts } of this.#texts) chars += texts.chars;
    return chars + this.#rows * NUMBER_BYTES;
  }

  /**
   * Values so far that no batch may carry (longer than `maxBytes`, out of range) and that were left out: null, or the
   * nearest value where the column must have one. Only hostile captures have such.
   */
  get valuesLeftOut(): number {
    return this.#leftOut;
  }

  /** The exchanges since the last `take`, in columns; then it is empty. At least one row. */
  takeBatch(): RowBatch {
    const rows = this.#rows;
    if (rows === 0) throw new Error('a batch has at least one row');
    const columns: Record<string, BatchColumn> = {};
    for (const { facts, texts } of this.#texts) columns[facts.name] = texts.take(rows);
    for (const { facts, numbers } of this.#numbers) columns[facts.name] = numbers.take(rows);
    this.#rows = 0;
    return { rows, columns };
  }

  /** The same as a gzip'd body of type BATCH_TYPE. Takes about 10 ms for 2,000 exchanges. */
  take(): Buffer {
    return encodeBatch(this.takeBatch());
  }
}
