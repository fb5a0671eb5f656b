import type { Exchange } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';
import { networkTest } from './address.ts';
import { isList, isTextList } from './field.ts';
import { compilePattern } from './pattern.ts';
import { sinceEpochNs } from './ranges.ts';
import type { Condition, Node, Range, TextTest, TimeRange } from './syntax.ts';

/** The back end for exchanges in memory. Makes no objects per exchange beyond what fields need. */
export type Predicate = (exchange: Exchange, clock: RunClock) => boolean;

export function compilePredicate(node: Node): Predicate {
  switch (node.kind) {
    case 'and':
      return every(node.parts.map(compilePredicate));
    case 'or':
      return some(node.parts.map(compilePredicate));
    case 'not': {
      const part = compilePredicate(node.part);
      return (exchange, clock) => !part(exchange, clock);
    }
    default:
      return compileCondition(node);
  }
}

function every(parts: readonly Predicate[]): Predicate {
  return (exchange, clock) => {
    for (let index = 0; index < parts.length; index += 1) if (!parts[index](exchange, clock)) return false;
    return true;
  };
}

function some(parts: readonly Predicate[]): Predicate {
  return (exchange, clock) => {
    for (let index = 0; index < parts.length; index += 1) if (parts[index](exchange, clock)) return true;
    return false;
  };
}

function compileCondition(condition: Condition): Predicate {
  switch (condition.kind) {
    case 'present': {
      const { field } = condition;
      if (isList(field)) return (exchange, clock) => field.value(exchange, clock).length > 0;
      return (exchange, clock) => field.value(exchange, clock) !== null;
    }
    case 'true': {
      const { field } = condition;
      return (exchange, clock) => field.value(exchange, clock);
    }
    case 'ranges': {
      const { field } = condition;
      const test = rangeTest(condition.ranges);
      if (field.type === 'numbers') return (exchange, clock) => anyNumber(field.value(exchange, clock), test);
      return (exchange, clock) => {
        const value = field.value(exchange, clock);
        return value !== null && test(value);
      };
    }
    case 'times':
      return timesPredicate(condition.field, condition.ranges);
    case 'address': {
      const { field } = condition;
      const test = networkTest(condition.networks);
      return (exchange, clock) => {
        const value = field.value(exchange, clock);
        return value !== null && test(value);
      };
    }
    case 'text': {
      const { field } = condition;
      const test = textTest(condition.test);
      if (isTextList(field)) return (exchange, clock) => anyText(field.value(exchange, clock), test);
      return (exchange, clock) => {
        const value = field.value(exchange, clock);
        return value !== null && test(value);
      };
    }
  }
}

function anyNumber(values: readonly number[], test: (value: number) => boolean): boolean {
  for (let index = 0; index < values.length; index += 1) if (test(values[index])) return true;
  return false;
}

function anyText(values: readonly string[], test: (value: string) => boolean): boolean {
  for (let index = 0; index < values.length; index += 1) if (test(values[index])) return true;
  return false;
}

function rangeTest(ranges: readonly Range[]): (value: number) => boolean {
  const lows = ranges.map(({ low }) => low ?? Number.NEGATIVE_INFINITY);
  const highs = ranges.map(({ high }) => high ?? Number.POSITIVE_INFINITY);
  if (ranges.length === 1) {
    const [low] = lows;
    const [high] = highs;
    return (value) => value >= low && value <= high;
  }
  return (value) => {
    // The last range that begins at or below the value is the only one that may hold it.
    let from = 0;
    let to = lows.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (lows[middle] <= value) from = middle + 1;
      else to = middle;
    }
    return from > 0 && value <= highs[from - 1];
  };
}

function timesPredicate(
  field: Extract<Condition, { kind: 'times' }>['field'],
  ranges: readonly TimeRange[],
): Predicate {
  const lows = new Float64Array(ranges.length);
  const highs = new Float64Array(ranges.length);
  let epoch = Number.NaN;
  const settle = (epochSeconds: number): void => {
    epoch = epochSeconds;
    ranges.forEach(({ low, high }, index) => {
      lows[index] = low === null ? Number.NEGATIVE_INFINITY : sinceEpochNs(low, epochSeconds);
      highs[index] = high === null ? Number.POSITIVE_INFINITY : sinceEpochNs(high, epochSeconds);
    });
  };
  return (exchange, clock) => {
    const epochSeconds = clock.epochSeconds ?? 0;
    if (epochSeconds !== epoch) settle(epochSeconds);
    const value = field.value(exchange, clock);
    if (value === null) return false;
    for (let index = 0; index < lows.length; index += 1)
      if (value >= lows[index] && value <= highs[index]) return true;
    return false;
  };
}

/** Patterns were compiled once to check them, so this throws nothing. */
export function textTest(test: TextTest): (value: string) => boolean {
  switch (test.kind) {
    case 'equals': {
      if (test.values.length === 1) {
        const [wanted] = test.values;
        return (value) => value === wanted;
      }
      const wanted = new Set(test.values);
      return (value) => wanted.has(value);
    }
    case 'contains':
      return (value) => value.includes(test.value);
    case 'startsWith':
      return (value) => value.startsWith(test.value);
    case 'endsWith':
      return (value) => value.endsWith(test.value);
    case 'matches': {
      const pattern = compilePattern(test.pattern, test.ignoreCase);
      return (value) => pattern.test(value);
    }
  }
}
