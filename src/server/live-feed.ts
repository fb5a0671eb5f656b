import type { ServerResponse } from 'node:http';
import type { ExchangePage, ExchangeRow, ExchangeStore, Selection } from '../store/exchange-store.ts';
import type { ServerLimits } from './limits.ts';

/** Exchanges read from the store at once for one stream. */
const PAGE = 500;

export interface LiveFeedOptions {
  readonly store: ExchangeStore;
  readonly limits: ServerLimits;
  /** Told of every exchange sent. */
  readonly onEvent: () => void;
  /** Told when a stream ends because something failed; it is not told to the client. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Live streams of exchanges as server-sent events. A stream holds no queue: it reads what came after the last row that it
 * sent, and only when its client has taken that. So a slow client costs one page of memory, and misses nothing.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #streams = new Set<LiveStream>();
  readonly #unsubscribe: () => void;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    this.#unsubscribe = options.store.onCommit(() => {
      for (const stream of this.#streams) stream.told();
    });
  }

  get streams(): number {
    return this.#streams.size;
  }

  /**
   * Sends events until the client goes away or the feed is closed. The head of the answer is written already.
   * `afterId` null: from now on.
   */
  async serve(answer: ServerResponse, selection: Selection, afterId: number | null): Promise<void> {
    const stream = new LiveStream(answer, selection, this.#options);
    // Registered first: what is committed while the position is looked up is told.
    this.#streams.add(stream);
    try {
      await stream.run(afterId);
    } catch (error) {
      this.#options.onFailure(error);
    } finally {
      this.#streams.delete(stream);
      answer.end();
    }
  }

  /** Ends every stream; their clients come back with the id of what they saw last. */
  close(): void {
    this.#unsubscribe();
    for (const stream of this.#streams) stream.stop();
  }
}

class LiveStream {
  readonly #answer: ServerResponse;
  readonly #selection: Selection;
  readonly #options: LiveFeedOptions;
  readonly #stopped = new AbortController();
  /** What arrived up to this id is sent, or was not asked for. */
  #position = 0;
  #news = false;
  #wake: (() => void) | null = null;

  constructor(answer: ServerResponse, selection: Selection, options: LiveFeedOptions) {
    this.#answer = answer;
    this.#selection = selection;
    this.#options = options;
    answer.once('close', () => this.stop());
  }

  told(): void {
    this.#news = true;
    this.#wake?.();
  }

  stop(): void {
    this.#stopped.abort();
    this.#wake?.();
  }

  async run(afterId: number | null): Promise<void> {
    const { store, limits } = this.#options;
    const { signal } = this.#stopped;
    const comments = setInterval(() => this.#answer.write(':\n\n'), limits.streamCommentMs);
    try {
      this.#position = afterId ?? (await newestId(store, signal));
      // An id without data is no event, but what a client comes back with.
      await this.#send(`retry: 2000\nid: ${this.#position}\n\n`);
      this.#news ||= afterId !== null;
      while (!signal.aborted) {
        await this.#untilNews();
        if (signal.aborted) return;
        await this.#sendNews();
        await this.#pause(limits.streamPauseMs);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      clearInterval(comments);
    }
  }

  async #sendNews(): Promise<void> {
    this.#news = false;
    for (;;) {
      const page = await this.#options.store.list(
        { ...this.#selection, ...IN_ARRIVAL, limit: PAGE, afterId: this.#position },
        this.#stopped.signal,
      );
      await this.#sendPage(page);
      this.#position = page.lastId;
      if (page.next === null || this.#stopped.signal.aborted) break;
    }
  }

  async #sendPage({ rows, arrivals }: ExchangePage): Promise<void> {
    if (rows.length === 0) return;
    await this.#send(rows.map((row, index) => eventText(row, arrivals[index])).join(''));
    for (const _ of rows) this.#options.onEvent();
  }

  /** Resolves when the client's side has taken it; ends the stream when it takes too long for that. */
  async #send(text: string): Promise<void> {
    if (this.#answer.write(text)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#answer.off('drain', done);
        this.#stopped.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#answer.destroy();
        this.stop();
      }, this.#options.limits.streamStallMs);
      this.#answer.once('drain', done);
      this.#stopped.signal.addEventListener('abort', done);
    });
  }

  async #untilNews(): Promise<void> {
    if (this.#news || this.#stopped.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = null;
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#stopped.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#stopped.signal.addEventListener('abort', done);
    });
  }
}

/** The id is that of the row with which it arrived: who comes back with it goes on right behind. */
const eventText = (row: ExchangeRow, arrival: number): string =>
  `event: exchange\nid: ${arrival}\ndata: ${JSON.stringify(row)}\n\n`;

const IN_ARRIVAL = { sort: 'id', descending: false, cursor: null } as const;
const NOTHING_ASKED: Selection = {
  where: null,
  fromUs: null,
  toUs: null,
  address: null,
  agent: null,
  node: null,
};

/** Of all rows that are stored. */
async function newestId(store: ExchangeStore, signal: AbortSignal): Promise<number> {
  const query = { ...NOTHING_ASKED, ...IN_ARRIVAL, descending: true, limit: 1, afterId: null };
  return (await store.list(query, signal)).lastId;
}
