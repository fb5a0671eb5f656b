import { createCsvSink } from '../export/csv-sink.ts';
import { createJsonLinesSink } from '../export/json-lines-sink.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import { routeOf } from '../model/route.ts';
import type { ExchangeSink } from '../model/sink.ts';
import { createExchangeTable } from '../report/exchange-table.ts';
import { atLeast, firstOf } from '../report/selection.ts';
import { sanitise } from '../report/terminal-text.ts';
import type { StreamOutput } from './stream-output.ts';
import { type ColorChoice, chooseStyle, chooseWidth, type TerminalFacts } from './terminal.ts';

/** Options about rows of commands that print them as they come. `slow` in ns. */
export interface RowFlags {
  readonly format: 'table' | 'json' | 'csv';
  readonly limit?: number;
  readonly slow?: number;
  readonly color: ColorChoice;
}

export interface RowContext {
  readonly output: StreamOutput;
  readonly clock: RunClock;
  readonly captures: readonly CaptureFacts[];
  readonly terminal: TerminalFacts;
  readonly version: string;
  /** Called once, when --limit is reached. */
  readonly onLimit: () => void;
}

/** Prints exchanges as they come, as far as --slow and --limit let them through. */
export function createRowSink(flags: RowFlags, context: RowContext): ExchangeSink {
  const { captures, onLimit } = context;
  return selected(formatSink(flags, context), flags, captures, onLimit);
}

/** Applies --limit and --slow. */
export function selected(
  sink: ExchangeSink,
  { limit, slow }: Pick<RowFlags, 'limit' | 'slow'>,
  captures: readonly CaptureFacts[],
  onLimit: () => void,
): ExchangeSink {
  const limited = limit === undefined ? sink : firstOf(limit, sink, onLimit);
  return slow === undefined ? limited : atLeast(slow, captures, limited);
}

function formatSink({ format, color }: RowFlags, context: RowContext): ExchangeSink {
  const { output, clock, captures, terminal, version } = context;
  if (format === 'json') return createJsonLinesSink({ output, clock, captures, routeOf });
  if (format === 'csv') {
    const clean = terminal.stdoutIsTty ? { clean: sanitise } : {};
    return createCsvSink({ output, clock, captures, version, ...clean });
  }
  return createExchangeTable({
    output,
    clock,
    captures,
    width: chooseWidth(terminal, Number.POSITIVE_INFINITY),
    style: chooseStyle(color, terminal),
    sortByStart: true,
    live: true,
  });
}
