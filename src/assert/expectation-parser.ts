import { Cursor } from '../filter/cursor.ts';
import type { NumberField } from '../filter/field.ts';
import { FIELD_NAMES, findField } from '../filter/fields.ts';
import { parseFilter } from '../filter/filter.ts';
import type { Token } from '../filter/lexer.ts';
import { Complaint } from '../filter/literals.ts';
import type { Span } from '../filter/mistake.ts';
import { suggestField } from '../filter/suggestion.ts';
import { UserError } from '../model/errors.ts';
import { percentile } from '../stat/percentiles.ts';
import type {
  Comparison,
  Expectation,
  ExpectationNode,
  Measure,
  Operand,
  Operator,
  Quantity,
} from './expectation.ts';
import type { AssertLimits } from './limits.ts';
import { QUANTITY_NAMES, readQuantity } from './quantity.ts';
import { unknownMeasure } from './unknown-measure.ts';

const OPERATORS: readonly string[] = ['<', '<=', '>', '>=', '==', '!='] satisfies Operator[];
const PERCENTILE = /^p\d/i;

/** An operand before the other side of its comparison is known: a literal needs it to be understood. */
type Side =
  | { readonly kind: 'measure'; readonly measure: number; readonly token: Token }
  | { readonly kind: 'raw'; readonly token: Token };

/**
 * Reads an expectation. Conditions are joined by `&&`, `||`, `!` and parentheses, as in the filter language; each
 * compares a measure with a value or with another measure of the same quantity.
 *
 * @throws UserError whose `excerpt` shows the mistake
 */
export function parseExpectation(text: string, limits: AssertLimits): Expectation {
  return new ExpectationParser(text, limits).parse();
}

class ExpectationParser {
  readonly #text: string;
  readonly #limits: AssertLimits;
  readonly #cursor: Cursor;
  readonly #measures: Measure[] = [];
  #depth = 0;

  constructor(text: string, limits: AssertLimits) {
    this.#text = text;
    this.#limits = limits;
    this.#cursor = new Cursor(text);
  }

