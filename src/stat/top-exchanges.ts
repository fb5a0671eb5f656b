import type { Exchange } from '../model/exchange.ts';
import type { CaptureFacts } from '../model/packet.ts';
import { BoundedTop } from '../report/bounded-top.ts';
import { lastPacketNs } from '../report/wall-clock.ts';
import { waitedNs } from '../report/why.ts';
import type { Metric } from './metric.ts';
import type { StatQuestion } from './stat-question.ts';

/** Which single exchanges are listed: those with the largest values of the metric. */
export type Ranking = 'slow' | 'big-request' | 'big-response';

export interface RankedExchange {
  readonly exchange: Exchange;
  /** Of the metric, in its unit. */
  readonly value: number;
  /** The request was never answered: it took at least as long as it was seen waiting. */
  readonly atLeast: boolean;
}

/** Keeps the exchanges with the largest values, of equal ones the first. */
export class TopExchanges {
  readonly #metric: Metric;
  readonly #limit: number;
  readonly #least: number;
  readonly #countsWaiting: boolean;
  readonly #captures: readonly CaptureFacts[];
  readonly #known: BoundedTop<RankedExchange>;
  /** Requests that waited until the capture ended. When that was is known at the end; the earliest waited longest. */
  readonly #waiting: BoundedTop<Exchange>;

  constructor(question: StatQuestion, captures: readonly CaptureFacts[]) {
    const { ranking, metric, listed, listedFrom } = question;
    this.#metric = metric;
    this.#limit = listed;
    this.#least = listedFrom;
    this.#countsWaiting = ranking === 'slow' && (metric.name === 'total' || metric.name === 'wait');
    this.#captures = captures;
    this.#known = new BoundedTop(listed);
    this.#waiting = new BoundedTop(listed);
  }

  offer(exchange: Exchange): void {
    const known = this.#metric.value(exchange);
    if (known !== null) {
      this.#keep(exchange, known, false);
    } else if (this.#countsWaiting && exchange.response === null) {
      const { request, ending } = exchange;
      if (ending !== 'capture-ended') this.#keep(exchange, waitedNs(exchange, null), true);
      else if (request !== null) this.#waiting.offer(-(request.lastByteNs ?? request.firstByteNs), exchange);
    }
  }

  #keep(exchange: Exchange, value: number | null, atLeast: boolean): void {
    if (value === null || value < this.#least || value <= this.#known.threshold) return;
    this.#known.offer(value, { exchange, value, atLeast });
  }

  /** Largest first. To be called when everything has been read. */
  listed(): readonly RankedExchange[] {
    const endNs = lastPacketNs(this.#captures);
    const waiting = this.#waiting
      .sorted()
      .map((exchange) => ({ exchange, value: waitedNs(exchange, endNs) ?? 0, atLeast: true }));
    return [...this.#known.sorted(), ...waiting.filter(({ value }) => value >= this.#least)]
      .sort((a, b) => b.value - a.value || a.exchange.id - b.exchange.id)
      .slice(0, this.#limit);
  }
}
