import type { Exchange } from '../model/exchange.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import { startNs } from '../model/phases.ts';
import type { ExchangeSink } from '../model/sink.ts';
import { type Grouping, type GroupName, keyOf, OTHER } from './grouping.ts';
import type { DiffLimits } from './limits.ts';
import { RequestLog } from './request-log.ts';
import { NO_ANSWER, NO_STATUS } from './status-code.ts';

/** In ns; null: not known. */
export type Metric = (exchange: Exchange) => number | null;

/** Takes the exchanges of one of the two inputs. */
export class DiffSide implements ExchangeSink {
  readonly log: RequestLog;
  /** Provisional names of the log's places. */
  readonly names: GroupName[] = [];
  /** Answers whose request is unknown; they are not compared. */
  orphans = 0;
  /** Requests that are `(other)` because there were too many places. */
  crowdedOut = 0;
  /** What was read, by file. */
  captures: readonly CaptureFacts[] = [];
  readonly #grouping: Grouping;
  readonly #metric: Metric;
  readonly #clock: RunClock;
  readonly #limits: DiffLimits;
  readonly #places = new Map<string, number>();
  #other = -1;

  constructor(grouping: Grouping, metric: Metric, clock: RunClock, limits: DiffLimits) {
    this.#grouping = grouping;
    this.#metric = metric;
    this.#clock = clock;
    this.#limits = limits;
    this.log = new RequestLog(limits.kept);
  }

  exchange(exchange: Exchange): void {
    const { request, response } = exchange;
    if (request === null) {
      this.orphans += 1;
      return;
    }
    this.log.add({
      place: this.#placeOf(this.#grouping.provisional(exchange, this.#clock)),
      startNs: startNs(exchange),
      durationNs: this.#metric(exchange) ?? Number.NaN,
      responseBytes: response === null ? Number.NaN : response.headerBytes + response.bodyBytes,
      status: response === null ? NO_ANSWER : (response.status ?? NO_STATUS),
    });
  }

  connection(): void {}

  drain(): null {
    return null;
  }

  async finish({ captures }: { readonly captures: readonly CaptureFacts[] }): Promise<void> {
    this.captures = captures;
  }

  async abort(): Promise<void> {}

  #placeOf(name: GroupName): number {
    const key = keyOf(name);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    if (this.#places.size >= this.#limits.places) {
      this.crowdedOut += 1;
      if (this.#other < 0) this.#other = this.#newPlace(OTHER);
      return this.#other;
    }
    const place = this.#newPlace(name.map((part) => (part === null ? null : detached(part))));
    this.#places.set(detached(key), place);
    return place;
  }

  #newPlace(name: GroupName): number {
    this.names.push(name);
    return this.log.addPlace();
  }
}

/** The text without the larger string that it may be a part of. */
function detached(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
