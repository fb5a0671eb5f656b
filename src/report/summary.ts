import type { Anomaly } from '../model/anomaly.ts';
import type { Connection, ConnectionProtocol, Exchange, ResponseMessage } from '../model/exchange.ts';
import type { Limits } from '../model/limits.ts';
import { startNs, totalNs } from '../model/phases.ts';
import type { ExchangeSink, RunRecord } from '../model/sink.ts';
import { BoundedTop } from './bounded-top.ts';
import { DurationBudget, type Percentiles, percentilesOf } from './duration-series.ts';
import { type RedGroup, RouteGroups, ServerGroups } from './red-groups.ts';
import { firstPacketNs, lastPacketNs } from './wall-clock.ts';

export interface SummaryOptions {
  readonly limits: Limits;
  /** Exchanges kept for the list of the slowest, and per kind for the list of failed ones. */
  readonly listed: number;
  /** Puts targets together that are the same thing with other ids. */
  readonly routeOf: (target: string) => string;
}

/** One line of the RED tables. */
export interface RedRow {
  readonly group: RedGroup;
  readonly total: Percentiles;
}

export type FailureKind = 'server-error' | 'no-response' | 'reset' | 'truncated';

/** Everything the human summary says about exchanges. */
export interface SummaryReport {
  readonly run: RunRecord;
  /** Earliest and latest packet of the run, ns since its epoch; null: no packets. */
  readonly firstNs: number | null;
  readonly lastNs: number | null;
  /** Requests, whether answered or not. */
  readonly requests: number;
  readonly clientErrors: number;
  readonly serverErrors: number;
  readonly unanswered: number;
  /** Time from a request's first byte to its response's last byte, over all exchanges. */
  readonly total: Percentiles;
  /** Most requests first; `(other)` last. */
  readonly servers: readonly RedRow[];
  readonly routes: readonly RedRow[];
  readonly slowest: readonly Exchange[];
  /** In the order of time; `failures` says how many there were in all. */
  readonly failed: readonly Exchange[];
  readonly failures: number;
  /** Most frequent first. */
  readonly anomalies: readonly (readonly [Anomaly, number])[];
  /** `no-response (capture-ended)` and the like with their counts; complete exchanges are not in it. */
  readonly incomplete: readonly (readonly [string, number])[];
  readonly pairings: { readonly exact: number; readonly inferred: number; readonly ambiguous: number };
  /** Connections by the protocol found on them. */
  readonly protocols: ReadonlyMap<ConnectionProtocol, number>;
}

/** Aggregates exchanges while they pass. Memory is bounded by `limits`, not by the number of exchanges. */
export interface Summary extends ExchangeSink {
  /** What was seen; call it after `finish`. */
  report(): SummaryReport;
}

export function createSummary(options: SummaryOptions): Summary {
  return new ExchangeSummary(options);
}

class ExchangeSummary implements Summary {
  readonly #servers: ServerGroups;
  readonly #routes: RouteGroups;
  readonly #budget: DurationBudget;
  readonly #slowest: BoundedTop<Exchange>;
  readonly #failed: Record<FailureKind, BoundedTop<Exchange>>;
  readonly #listed: number;
  readonly #anomalies = new Map<Anomaly, number>();
  readonly #incomplete = new Map<string, number>();
  readonly #protocols = new Map<ConnectionProtocol, number>();
  #failures = 0;
  #exact = 0;
  #inferred = 0;
  #ambiguous = 0;
  #run: RunRecord | null = null;

