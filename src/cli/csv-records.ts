import { csvRow, type RowValue } from '../export/rows.ts';
import { sanitise } from '../report/terminal-text.ts';

/**
 * Records as comma-separated values (RFC 4180), in pieces of one record with its CR LF. Texts come as they are, but
 * `onTerminal` with everything that a terminal could act on shown as an escape.
 */
export function* csvRecords(
  records: Iterable<readonly RowValue[]>,
  { onTerminal }: { readonly onTerminal: boolean },
): Iterable<string> {
  for (const record of records) yield `${csvRow(onTerminal ? record.map(safeValue) : record)}\r\n`;
}

function safeValue(value: RowValue): RowValue {
  return typeof value === 'string' ? sanitise(value) : value;
}
