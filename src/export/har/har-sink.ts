import { UserError } from '../../model/errors.ts';
import type { Exchange } from '../../model/exchange.ts';
import { jsonText } from '../../model/json-text.ts';
import { type ExportOptions, type ExportSink, flushing } from '../export-sink.ts';
import { harEntry } from './har-entry.ts';

/** What a HAR file may hold: it is one JSON document, sorted, and its readers load it whole. */
export interface HarLimits {
  /** Entries; reached, the run ends with an error that says how to ask for fewer. */
  readonly entries: number;
  /** Bytes of all entries, held until the end for sorting. The same then. */
  readonly bytes: number;
}

export const HAR_LIMITS: HarLimits = Object.freeze({ entries: 100_000, bytes: 512 * 1024 * 1024 });

export interface HarOptions extends ExportOptions {
  readonly limits?: Partial<HarLimits>;
}

/** Bytes of a piece of memory in which entries are kept. */
const PIECE_BYTES = 1024 * 1024;
/** Bytes handed on at once. */
const CHUNK_BYTES = 128 * 1024;
const FIRST = Buffer.from('\n');
const NEXT = Buffer.from(',\n');
/** Entries as JSON text in UTF-8, outside the garbage collector's reach. */
class HeldEntries {
  readonly #entries: { beginsNs: number; id: number; bytes: Uint8Array }[] = [];
  #piece: Uint8Array = new Uint8Array(0);
  #used = 0;
  bytes = 0;

  get count(): number {
    return this.#entries.length;
  }

  add(beginsNs: number, id: number, json: string): void {
    const needed = Buffer.byteLength(json);
    if (this.#used + needed > this.#piece.length) {
      this.#piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, needed));
      this.#used = 0;
    }
    const bytes = this.#piece.subarray(this.#used, this.#used + needed);
    Buffer.from(bytes.buffer, bytes.byteOffset, needed).write(json);
    this.#used += needed;
    this.bytes += needed;
    this.#entries.push({ beginsNs, id, bytes });
  }

  /** All entries in the order of their beginning, one on each line, with commas between them. */
  *chunks(): Iterable<Uint8Array> {
    this.#entries.sort((a, b) => a.beginsNs - b.beginsNs || a.id - b.id);
    let pieces: Uint8Array[] = [];
    let size = 0;
    for (const [index, { bytes }] of this.#entries.entries()) {
      pieces.push(index === 0 ? FIRST : NEXT, bytes);
      size += bytes.length;
      if (size < CHUNK_BYTES) continue;
      yield Buffer.concat(pieces);
      pieces = [];
      size = 0;
    }
    if (size > 0) yield Buffer.concat(pieces);
  }

  clear(): void {
    this.#entries.length = 0;
    this.#piece = new Uint8Array(0);
    this.#used = 0;
  }
}

/**
 * Writes exchanges as an HTTP Archive (HAR 1.2), sorted by start, when the run ends: one document, on lines of one
 * entry. Answers without a request have no place in it; they are counted and told. `drain` and `finish` reject with
 * a UserError when there are more entries than the limits allow, and then nothing is written.
 */
export function createHarSink(options: HarOptions): ExportSink {
  const { output, clock, version } = options;
  const limits = { ...HAR_LIMITS, ...options.limits };
  const held = new HeldEntries();
  let orphans = 0;
  let tooMany = false;
  const check = (): void => {
    if (tooMany) throw tooManyEntries(limits);
  };
  return {
    exchange(exchange: Exchange): void {
      if (tooMany) return;
      const made = harEntry(exchange, clock.epochSeconds);
      if (made === null) {
        orphans += 1;
        return;
      }
      if (held.count >= limits.entries || held.bytes >= limits.bytes) {
        tooMany = true;
        held.clear();
        return;
      }
      held.add(made.beginsNs, exchange.id, jsonText(made.entry));
    },
    connection(): void {},
    drain: () => (tooMany ? Promise.reject(tooManyEntries(limits)) : null),
    async finish(): Promise<void> {
      check();
      output.write(
        `{"log":{"version":"1.2","creator":{"name":"Wirelens","version":${JSON.stringify(version)}},"pages":[],"entries":[`,
      );
      for (const chunk of held.chunks()) {
        output.writeBytes(chunk);
        const full = output.drain();
        if (full !== null) await full;
      }
      output.write('\n]}}\n');
      await output.flush();
    },
    abort: flushing(options),
    notices: () =>
      orphans === 0
        ? []
        : [
            `${orphans === 1 ? '1 answer' : `${orphans} answers`} without a request: HAR has no place for them`,
          ],
  };
}

function tooManyEntries({ entries, bytes }: HarLimits): UserError {
  return new UserError(
    'har-too-large',
    `more than a HAR file may hold: ${entries} entries, ${Math.round(bytes / 2 ** 20)} MiB`,
    {
      hint: "ask for fewer, as with --where 'status >= 500', allow more with --max-entries, or use another format",
    },
  );
}
