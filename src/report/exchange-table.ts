import type { Exchange } from '../model/exchange.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import { startNs, totalNs, waitNs } from '../model/phases.ts';
import type { ExchangeSink } from '../model/sink.ts';
import type { TextOutput } from '../model/text-output.ts';
import { rfc3339 } from '../model/time-text.ts';
import { requestText, statusPaint, statusText } from './exchange-text.ts';
import type { Style } from './style.ts';
import { sanitise } from './terminal-text.ts';
import { type Column, fitColumns, formatRow, formatTitles, type Row, type Widths } from './text-table.ts';
import { formatBytes, formatDuration } from './units.ts';
import { lastPacketNs, preciseTimeOfDay } from './wall-clock.ts';
import { waitedNs, whyOdd } from './why.ts';

export interface ExchangeTableOptions {
  readonly output: TextOutput;
  readonly clock: RunClock;
  /** For the time of the last packet; filled while packets are read. */
  readonly captures: readonly CaptureFacts[];
  /** Cells of a line; Infinity: nothing is shortened, for pipes and files. */
  readonly width: number;
  readonly style: Style;
  /** False: rows come in the order given, which is the answer to the user's question. */
  readonly sortByStart: boolean;
  /** Nobody waits for the first rows: more of them are sorted and measured together. */
  readonly gather?: boolean;
  /** Rows come one by one while a recorder runs: the first ones say nothing about how wide later ones are. */
  readonly live?: boolean;
}

/** `12.3 ms` and `1.23 MB`, with room for one sign more. */
const WIDEST_UNIT = 8;
/** Numbers grow while rows come. */
const WIDEST_ID = 5;

const COLUMNS: readonly Column[] = [
  { title: 'id', align: 'right', reserve: WIDEST_ID },
  { title: 'time (UTC)', expendable: 2 },
  { title: 'client', shrinkTo: 12, cut: 'middle', expendable: 5 },
  { title: 'server', shrinkTo: 12, cut: 'middle', expendable: 4 },
  { title: 'status' },
  { title: 'wait', align: 'right', expendable: 3, reserve: WIDEST_UNIT },
  { title: 'total', align: 'right', reserve: WIDEST_UNIT },
  { title: 'sent', align: 'right', expendable: 7, reserve: WIDEST_UNIT },
  { title: 'received', align: 'right', expendable: 6, reserve: WIDEST_UNIT },
  { title: 'request', shrinkTo: 24, cut: 'middle' },
  { title: 'outcome', shrinkTo: 12, expendable: 1 },
];

/** Cells worth having for columns whose texts differ most, where the first rows do not tell. */
const LIVE_RESERVE: Readonly<Record<string, number>> = { client: 21, server: 18, request: 60, outcome: 14 };
const LIVE_COLUMNS = COLUMNS.map((column) => {
  const reserve = LIVE_RESERVE[column.title];
  return reserve === undefined ? column : { ...column, reserve };
});

/** Rows held back at most, so that those of one stretch of the capture can be sorted and measured. */
const ROWS_HELD = 4096;

/**
 * One row per exchange, written while packets are read: between two blocks of packets the rows that came out
 * are sorted by their start and printed. The first such batch decides the widths of the columns.
 */
export function createExchangeTable(options: ExchangeTableOptions): ExchangeSink {
  return new ExchangeTable(options);
}

class ExchangeTable implements ExchangeSink {
  readonly #options: ExchangeTableOptions;
  #held: Exchange[] = [];
  #widths: Widths | null = null;

  constructor(options: ExchangeTableOptions) {
    this.#options = options;
  }

  exchange(exchange: Exchange): void {
    this.#held.push(exchange);
    if (this.#held.length >= ROWS_HELD) this.#print();
  }

  connection(): void {}

  drain(): Promise<void> | null {
    if (this.#held.length > 0 && this.#options.gather !== true) this.#print();
    return this.#options.output.drain();
  }

  async finish(): Promise<void> {
    this.#print();
    await this.#options.output.flush();
  }

  abort(): Promise<void> {
    return this.#options.output.flush();
  }

  #print(): void {
    const { output, width, style, sortByStart } = this.#options;
    const exchanges = this.#held;
    if (exchanges.length === 0) return;
    this.#held = [];
    if (sortByStart) exchanges.sort((a, b) => startNs(a) - startNs(b) || a.id - b.id);
    const captureEndNs = lastPacketNs(this.#options.captures);
    const rows = exchanges.map((exchange) => this.#row(exchange, captureEndNs));
    if (this.#widths === null) {
      const live = this.#options.live === true && width !== Number.POSITIVE_INFINITY;
      this.#widths = fitColumns(live ? LIVE_COLUMNS : COLUMNS, rows, width);
      output.write(`${formatTitles(COLUMNS, this.#widths, style)}\n`);
    }
    const bounded = width !== Number.POSITIVE_INFINITY;
    let text = '';
    for (const row of rows) text += `${formatRow(COLUMNS, this.#widths, row, bounded)}\n`;
    output.write(text);
  }

  /** With the date where there is room for everything; that is also where scripts read. */
  #time(ns: number): string {
    const { clock, width } = this.#options;
    return width === Number.POSITIVE_INFINITY
      ? rfc3339(clock.epochSeconds, ns, 9)
      : preciseTimeOfDay(clock, ns);
  }

  #row(exchange: Exchange, captureEndNs: number | null): Row {
    const { style } = this.#options;
    const { client, server, request, response } = exchange;
    const total = totalNs(exchange);
    const waited = response === null ? waitedNs(exchange, captureEndNs) : null;
    const odd = whyOdd(exchange, captureEndNs);
    const certainty = exchange.pairing === 'exact' ? '' : ` (${exchange.pairing})`;
    return [
      { text: String(exchange.id), paint: style.dim },
      { text: this.#time(startNs(exchange)), paint: style.dim },
      sanitise(client.text),
      sanitise(server.text),
      { text: statusText(exchange), paint: statusPaint(exchange, style) },
      formatDuration(waitNs(exchange)),
      total !== null || waited === null ? formatDuration(total) : `>${formatDuration(waited)}`,
      request === null ? '–' : formatBytes(request.headerBytes + request.bodyBytes),
      response === null ? '–' : formatBytes(response.headerBytes + response.bodyBytes),
      requestText(exchange),
      odd === null
        ? { text: `ok${certainty}`, paint: style.dim }
        : { text: odd + certainty, paint: exchange.outcome === 'complete' ? style.yellow : style.red },
    ];
  }
}