  constructor({ limits, listed, routeOf }: SummaryOptions) {
    this.#servers = new ServerGroups(limits.summaryGroups);
    this.#routes = new RouteGroups(limits.summaryGroups, routeOf);
    this.#budget = new DurationBudget(limits.summaryDurations);
    this.#slowest = new BoundedTop(listed);
    this.#failed = {
      'server-error': new BoundedTop(listed),
      'no-response': new BoundedTop(listed),
      reset: new BoundedTop(listed),
      truncated: new BoundedTop(listed),
    };
    this.#listed = listed;
  }

  exchange(exchange: Exchange): void {
    const { request, response, pairing } = exchange;
    if (pairing === 'exact') this.#exact += 1;
    else if (pairing === 'inferred') this.#inferred += 1;
    else this.#ambiguous += 1;
    if (exchange.outcome !== 'complete') this.#countIncomplete(exchange);
    if (isServerError(response)) this.#fail('server-error', exchange);
    const { anomalies } = exchange;
    for (let index = 0; index < anomalies.length; index += 1) {
      this.#anomalies.set(anomalies[index], (this.#anomalies.get(anomalies[index]) ?? 0) + 1);
    }
    if (request === null) return;
    const total = totalNs(exchange);
    this.#servers.of(exchange.server, request.host).add(exchange, total, this.#budget);
    this.#routes.of(request).add(exchange, total, this.#budget);
    if (this.#budget.exhausted && this.#budget.held > 0) this.#condense();
    if (total !== null && total > this.#slowest.threshold) this.#slowest.offer(total, exchange);
  }

  connection(connection: Connection): void {
    this.#protocols.set(connection.protocol, (this.#protocols.get(connection.protocol) ?? 0) + 1);
  }

  drain(): null {
    return null;
  }

  async finish(run: RunRecord): Promise<void> {
    this.#run = run;
  }

  async abort(): Promise<void> {}

  #countIncomplete(exchange: Exchange): void {
    const { outcome, ending } = exchange;
    const name = ending === null ? outcome : `${outcome} (${ending})`;
    this.#incomplete.set(name, (this.#incomplete.get(name) ?? 0) + 1);
    const { response } = exchange;
    const counted = isServerError(response);
    if (outcome !== 'complete' && outcome !== 'orphan-response' && !counted) this.#fail(outcome, exchange);
  }

  #fail(kind: FailureKind, exchange: Exchange): void {
    this.#failures += 1;
    this.#failed[kind].offer(-startNs(exchange), exchange);
  }

  /** Makes room: groups with at least the average number of exact durations become histograms. */
  #condense(): void {
    const groups = [...this.#servers.all(), ...this.#routes.all()];
    const average = this.#budget.held / groups.length;
    for (const group of groups) {
      if (group.durations.held >= average) group.durations.condense(this.#budget);
    }
  }

  report(): SummaryReport {
    const run = this.#run;
    if (run === null) throw new Error('the summary is asked for before the run ended');
    const servers = this.#servers.all();
    const sum = (count: (group: RedGroup) => number): number =>
      servers.reduce((all, one) => all + count(one), 0);
    return {
      run,
      firstNs: firstPacketNs(run.captures),
      lastNs: lastPacketNs(run.captures),
      requests: sum((group) => group.requests),
      clientErrors: sum((group) => group.clientErrors),
      serverErrors: sum((group) => group.serverErrors),
      unanswered: sum((group) => group.unanswered),
      total: percentilesOf(servers.map((group) => group.durations)),
      servers: redRows(servers),
      routes: redRows(this.#routes.all()),
      slowest: this.#slowest.sorted(),
      failed: this.#chooseFailed(),
      failures: this.#failures,
      anomalies: [...this.#anomalies].sort((a, b) => b[1] - a[1]),
      incomplete: [...this.#incomplete].sort((a, b) => b[1] - a[1]),
      pairings: { exact: this.#exact, inferred: this.#inferred, ambiguous: this.#ambiguous },
      protocols: this.#protocols,
    };
  }

  /** Some of every kind, the earliest of each, so that a flood of one kind does not hide the others. */
  #chooseFailed(): Exchange[] {
    const queues = Object.values(this.#failed).map((top) => top.sorted().reverse());
    const chosen: Exchange[] = [];
    while (chosen.length < this.#listed) {
      const before = chosen.length;
      for (const queue of queues) {
        const exchange = queue.pop();
        if (exchange !== undefined && chosen.length < this.#listed) chosen.push(exchange);
      }
      if (chosen.length === before) break;
    }
    return chosen.sort((a, b) => startNs(a) - startNs(b) || a.id - b.id);
  }
}

function redRows(groups: readonly RedGroup[]): RedRow[] {
  return [...groups]
    .sort((a, b) => Number(a.other) - Number(b.other) || b.requests - a.requests)
    .map((group) => ({ group, total: percentilesOf([group.durations]) }));
}

function isServerError(response: ResponseMessage | null): boolean {
  const status = response?.status ?? 0;
  return status >= 500 && status < 600;
}
