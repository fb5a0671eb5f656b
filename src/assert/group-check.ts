import type { Exchange } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';
import { counted, formatCount } from '../report/units.ts';
import { culprits, type Expectation, type Measure, truthOf } from './expectation.ts';
import type { AssertLimits } from './limits.ts';
import { type Measuring, measuringOf } from './measuring.ts';
import { quantityText } from './quantity.ts';
import type { GroupResult, Measured, RuleResult } from './result.ts';
import type { RouteNumbers } from './route-numbers.ts';
import type { Rule } from './rule.ts';
import { emptyResult, type RuleCheck, tooFew } from './rule-check.ts';

type Name = readonly (string | null)[];

const TOO_LONG = '(too long)';

/** Rules about exchanges together: `expect`, of all selected ones or of each group. */
export class GroupCheck implements RuleCheck {
  readonly #rule: Rule;
  readonly #expectation: Expectation;
  readonly #limits: AssertLimits;
  readonly #routes: RouteNumbers;
  readonly #measurings: readonly Measuring[];
  readonly #places = new Map<string, number>();
  /** By place; routes are numbers. */
  readonly #names: Name[] = [];
  readonly #counts: number[] = [];
  #selected = 0;
  /** Exchanges of groups beyond the limit. */
  #beyond = 0;

  constructor(rule: Rule, expectation: Expectation, limits: AssertLimits, routes: RouteNumbers) {
    this.#rule = rule;
    this.#expectation = expectation;
    this.#limits = limits;
    this.#routes = routes;
    this.#measurings = expectation.measures.map((measure) => measuringOf(measure, limits));
    // Of no group at all there still is something to say: its count is 0.
    if (rule.by.length === 0) this.#newPlace([]);
  }

  exchange(exchange: Exchange, clock: RunClock): void {
    const { where, by } = this.#rule;
    if (where !== null && !where.matches(exchange, clock)) return;
    this.#selected += 1;
    const place = by.length === 0 ? 0 : this.#placeOf(exchange, clock);
    if (place < 0) {
      this.#beyond += 1;
      return;
    }
    this.#counts[place] += 1;
    for (const measuring of this.#measurings) measuring.add(place, exchange, clock);
  }

  finish(seconds: number | null): RuleResult {
    const rule = this.#rule;
    const { names, groupOf } = this.#finalGroups();
    const lost = this.#measurings.reduce((sum, measuring) => sum + measuring.lost(), 0);
    const few = tooFew(rule, this.#selected);
    if (few !== null) return few;
    if (this.#beyond > 0 || lost > 0) return this.#beyondLimits(lost);
    const values = this.#measurings.map((measuring) => measuring.finish(groupOf, names.length, seconds));
    const counts = new Float64Array(names.length);
    this.#counts.forEach((count, place) => {
      counts[groupOf[place]] += count;
    });
    const judged: GroupResult[] = [];
    names.forEach((name, group) => {
      if (rule.by.length > 0 && counts[group] < rule.minGroup) return;
      judged.push(
        this.#judge(
          name,
          counts[group],
          values.map((list) => list[group]),
        ),
      );
    });
    return rule.by.length === 0 ? this.#one(judged[0]) : this.#many(judged, names.length - judged.length);
  }

