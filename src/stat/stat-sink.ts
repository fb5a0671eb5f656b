import type { Exchange } from '../model/exchange.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import type { ExchangeSink } from '../model/sink.ts';
import { BoundedMoments } from './bounded-moments.ts';
import { BoundedValues, LIVE_STAT_LIMITS } from './bounded-values.ts';
import { GroupTable } from './group-table.ts';
import { ExactValues, type MeasuredValues } from './measured-values.ts';
import { ExactMoments, type Moments } from './moments.ts';
import type { RouteLearner } from './routes/route-learner.ts';
import { STAT_LIMITS, type StatLimits } from './stat-limits.ts';
import type { StatQuestion } from './stat-question.ts';
import { buildReport, type StatReport } from './stat-report.ts';
import { TopExchanges } from './top-exchanges.ts';

export interface StatSurroundings {
  readonly clock: RunClock;
  /** Filled while packets are read. */
  readonly captures: readonly CaptureFacts[];
  /** Needed when a field of the question is learned. */
  readonly learner: RouteLearner | null;
  readonly limits?: Partial<StatLimits>;
  /**
   * The run has no end: what is kept stays bounded, and `report` may be asked for again and again. `everyNs`: width
   * of the time buckets that will be asked for; null: any.
   */
  readonly live?: { readonly everyNs: number | null };
}

/** A sink that adds up groups of requests. Answers without a request are counted, but belong to no group. */
export interface StatSink extends ExchangeSink {
  /** Once, after the last exchange; of a live run at any time. */
  report(): StatReport;
}

export function createStatSink(question: StatQuestion, surroundings: StatSurroundings): StatSink {
  return new Stat(question, surroundings);
}

class Stat implements StatSink {
  readonly #question: StatQuestion;
  readonly #surroundings: StatSurroundings;
  readonly #limits: StatLimits;
  readonly #table: GroupTable;
  readonly #values: MeasuredValues;
  readonly #times: Moments | null;
  /** Times of the errors among them. */
  readonly #errors: Moments | null;
  readonly #top: TopExchanges | null;
  #firstNs = Number.POSITIVE_INFINITY;
  #lastNs = Number.NEGATIVE_INFINITY;
  #orphans = 0;

  constructor(question: StatQuestion, surroundings: StatSurroundings) {
    const { clock, captures, limits, live } = surroundings;
    this.#question = question;
    this.#surroundings = surroundings;
    const held = live === undefined ? {} : { groupsHeld: LIVE_STAT_LIMITS.groupsHeld };
    this.#limits = { ...STAT_LIMITS, ...held, ...limits };
    this.#table = new GroupTable(question.by, clock, this.#limits);
    const { samples } = this.#limits;
    const moments = (): Moments =>
      live === undefined ? new ExactMoments(samples) : new BoundedMoments(clock, live.everyNs);
    this.#values = live === undefined ? new ExactValues(samples) : new BoundedValues();
    this.#times = question.times ? moments() : null;
    this.#errors = question.times ? moments() : null;
    this.#top = question.ranking === null ? null : new TopExchanges(question, captures);
  }

  exchange(exchange: Exchange): void {
    const { request, response } = exchange;
    if (request === null) {
      this.#orphans += 1;
      return;
    }
    const startNs = request.firstByteNs;
    if (startNs < this.#firstNs) this.#firstNs = startNs;
    if (startNs > this.#lastNs) this.#lastNs = startNs;
    const { learner } = this.#surroundings;
    const leaf = learner === null ? -1 : learner.add(request.host, request.target, response?.status !== 404);
    const group = this.#table.of(exchange, leaf);
    const isError = group.add(exchange);
    const value = this.#question.metric.value(exchange);
    if (value !== null) this.#values.add(group.index, value);
    this.#times?.add(group.index, startNs);
    if (isError) this.#errors?.add(group.index, startNs);
    this.#top?.offer(exchange);
  }

  connection(): void {}

  drain(): null {
    return null;
  }

  async finish(): Promise<void> {}

  async abort(): Promise<void> {}

  report(): StatReport {
    const { clock, captures, learner, live } = this.#surroundings;
    const routes = live === undefined ? learner?.finish() : learner?.soFar();
    return buildReport({
      question: this.#question,
      clock,
      captures,
      limits: this.#limits,
      groups: this.#table.groups,
      routes: routes ?? null,
      values: this.#values,
      times: this.#times,
      errors: this.#errors,
      span: this.#firstNs > this.#lastNs ? null : { firstNs: this.#firstNs, lastNs: this.#lastNs },
      orphans: this.#orphans,
      top: this.#top?.listed() ?? [],
    });
  }
}
