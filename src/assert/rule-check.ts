import type { Exchange } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';
import { counted, formatCount } from '../report/units.ts';
import { exchangeWords } from './exchange-words.ts';
import type { AssertLimits } from './limits.ts';
import type { Offender, RuleResult } from './result.ts';
import type { Rule } from './rule.ts';

/** Checks one rule while exchanges pass. */
export interface RuleCheck {
  exchange(exchange: Exchange, clock: RunClock): void;
  /** `seconds`: time watched; null: not known. */
  finish(seconds: number | null): RuleResult;
}

/** What results of all kinds have in common, before anything was found. */
export function emptyResult(rule: Rule, selected: number): Omit<RuleResult, 'status' | 'summary'> {
  return {
    rule,
    selected,
    offenders: [],
    offending: 0,
    groups: [],
    groupsJudged: 0,
    groupsFailed: 0,
    groupsSkipped: 0,
    measured: [],
  };
}

/** The failure of a rule that selected less than it asks for; null: it is enough. */
export function tooFew(rule: Rule, selected: number): RuleResult | null {
  if (selected >= rule.minCount) return null;
  const summary =
    selected === 0
      ? `matched nothing: ${rule.where === null ? 'there is no exchange at all' : 'its where selects no exchange'} (allow_empty: true accepts that)`
      : `only ${counted(selected, 'exchange')}, min_count is ${formatCount(rule.minCount)}`;
  return { ...emptyResult(rule, selected), status: 'failed', summary };
}

/** Rules about every single exchange: `none` and `all`. */
export class EachCheck implements RuleCheck {
  readonly #rule: Rule;
  readonly #limits: AssertLimits;
  readonly #offenders: Offender[] = [];
  #selected = 0;
  #offending = 0;

  constructor(rule: Rule, limits: AssertLimits) {
    this.#rule = rule;
    this.#limits = limits;
  }

  exchange(exchange: Exchange, clock: RunClock): void {
    const { where, demand } = this.#rule;
    if (demand.kind === 'expect' || (where !== null && !where.matches(exchange, clock))) return;
    this.#selected += 1;
    if (demand.filter.matches(exchange, clock) === (demand.kind === 'all')) return;
    this.#offending += 1;
    if (this.#offenders.length < this.#limits.shown)
      this.#offenders.push({ id: exchange.id, text: exchangeWords(exchange) });
  }

  finish(): RuleResult {
    const few = tooFew(this.#rule, this.#selected);
    const { demand } = this.#rule;
    const text = demand.kind === 'expect' ? '' : demand.filter.text.trim();
    const found = {
      ...emptyResult(this.#rule, this.#selected),
      offenders: this.#offenders,
      offending: this.#offending,
    };
    if (this.#offending > 0) {
      const [matches, match] =
        this.#offending === 1 ? ['matches', 'does not match'] : ['match', 'do not match'];
      const wrong =
        demand.kind === 'none' ? `${matches} ${text}, none should` : `${match} ${text}, all should`;
      const summary = `${formatCount(this.#offending)} of ${counted(this.#selected, 'exchange')} ${wrong}`;
      return { ...found, status: 'failed', summary };
    }
    if (few !== null) return few;
    const summary = `${demand.kind} of ${counted(this.#selected, 'exchange')} ${demand.kind === 'none' ? 'matches' : 'match'} ${text}`;
    return { ...found, status: 'passed', summary };
  }
}
