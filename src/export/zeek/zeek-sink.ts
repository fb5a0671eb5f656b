import type { CaptureFacts } from '../../model/packet.ts';
import type { RunRecord } from '../../model/sink.ts';
import type { TextOutput } from '../../model/text-output.ts';
import type { ExportOptions, ExportSink } from '../export-sink.ts';
import { jsonLine, tsvFooter, tsvHeader, tsvLine, type ZeekField, type ZeekValue } from './log-text.ts';
import { CONN_FIELDS, connRow, HTTP_FIELDS, httpRow } from './records.ts';
import { Uids } from './uid.ts';

export type ZeekLogName = 'http' | 'conn';

export interface ZeekOptions extends Omit<ExportOptions, 'output'> {
  /** Where each log goes; a log without an output is not written. */
  readonly outputs: Partial<Readonly<Record<ZeekLogName, TextOutput>>>;
  /** True: a JSON object on each line, as with Zeek's `LogAscii::use_json`. */
  readonly json?: boolean;
}

/** One log file that is being written. */
class ZeekLog {
  readonly output: TextOutput;
  readonly #path: ZeekLogName;
  readonly #fields: readonly ZeekField[];
  readonly #json: boolean;
  #opened = false;

  constructor(path: ZeekLogName, fields: readonly ZeekField[], output: TextOutput, json: boolean) {
    this.output = output;
    this.#path = path;
    this.#fields = fields;
    this.#json = json;
  }

  /** The header needs the run's epoch, which is not known before the first packet. */
  open(openedSeconds: number): void {
    if (this.#opened) return;
    this.#opened = true;
    if (!this.#json) this.output.write(tsvHeader(this.#path, this.#fields, openedSeconds));
  }

  row(values: readonly ZeekValue[]): void {
    this.output.write(`${this.#json ? jsonLine(this.#fields, values) : tsvLine(values)}\n`);
  }

  close(closedSeconds: number): void {
    if (!this.#json) this.output.write(tsvFooter(closedSeconds));
  }
}

/**
 * Writes exchanges as Zeek's http.log and TCP connections as its conn.log, with the same `uid` in both. Rows of
 * http.log come in the order in which exchanges end, rows of conn.log in that in which connections do.
 */
export function createZeekSink(options: ZeekOptions): ExportSink {
  const { clock, outputs, json = false } = options;
  const uids = new Uids();
  const log = (path: ZeekLogName, fields: readonly ZeekField[]): ZeekLog | null => {
    const output = outputs[path];
    return output === undefined ? null : new ZeekLog(path, fields, output, json);
  };
  const http = log('http', HTTP_FIELDS);
  const conn = log('conn', CONN_FIELDS);
  const logs = [http, conn].filter((one) => one !== null);
  const flush = async (): Promise<void> => {
    for (const { output } of logs) await output.flush();
  };
  return {
    exchange(exchange): void {
      if (http === null) return;
      const { epochSeconds } = clock;
      http.open(epochSeconds ?? 0);
      http.row(httpRow(exchange, uids.of(exchange.connection, epochSeconds), epochSeconds));
    },
    connection(connection): void {
      if (conn === null) return;
      const { epochSeconds } = clock;
      conn.open(epochSeconds ?? 0);
      conn.row(connRow(connection, uids.of(connection, epochSeconds), epochSeconds));
    },
    drain(): Promise<void> | null {
      const waiting = logs.map(({ output }) => output.drain()).filter((one) => one !== null);
      return waiting.length === 0 ? null : Promise.all(waiting).then(() => {});
    },
    async finish(run: RunRecord): Promise<void> {
      const epochSeconds = clock.epochSeconds ?? 0;
      for (const one of logs) {
        one.open(epochSeconds);
        one.close(epochSeconds + lastSeconds(run.captures));
      }
      await flush();
    },
    abort: flush,
    notices: () => [],
  };
}

/** Whole seconds from the run's epoch to the last packet. */
function lastSeconds(captures: readonly CaptureFacts[]): number {
  let latestNs = 0;
  for (const { lastNs } of captures) if (lastNs !== null && lastNs > latestNs) latestNs = lastNs;
  return Math.floor(latestNs / 1e9);
}
