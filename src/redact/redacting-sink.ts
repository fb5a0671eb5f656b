import type { ExchangeSink } from '../model/sink.ts';
import type { ExchangeRedactor } from './exchange-redactor.ts';

/** Hands everything on redacted. */
export function redactingSink(redactor: ExchangeRedactor, sink: ExchangeSink): ExchangeSink {
  return {
    exchange: (exchange) => sink.exchange(redactor.exchange(exchange)),
    connection: (connection) => sink.connection(redactor.connection(connection)),
    drain: () => sink.drain(),
    finish: (run) =>
      sink.finish({ ...run, captures: run.captures.map((facts, index) => redactor.capture(facts, index)) }),
    abort: () => sink.abort(),
  };
}