  #judge(name: Name, selected: number, values: readonly (number | null)[]): GroupResult {
    const { node, measures } = this.#expectation;
    const passed = truthOf(node, values) === true;
    const broken = passed ? [] : culprits(node, values);
    const measured = measures.map(
      (measure: Measure, index): Measured => ({
        text: measure.text,
        quantity: measure.quantity,
        value: values[index],
        broken: broken
          .filter(({ left, right }) =>
            [left, right].some((operand) => operand.kind === 'measure' && operand.measure === index),
          )
          .map(({ text }) => text),
      }),
    );
    return { name, passed, selected, measured };
  }

  #one({ passed, measured }: GroupResult): RuleResult {
    return {
      ...emptyResult(this.#rule, this.#selected),
      status: passed ? 'passed' : 'failed',
      summary: passed ? measuredWords(measured) : brokenWords(measured),
      measured,
    };
  }

  #many(judged: readonly GroupResult[], skipped: number): RuleResult {
    const failed = judged.filter(({ passed }) => !passed);
    const passed = judged.filter((group) => group.passed);
    const few =
      skipped === 0
        ? ''
        : `; ${formatCount(skipped)} with fewer than ${formatCount(this.#rule.minGroup)} exchanges not judged`;
    const nothing = judged.length === 0 && this.#rule.minCount > 0;
    return {
      ...emptyResult(this.#rule, this.#selected),
      status: failed.length > 0 || nothing ? 'failed' : 'passed',
      summary: nothing
        ? `no group has ${formatCount(this.#rule.minGroup)} exchanges (min_group)`
        : failed.length > 0
          ? `${formatCount(failed.length)} of ${counted(judged.length, 'group')} failed${few}`
          : `all of ${counted(judged.length, 'group')}${few}`,
      groups: [...failed, ...passed].slice(0, Math.max(failed.length > 0 ? 0 : 1, this.#limits.shown)),
      groupsJudged: judged.length,
      groupsFailed: failed.length,
      groupsSkipped: skipped,
    };
  }

  #beyondLimits(lost: number): RuleResult {
    const { groups, values } = this.#limits;
    const summary =
      this.#beyond > 0
        ? `more than ${formatCount(groups)} groups; take other fields for by, or narrow it with where`
        : `more than ${formatCount(values)} values for a percentile (${formatCount(lost)} too many); narrow it with where`;
    return { ...emptyResult(this.#rule, this.#selected), status: 'failed', summary };
  }

  /** -1: there are too many groups already. */
  #placeOf(exchange: Exchange, clock: RunClock): number {
    const name = this.#rule.by.map((field) => {
      if (field.name === 'route') {
        const number = this.#routes.of(exchange);
        return number === null ? null : String(number);
      }
      const text = field.text(exchange, clock);
      return text !== null && text.length > this.#limits.nameCharacters ? TOO_LONG : text;
    });
    const key = keyOf(name);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    // Paths of one route are places of their own until all are known; there may be more of them than groups.
    if (this.#names.length >= 10 * this.#limits.groups) return -1;
    const place = this.#newPlace(name);
    this.#places.set(key, place);
    return place;
  }

  #newPlace(name: Name): number {
    this.#names.push(name);
    this.#counts.push(0);
    return this.#names.length - 1;
  }

  #finalGroups(): { names: Name[]; groupOf: Uint32Array } {
    const routeAt = this.#rule.by.findIndex(({ name }) => name === 'route');
    const names: Name[] = [];
    const known = new Map<string, number>();
    const groupOf = Uint32Array.from(this.#names, (provisional) => {
      const name = provisional.map((part, index) =>
        index === routeAt && part !== null ? this.#routes.route(Number(part)) : part,
      );
      const key = keyOf(name);
      const group = known.get(key) ?? names.length;
      if (group === names.length) {
        known.set(key, group);
        names.push(name);
      }
      return group;
    });
    if (this.#rule.by.length > 0 && names.length > this.#limits.groups) this.#beyond += 1;
    return { names, groupOf };
  }
}

/** One text per name; null and the text "null" differ. */
function keyOf(name: Name): string {
  let key = '';
  for (const part of name) key += part === null ? '-;' : `${part.length}:${part};`;
  return key;
}

/** `p99(total) 212 ms, error_share 0.4 %` */
export function measuredWords(measured: readonly Measured[]): string {
  return measured.map(({ text, value, quantity }) => `${text} ${quantityText(value, quantity)}`).join(', ');
}

/** `p99(total) is 412 ms, not p99(total) < 300ms; …` */
export function brokenWords(measured: readonly Measured[]): string {
  const broken = measured.filter((one) => one.broken.length > 0);
  return (broken.length > 0 ? broken : measured)
    .map(({ text, value, quantity, broken: comparisons }) => {
      const wanted = comparisons.length === 0 ? '' : `, expected ${comparisons.join(' and ')}`;
      return `${text} is ${quantityText(value, quantity)}${wanted}`;
    })
    .join('; ');
}
