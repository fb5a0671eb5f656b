import { withoutFormula } from '../../export/csv-sink.ts';
import { csvRow } from '../../export/rows.ts';
import { jsonText } from '../../model/json-text.ts';
import type { TextOutput } from '../../model/text-output.ts';
import { sanitise } from '../../report/terminal-text.ts';
import type { RowWriter } from './exchange-rows.ts';

/** The server's rows as JSON, one a line. */
export function createJsonRows(output: TextOutput): RowWriter {
  return {
    write(rows) {
      for (const row of rows) output.write(`${jsonText(row)}\n`);
    },
    end() {},
  };
}

export interface CsvRowsOptions {
  /** Names of the columns when there is no row to take them from. */
  readonly columns: readonly string[];
  /** A terminal reads it, which acts on control characters. */
  readonly terminal: boolean;
  /** Texts that a spreadsheet would compute get a `'` in front. */
  readonly safe?: boolean;
}

/** The rows as comma-separated values (RFC 4180); the first one says which columns there are. */
export function createCsvRows(
  output: TextOutput,
  { columns, terminal, safe = false }: CsvRowsOptions,
): RowWriter {
  let names: readonly string[] | null = null;
  const shown = (value: string | number | null): string | number | null => {
    if (typeof value !== 'string') return value;
    const text = safe ? withoutFormula(value) : value;
    return terminal ? sanitise(text) : text;
  };
  const head = (found: readonly string[]): readonly string[] => {
    names = found;
    output.write(`${csvRow(found.map(shown))}\r\n`);
    return found;
  };
  return {
    write(rows) {
      for (const row of rows) {
        const fields = names ?? head(Object.keys(row));
        output.write(`${csvRow(fields.map((name) => shown(row[name] ?? null)))}\r\n`);
      }
    },
    end() {
      if (names === null) head(columns);
    },
  };
}