  parse(): Expectation {
    const node = this.#either();
    const rest = this.#cursor.peek();
    if (rest.kind !== 'end') {
      const isComparison = OPERATORS.includes(rest.value);
      throw this.#cursor.mistake(
        rest,
        `unexpected ${rest.value}`,
        isComparison ? 'compare two things at a time, joined by &&' : 'join conditions by && or ||',
      );
    }
    const headers = this.#measures.flatMap((measure) =>
      'filter' in measure && measure.filter !== null ? measure.filter.headers : [],
    );
    return { text: this.#text, node, measures: this.#measures, headers: [...new Set(headers)] };
  }

  #either(): ExpectationNode {
    const parts = [this.#both()];
    while (this.#cursor.accept('||', 'or')) parts.push(this.#both());
    return parts.length === 1 ? parts[0] : { kind: 'or', parts };
  }

  #both(): ExpectationNode {
    const parts = [this.#condition()];
    while (this.#cursor.accept('&&', 'and')) parts.push(this.#condition());
    return parts.length === 1 ? parts[0] : { kind: 'and', parts };
  }

  #condition(): ExpectationNode {
    const cursor = this.#cursor;
    const start = cursor.peek();
    if (!cursor.isSign('!') && !cursor.isWord('not') && !cursor.isSign('(')) return this.#comparison();
    this.#depth += 1;
    if (this.#depth > this.#limits.nesting)
      throw cursor.mistake(start, `more than ${this.#limits.nesting} conditions inside each other`);
    cursor.next();
    let node: ExpectationNode;
    if (start.value === '(') {
      node = this.#either();
      if (!cursor.accept(')')) throw this.#missing(')', start);
    } else {
      node = { kind: 'not', part: this.#condition() };
    }
    this.#depth -= 1;
    return node;
  }

  #comparison(): Comparison {
    const cursor = this.#cursor;
    const start = cursor.peek().start;
    const left = this.#side();
    const sign = cursor.peek();
    if (sign.kind !== 'sign' || !OPERATORS.includes(sign.value)) {
      throw cursor.mistake(sign, 'here a comparison is missing', 'write it as p99(total) < 300ms');
    }
    cursor.next();
    const right = this.#side();
    const quantity = this.#quantityOf(left, right);
    return {
      kind: 'comparison',
      left: this.#operand(left, quantity),
      operator: sign.value as Operator,
      right: this.#operand(right, quantity),
      quantity,
      text: this.#text.slice(start, cursor.peek().start).trim(),
    };
  }

  #quantityOf(left: Side, right: Side): Quantity {
    const measures = [left, right].flatMap((side) =>
      side.kind === 'measure' ? [this.#measures[side.measure]] : [],
    );
    if (measures.length === 0 && left.kind === 'raw') {
      throw this.#cursor.mistake(
        left.token,
        'this compares two fixed values',
        'compare something that is measured, as count > 0',
      );
    }
    const [first, second] = measures;
    if (second !== undefined && second.quantity !== first.quantity) {
      throw this.#cursor.mistake(
        right.token,
        `${first.text} is ${nameOf(first.quantity)}, ${second.text} is ${nameOf(second.quantity)}`,
        'compare things of the same kind',
      );
    }
    return first.quantity;
  }

  #operand(side: Side, quantity: Quantity): Operand {
    if (side.kind === 'measure') return { kind: 'measure', measure: side.measure };
    const { token } = side;
    const value = readQuantity(token.value, quantity);
    if (value instanceof Complaint) {
      const hint = value.hint ?? `here is wanted ${QUANTITY_NAMES[quantity]}`;
      throw this.#cursor.mistake(token, value.message, hint);
    }
    return { kind: 'literal', value, text: token.value };
  }

  #side(): Side {
    const cursor = this.#cursor;
    const token = cursor.next();
    if (token.kind !== 'word') {
      const what =
        token.kind === 'end'
          ? 'the expression ends here'
          : `unexpected ${token.kind === 'text' ? 'text' : token.value}`;
      throw cursor.mistake(token, what, 'something measured or a value is missing, as p99(total) or 300ms');
    }
    if (/^[\d.+-]/.test(token.value)) return { kind: 'raw', token };
    const measure = this.#measure(token);
    const known = this.#measures.findIndex(({ text }) => text === measure.text);
    if (known >= 0) return { kind: 'measure', measure: known, token };
    if (this.#measures.length >= this.#limits.measures)
      throw cursor.mistake(token, `more than ${this.#limits.measures} different measures in one expression`);
    this.#measures.push(measure);
    return { kind: 'measure', measure: this.#measures.length - 1, token };
  }

  #measure(name: Token): Measure {
    const word = name.value.toLowerCase();
    if (word === 'error_share') {
      if (this.#cursor.isSign('('))
        throw this.#cursor.mistake(
          this.#cursor.peek(),
          'error_share stands alone',
          'share(EXPR) takes an expression',
        );
      return { kind: 'share', quantity: 'share', text: word, filter: parseFilter('error') };
    }
    if (word === 'count' || word === 'rate' || word === 'share') return this.#counting(name, word);
    if (word === 'min' || word === 'max' || word === 'mean' || word === 'sum') {
      const { field, text } = this.#field(name);
      return { kind: word, quantity: quantityOf(field), text: `${word}(${text})`, field };
    }
    if (PERCENTILE.test(word)) {
      const percent = percentile(word);
      if (percent === null)
        throw this.#cursor.mistake(name, `${name.value} is not a percentile`, 'write p50, p99 or p99.9');
      const { field, text } = this.#field(name);
      return {
        kind: 'percentile',
        quantity: quantityOf(field),
        text: `${percent.label}(${text})`,
        field,
        percentile: percent,
      };
    }
    const { message, hint } = unknownMeasure(name.value);
    throw this.#cursor.mistake(name, message, hint);
  }

  /** `count`, `rate`, or either of an expression in the filter language; `share` always of one. */
  #counting(name: Token, kind: 'count' | 'rate' | 'share'): Measure {
    const cursor = this.#cursor;
    const quantity = kind === 'count' ? 'number' : kind;
    if (!cursor.isSign('(')) {
      if (kind === 'share') throw cursor.mistake(name, 'share of what?', 'write it as share(status == 429)');
      return { kind, quantity, text: kind, filter: null };
    }
    const open = cursor.next();
    let depth = 1;
    while (depth > 0) {
      const token = cursor.next();
      if (token.kind === 'end') throw this.#missing(')', open);
      if (token.kind === 'sign' && token.value === '(') depth += 1;
      if (token.kind === 'sign' && token.value === ')') depth -= 1;
      if (depth === 0) return this.#ofExpression(kind, quantity, open.end, token.start);
    }
    throw new Error('not reached');
  }

  #ofExpression(kind: 'count' | 'rate' | 'share', quantity: Quantity, start: number, end: number): Measure {
    try {
      const filter = parseFilter(this.#text.slice(start, end));
      return { kind, quantity, text: `${kind}(${filter.text.trim()})`, filter };
    } catch (error) {
      if (!(error instanceof UserError) || error.excerpt === null) throw error;
      const span = { start: start + error.excerpt.start, end: start + error.excerpt.end };
      throw this.#cursor.mistake(span, error.message.replace(/^filter: /, ''), error.hint ?? undefined);
    }
  }

  /** `(total)`: a field with an amount. */
  #field(name: Token): { field: NumberField; text: string } {
    const cursor = this.#cursor;
    const open = cursor.peek();
    if (!cursor.accept('(')) {
      throw cursor.mistake(name, `${name.value} of what?`, `write it as ${name.value}(total)`);
    }
    const token = cursor.next();
    const field = token.kind === 'word' ? findField(token.value) : undefined;
    if (field === undefined) {
      const meant = token.kind === 'word' ? suggestField(token.value, FIELD_NAMES) : undefined;
      throw cursor.mistake(
        token,
        token.kind === 'word' ? `there is no field ${token.value}` : 'here the name of a field is missing',
        meant === undefined ? 'wirelens fields lists them' : `did you mean ${meant}?`,
      );
    }
    if (field.type !== 'number' && field.type !== 'duration' && field.type !== 'bytes') {
      throw cursor.mistake(
        token,
        `${field.name} is no amount`,
        'take a time or a size, as total or response.bytes',
      );
    }
    if (!cursor.accept(')')) throw this.#missing(')', open);
    return { field, text: field.name };
  }

  #missing(sign: string, opened: Span): Error {
    return this.#cursor.mistake(
      opened,
      `the parenthesis that opens here is not closed`,
      `close it with ${sign}`,
    );
  }
}

function quantityOf({ type }: NumberField): Quantity {
  return type === 'duration' ? 'duration' : type === 'bytes' ? 'size' : 'number';
}

function nameOf(quantity: Quantity): string {
  return quantity === 'number' ? 'a number' : `a ${quantity}`;
}
