import type { Exchange } from '../model/exchange.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import type { ExchangeSink } from '../model/sink.ts';
import { GroupCheck } from './group-check.ts';
import type { AssertLimits } from './limits.ts';
import type { RuleResult } from './result.ts';
import { RouteNumbers } from './route-numbers.ts';
import type { Rule } from './rule.ts';
import { EachCheck, type RuleCheck } from './rule-check.ts';

/** Checks all rules of a file on the exchanges that come. */
export class AssertSink implements ExchangeSink {
  readonly #checks: readonly RuleCheck[];
  readonly #clock: RunClock;
  readonly #routes = new RouteNumbers();
  readonly #needsRoutes: boolean;
  #results: readonly RuleResult[] = [];
  /** Exchanges read. */
  exchanges = 0;

  constructor(rules: readonly Rule[], clock: RunClock, limits: AssertLimits) {
    this.#clock = clock;
    this.#needsRoutes = rules.some(({ by }) => by.some(({ name }) => name === 'route'));
    this.#checks = rules.map((rule) =>
      rule.demand.kind === 'expect'
        ? new GroupCheck(rule, rule.demand.expectation, limits, this.#routes)
        : new EachCheck(rule, limits),
    );
  }

  /** One for each rule, in their order; there after `finish`. */
  get results(): readonly RuleResult[] {
    return this.#results;
  }

  exchange(exchange: Exchange): void {
    this.exchanges += 1;
    // Routes are learned from everything, so that a rule's `where` does not change what a route is.
    if (this.#needsRoutes) this.#routes.of(exchange);
    for (const check of this.#checks) check.exchange(exchange, this.#clock);
  }

  connection(): void {}

  drain(): null {
    return null;
  }

  async finish({ captures }: { readonly captures: readonly CaptureFacts[] }): Promise<void> {
    const seconds = watchedSeconds(captures);
    this.#results = this.#checks.map((check) => check.finish(seconds));
  }

  async abort(): Promise<void> {}
}

/** Time from first to last packet of each capture, what several cover counted once; null: not known. */
export function watchedSeconds(captures: readonly CaptureFacts[]): number | null {
  const spans = captures
    .flatMap(({ firstNs, lastNs }) => (firstNs === null || lastNs === null ? [] : [{ firstNs, lastNs }]))
    .sort((a, b) => a.firstNs - b.firstNs);
  let watchedNs = 0;
  let untilNs = Number.NEGATIVE_INFINITY;
  for (const { firstNs, lastNs } of spans) {
    watchedNs += Math.max(0, lastNs - Math.max(firstNs, untilNs));
    untilNs = Math.max(untilNs, lastNs);
  }
  return watchedNs > 0 ? watchedNs / 1e9 : null;
}
