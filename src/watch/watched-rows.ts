import type { Exchange } from '../model/exchange.ts';
import { KeptExchanges } from './kept-exchanges.ts';

/** A filter that the user typed, ready for use. `matches` never throws. */
export interface RowFilter {
  matches(exchange: Exchange): boolean;
}

/** Rows as they were when the display was held. */
interface Held {
  readonly kept: KeptExchanges;
  readonly selected: KeptExchanges | null;
  newer: number;
}

/**
 * The exchanges that a watch has to choose from: all that are kept, those of them that pass the filter, and both as
 * they were when the display was held, while new ones go on coming.
 */
export class WatchedRows {
  readonly #maxRows: number;
  #kept: KeptExchanges;
  #selected: KeptExchanges | null = null;
  #filter: RowFilter | null = null;
  #held: Held | null = null;

  constructor(maxRows: number) {
    this.#maxRows = maxRows;
    this.#kept = new KeptExchanges(maxRows);
  }

  /** What is to be seen now. */
  get shown(): KeptExchanges {
    const { kept, selected } = this.#held ?? { kept: this.#kept, selected: this.#selected };
    return selected ?? kept;
  }

  /** Exchanges that came since the display was held; null: it is not held. */
  get newer(): number | null {
    return this.#held?.newer ?? null;
  }

  get isFiltered(): boolean {
    return this.#filter !== null;
  }

  passes(exchange: Exchange): boolean {
    return this.#filter === null || this.#filter.matches(exchange);
  }

  /** `passes`: what `passes` said of it. */
  add(exchange: Exchange, passes: boolean): void {
    this.#kept.add(exchange);
    if (passes) this.#selected?.add(exchange);
    if (this.#held !== null) this.#held.newer += 1;
  }

  /** Takes the filter for rows kept and coming; null: no filter. */
  filter(filter: RowFilter | null): void {
    this.#filter = filter;
    const select = (kept: KeptExchanges): KeptExchanges | null =>
      filter === null ? null : kept.select((exchange) => filter.matches(exchange));
    this.#selected = select(this.#kept);
    if (this.#held !== null) this.#held = { ...this.#held, selected: select(this.#held.kept) };
  }

  hold(): void {
    this.#held = { kept: this.#kept.copy(), selected: this.#selected?.copy() ?? null, newer: 0 };
  }

  release(): void {
    this.#held = null;
  }

  clear(): void {
    this.#held = null;
    this.#kept = new KeptExchanges(this.#maxRows);
    if (this.#filter !== null) this.#selected = new KeptExchanges(this.#maxRows);
  }
}
