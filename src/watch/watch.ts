import type { Exchange } from '../model/exchange.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import type { ExchangeSink } from '../model/sink.ts';
import { ANSI_STYLE, NO_STYLE } from '../report/style.ts';
import type { Key, KeyInput } from './key.ts';
import { ScreenWriter } from './screen-writer.ts';
import { renderScreen } from './watch-screen.ts';
import { WatchState } from './watch-state.ts';
import type { WatchStatus } from './watch-status.ts';
import type { RowFilter } from './watched-rows.ts';

/** Latest exchanges that a watch keeps, unless told otherwise. */
export const WATCH_ROWS = 10_000;
/** Milliseconds from one frame to the next while rows come. Keys are answered at once. */
const FRAME_MS = 100;

export interface WatchOptions {
  readonly terminal: {
    write(text: string): void;
    columns(): number;
    rows(): number;
  };
  readonly keys: KeyInput;
  readonly clock: RunClock;
  readonly captures: readonly CaptureFacts[];
  /** Asked once per frame. */
  readonly status: () => WatchStatus;
  readonly color: boolean;
  /** False: only ASCII is written. */
  readonly unicode: boolean;
  /** @throws UserError whose excerpt shows the mistake */
  readonly parseFilter: (text: string) => RowFilter;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number;
  /** The user wants to end the capture. Called once; a further q or Ctrl-C is an interrupt of the process. */
  readonly onQuit: () => void;
  /** See WATCH_ROWS. */
  readonly maxRows: number;
}

/** A live table of exchanges on a terminal. As a sink it takes everything at once and never has to be waited for. */
export interface Watch extends ExchangeSink {
  /** To be called every now and then, at least a few times per second: draws a frame if it is time for one. */
  tick(): void;
  /** Gives the terminal back and prints lines on the normal screen. Nothing is drawn after that. */
  closing(lines: readonly string[]): void;
  /** The user ended it, or it was closed. */
  readonly stopped: boolean;
}

/** Takes the terminal and shows exchanges as they come, until `closing` or `abort`. */
export function createWatch(options: WatchOptions): Watch {
  return new LiveWatch(options);
}

class LiveWatch implements Watch {
  readonly #options: WatchOptions;
  readonly #state: WatchState;
  readonly #writer: ScreenWriter;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #drawnSize = '';
  #keyWaits = false;
  #isClosed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#state = new WatchState(options);
    this.#writer = new ScreenWriter((text) => options.terminal.write(text));
    options.keys.guard?.({
      leave: () => this.#writer.leave(),
      enter: () => this.#reenter(),
      resized: () => this.#draw(),
    });
    options.keys.onKey((key) => this.#key(key));
    this.#writer.enter();
    this.#draw();
  }

  get stopped(): boolean {
    return this.#state.isStopping || this.#isClosed;
  }

  exchange(exchange: Exchange): void {
    this.#state.add(exchange);
  }

  connection(): void {}

  drain(): null {
    return null;
  }

  /** The terminal is given back by `closing`, so that what it prints comes after everything else. */
  async finish(): Promise<void> {}

  async abort(): Promise<void> {
    this.#close();
  }

  tick(): void {
    if (this.#keyWaits || this.#options.nowMs() - this.#drawnMs >= FRAME_MS) this.#draw();
  }

  closing(lines: readonly string[]): void {
    this.#close();
    for (const line of lines) this.#options.terminal.write(`${line}\n`);
  }

  #key(key: Key): void {
    if (this.#isClosed) return;
    switch (this.#state.key(key)) {
      case 'quit':
        this.#quit();
        break;
      case 'suspend':
        this.#options.keys.suspend?.();
        break;
      case 'redraw':
        this.#writer.forget();
        break;
    }
    // Keys of one burst (a paste, a key held down on a slow line) share a frame.
    if (this.#keyWaits) return;
    this.#keyWaits = true;
    queueMicrotask(() => {
      if (this.#keyWaits) this.#draw();
    });
  }

  /** Who asks again does not want to wait for the end: that is for whoever listens to the signal. */
  #quit(): void {
    const isFirst = !this.#state.isStopping;
    this.#state.isStopping = true;
    if (isFirst) this.#options.onQuit();
    else this.#options.keys.interrupt?.();
  }

  #reenter(): void {
    if (this.#isClosed) return;
    this.#writer.enter();
    this.#draw();
  }

  #draw(): void {
    this.#keyWaits = false;
    if (this.#isClosed || !this.#writer.isOpen) return;
    const { terminal, color, nowMs, status } = this.#options;
    const columns = terminal.columns();
    const rows = terminal.rows();
    const size = `${columns}x${rows}`;
    // Terminals move what they show when their size changes.
    if (this.#drawnSize !== '' && size !== this.#drawnSize) this.#writer.forget();
    this.#drawnSize = size;
    this.#drawnMs = nowMs();
    const style = color ? ANSI_STYLE : NO_STYLE;
    const { clock, captures, unicode, maxRows } = this.#options;
    this.#writer.draw(
      renderScreen(this.#state, status(), {
        columns,
        rows,
        style,
        colors: color,
        unicode,
        clock,
        captures,
        maxRows,
        nowMs: this.#drawnMs,
      }),
    );
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#writer.leave();
    this.#options.keys.stop();
  }
}
