import type { Exchange } from '../model/exchange.ts';
import type { KeptExchanges, RowList } from './kept-exchanges.ts';
import { isError } from './kept-exchanges.ts';
import { type SortOrder, sorted } from './sort-order.ts';

/** A sorted view is put in order again so often while rows come: sorting costs, and nobody reads faster. */
export const SORT_REFRESH_MS = 500;

/** Which rows are looked at, and how. */
export interface ViewChoice {
  readonly rows: KeptExchanges;
  readonly errorsOnly: boolean;
  /** null: in the order of arrival, newest last. */
  readonly order: SortOrder | null;
}

class ListOf implements RowList {
  readonly begin = 0;
  readonly #rows: readonly Exchange[];

  constructor(rows: readonly Exchange[]) {
    this.#rows = rows;
  }

  get end(): number {
    return this.#rows.length;
  }

  at(position: number): Exchange {
    return this.#rows[position];
  }
}

/**
 * The rows of the view with a selected one. While the selection follows, it is the newest row, or the first one of a
 * sorted view; otherwise it stays on its exchange while rows come. In the order of arrival that costs nothing per row.
 */
export class WatchView {
  #choice: ViewChoice;
  #list: RowList = new ListOf([]);
  #sortedMs = Number.NEGATIVE_INFINITY;
  #sortedVersion = -1;
  #position = 0;
  #exchange: Exchange | null = null;
  #top = 0;
  #height = 1;
  follows = true;

  constructor(choice: ViewChoice) {
    this.#choice = choice;
    this.#arrange();
  }

  get order(): SortOrder | null {
    return this.#choice.order;
  }

  get list(): RowList {
    return this.#list;
  }

  /** Position of the first row on the screen. */
  get top(): number {
    return this.#top;
  }

  get position(): number {
    return this.#position;
  }

  /** The selected exchange; null: there are no rows. */
  get selected(): Exchange | null {
    return this.#exchange;
  }

  /** Another choice. The selection stays on its exchange; if that is not among the rows, it follows. */
  choose(choice: ViewChoice): void {
    this.#choice = choice;
    this.#arrange();
    if (!this.#find()) this.follows = true;
    this.settle(this.#height);
  }

  /** Brings a sorted view up to date if rows came and it is time to. `version` changes with the rows. */
  refresh(version: number, nowMs: number): void {
    if (this.order === null || version === this.#sortedVersion) return;
    if (nowMs - this.#sortedMs < SORT_REFRESH_MS) return;
    this.#sortedMs = nowMs;
    this.#sortedVersion = version;
    const line = this.#position - this.#top;
    const wasAtStart = this.#top === 0;
    this.#arrange();
    this.#find();
    // At the start of the list what is first stays in sight; further down the selected row stays where it is.
    this.#top = wasAtStart ? 0 : this.#position - line;
  }

  /** `height` rows fit on the screen: keeps the selection among the rows, and in sight. */
  settle(height: number): void {
    this.#height = Math.max(1, height);
    const { begin, end } = this.#list;
    if (this.follows) this.#position = this.order === null ? end - 1 : begin;
    this.#position = Math.max(begin, Math.min(end - 1, this.#position));
    this.#exchange = end > begin ? this.#list.at(this.#position) : null;
    const last = Math.max(begin, end - this.#height);
    this.#top = Math.min(this.#top, this.#position);
    this.#top = Math.max(this.#top, this.#position - this.#height + 1);
    this.#top = Math.max(begin, Math.min(last, this.#top));
  }

  /** Moves by so many rows. Moving on from where the selection follows anyway makes it follow. */
  move(rows: number): void {
    const { begin, end } = this.#list;
    const wanted = this.#position + rows;
    if (this.order === null) this.follows = rows > 0 && (this.follows || wanted >= end);
    else this.follows = rows < 0 && (this.follows || wanted < begin);
    this.#position = wanted;
    this.settle(this.#height);
  }

  page(pages: number): void {
    this.move(pages * Math.max(1, this.#height - 1));
  }

  first(): void {
    this.follows = this.order !== null;
    this.#position = this.#list.begin;
    this.settle(this.#height);
  }

  last(): void {
    this.follows = this.order === null;
    this.#position = this.#list.end - 1;
    this.settle(this.#height);
  }

  /** True when one more row would push one off the screen's list that the reader is looking at. */
  get isAboutToLose(): boolean {
    const { order, errorsOnly, rows } = this.#choice;
    if (order !== null || this.follows) return false;
    const ring = errorsOnly ? rows.errors : rows.recent;
    return ring.isFull && ring.begin >= this.#top;
  }

  #arrange(): void {
    const { rows, errorsOnly, order } = this.#choice;
    if (order === null) {
      this.#list = errorsOnly ? rows.errors : rows.recent;
      return;
    }
    const all = rows.all();
    this.#list = new ListOf(sorted(errorsOnly ? all.filter(isError) : all, order));
  }

  /** Puts the selection where its exchange is now. False: it is not among the rows. */
  #find(): boolean {
    if (this.follows || this.#exchange === null) return true;
    const { begin, end } = this.#list;
    for (let position = begin; position < end; position += 1) {
      if (this.#list.at(position) === this.#exchange) {
        this.#position = position;
        return true;
      }
    }
    return false;
  }
}
