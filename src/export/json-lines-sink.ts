import type { Exchange } from '../model/exchange.ts';
import type { ExchangeSink } from '../model/sink.ts';
import type { TextOutput } from '../model/text-output.ts';
import { type JsonRecordOptions, JsonRecordWriter } from './json-record.ts';

export interface JsonLinesOptions extends JsonRecordOptions {
  readonly output: TextOutput;
}

/** Bytes gathered before they are handed on. */
const CHUNK_BYTES = 192 * 1024;

/** Writes each exchange as a line of JSON (jsonlines.org), in the order in which exchanges end. */
export function createJsonLinesSink(options: JsonLinesOptions): ExchangeSink {
  const writer = new JsonRecordWriter(options);
  const { output } = options;
  const handOn = (): void => {
    if (writer.length > 0) output.writeBytes(writer.take());
  };
  const end = async (): Promise<void> => {
    handOn();
    await output.flush();
  };
  return {
    exchange(exchange: Exchange): void {
      writer.write(exchange);
      if (writer.length >= CHUNK_BYTES) handOn();
    },
    connection(): void {},
    drain(): Promise<void> | null {
      handOn();
      return output.drain();
    },
    finish: end,
    abort: end,
  };
}
