import type { Exchange } from '../model/exchange.ts';
import type { ExchangeSink } from '../model/sink.ts';
import type { TextOutput } from '../model/text-output.ts';
import { JsonRecordWriter, type JsonRecordOptions } from './json-record.ts';

export interface JsonLinesOptions extends JsonRecordOptions {
  readonly output: TextOutput;
}

/** Writes each exchange as a line of JSON (jsonlines.org), in the order in which exchanges end. */
export function createJsonLinesSink(options: JsonLinesOptions): ExchangeSink {
  const writer = new JsonRecordWriter(options);
  const { output } = options;
  return {
    exchange(exchange: Exchange): void {
      output.write(`${writer.line(exchange)}\n`);
    },
    connection(): void {},
    drain: () => output.drain(),
    finish: () => output.flush(),
    abort: () => output.flush(),
  };
}
