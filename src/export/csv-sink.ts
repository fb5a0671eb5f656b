import { EXCHANGE_COLUMNS } from './exchange-columns.ts';
import { type ExportOptions, type ExportSink, flushing } from './export-sink.ts';
import { csvRow, type RowValue } from './rows.ts';

export interface CsvOptions extends ExportOptions {
  /**
   * True: texts that a spreadsheet would take for a formula get a `'` in front. The values are then no longer
   * those that were captured, so it is not the default.
   */
  readonly safe?: boolean;
  /** Changes texts before they are written; for a terminal, which acts on control characters. */
  readonly clean?: (text: string) => string;
}

/** Characters with which a spreadsheet's formula begins, also after white space that it strips. */
const FORMULA = /^(?:[\t\r]|[\s\0]*[=+\-@＝＋－＠])/;

/** The text as a spreadsheet shows it and does not compute it. */
export function withoutFormula(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

/**
 * Writes exchanges as comma-separated values (RFC 4180): UTF-8, CR LF, a header line, fields in quotes where they
 * hold a comma, a quote or a line break. The columns are those of the SQLite view `exchanges`; an empty field is
 * what is NULL there. Rows come in the order in which exchanges end.
 */
export function createCsvSink(options: CsvOptions): ExportSink {
  const { output, clock, safe = false, clean } = options;
  const shown = (value: RowValue): RowValue => {
    if (typeof value !== 'string') return value;
    const text = safe ? withoutFormula(value) : value;
    return clean === undefined ? text : clean(text);
  };
  const changes = safe || clean !== undefined;
  let headed = false;
  const head = (): void => {
    if (headed) return;
    headed = true;
    output.write(`${csvRow(EXCHANGE_COLUMNS.map(({ name }) => name))}\r\n`);
  };
  return {
    exchange(exchange): void {
      head();
      const epochSeconds = clock.epochSeconds ?? 0;
      const row = EXCHANGE_COLUMNS.map((column) => column.value(exchange, epochSeconds));
      output.write(`${csvRow(changes ? row.map(shown) : row)}\r\n`);
    },
    connection(): void {},
    drain: () => output.drain(),
    async finish(): Promise<void> {
      head();
      await output.flush();
    },
    abort: flushing(options),
    notices: () => [],
  };
}
