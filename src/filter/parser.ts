import { comparison, membership, present, type Sign, type Value } from './checker.ts';
import { Cursor } from './cursor.ts';
import { type Field, isList } from './field.ts';
import { findField } from './fields.ts';
import { HEADER_WORDS } from './header-fields.ts';
import { FILTER_LIMITS } from './limits.ts';
import type { Span } from './mistake.ts';
import { atSign, type Operator, readOperator, TURNED } from './operator.ts';
import type { Node } from './syntax.ts';
import { afterCondition, foreignSign, noBrackets, noCondition, noField } from './wording.ts';

/**
 * Reads an expression into its checked meaning. Throws UserError that points at the mistake.
 *
 *     or         = and { ("||" | "or") and }
 *     and        = not { ("&&" | "and") not }
 *     not        = { "!" | "not" } ( "(" or ")" | condition )
 *     condition  = field [ sign value | ["not"] "in" members ] | value sign field | value "in" field
 *     sign       = "==" "!=" "<" "<=" ">" ">=" "~" "!~" "~*" "!~*" "contains" "startsWith" "endsWith"
 *     members    = "{" member { "," member } "}" | member
 *     member     = value [ ".." value ]
 *     field      = name | ("header" | "request.header" | "response.header") "[" name "]"
 */
export function parse(text: string): Node {
  // Half surrogate pairs have no UTF-8, and so could not be compared in SQLite.
  return new Parser(text.replace(/\p{Cs}/gu, '\ufffd')).parse();
}

class Parser {
  readonly #text: string;
  readonly #cursor: Cursor;
  #depth = 0;
  #patterns = 0;

  constructor(text: string) {
    this.#text = text;
    this.#cursor = new Cursor(text);
  }

  parse(): Node {
    if (this.#cursor.peek().kind === 'end')
      throw this.#cursor.mistake(
        this.#cursor.peek(),
        'the expression is empty',
        'write a condition, as status >= 500',
      );
    const node = this.#or();
    const rest = this.#cursor.peek();
    if (rest.kind !== 'end') throw afterCondition(this.#cursor, rest);
    return node;
  }

  #or(): Node {
    const parts = [this.#and()];
    while (this.#cursor.accept('||', 'or')) parts.push(this.#and());
    return joined('or', parts);
  }

  #and(): Node {
    const parts = [this.#not()];
    while (this.#cursor.accept('&&', 'and')) parts.push(this.#not());
    return joined('and', parts);
  }

  #not(): Node {
    let negated = false;
    while (this.#cursor.accept('!', 'not')) negated = !negated;
    const node = this.#cursor.isSign('(') ? this.#group() : this.#condition();
    return negated ? negation(node) : node;
  }

  #group(): Node {
    const open = this.#cursor.next();
    this.#depth += 1;
    if (this.#depth > FILTER_LIMITS.nesting)
      throw this.#cursor.mistake(open, `parentheses are nested deeper than ${FILTER_LIMITS.nesting}`);
    const node = this.#or();
    const close = this.#cursor.peek();
    if (close.kind === 'end')
      throw this.#cursor.mistake(open, 'the parenthesis that opens here is never closed', 'add )');
    if (!this.#cursor.accept(')')) throw afterCondition(this.#cursor, close);
    this.#depth -= 1;
    return node;
  }

  #condition(): Node {
    const token = this.#cursor.peek();
    if (token.kind === 'end')
      throw this.#cursor.mistake(
        token,
        'the expression ends where a condition should follow',
        'add a condition, as status >= 500',
      );
    if (token.kind === 'sign') throw noCondition(this.#cursor, token, this.#depth > 0);
    const field = token.kind === 'word' && !this.#isElement() ? this.#field() : null;
    const node = field === null ? this.#turnedCondition() : this.#fieldCondition(field.field, field.span);
    if (atSign(this.#cursor))
      throw this.#cursor.mistake(
        this.#cursor.peek(),
        'comparisons cannot be chained',
        'join two with &&, or use in LOW..HIGH',
      );
    return node;
  }

  /** `tunnel in anomaly`: the name of a field may also be a word that a list holds. */
  #isElement(): boolean {
    if (!this.#cursor.isWord('in', 1) || this.#cursor.peek(2).kind !== 'word') return false;
    const list = findField(this.#cursor.peek(2).value);
    return list?.type === 'words' && list.words?.includes(this.#cursor.peek().value) === true;
  }

  /** The field that begins here, or null where a value does. */
  #field(): { field: Field; span: Span } | null {
    const token = this.#cursor.peek();
    if (this.#cursor.isSign('[', 1)) return this.#headerField();
    const field = findField(token.value);
    if (field === undefined) return null;
    this.#cursor.next();
    return { field, span: token };
  }

  #headerField(): { field: Field; span: Span } {
    const word = this.#cursor.next();
    this.#cursor.next();
    const name = this.#cursor.next();
    if (!Object.values(HEADER_WORDS).includes(word.value)) throw noBrackets(this.#cursor, word);
    if (name.kind !== 'text' && name.kind !== 'word')
      throw this.#cursor.mistake(
        name,
        'the name of a header field is missing',
        `write ${word.value}["content-type"]`,
      );
    const close = this.#cursor.next();
    if (close.kind !== 'sign' || close.value !== ']')
      throw this.#cursor.mistake(close, 'the bracket is not closed', 'add ]');
    const field = findField(`${word.value}["${name.value}"]`);
    if (field === undefined) throw this.#cursor.mistake(name, 'this is not the name of a header field');
    return { field, span: { start: word.start, end: close.end } };
  }

  #fieldCondition(field: Field, span: Span): Node {
    const operator = readOperator(this.#cursor);
    if (operator === null) {
      const foreign = foreignSign(this.#cursor);
      if (foreign !== null) throw foreign;
      return present(field);
    }
    const { sign } = operator;
    if (sign === 'in' || sign === 'not in') {
      const node = membership(this.#text, field, operator, this.#members(field));
      return sign === 'in' ? node : negation(node);
    }
    const value = this.#value(`a value follows ${sign}`);
    const after = this.#cursor.peek();
    if (after.kind === 'sign' && after.value === '..')
      throw this.#cursor.mistake(
        after,
        `ranges are not compared with ${sign}`,
        `use ${field.name} in ${value.token.value}..…`,
      );
    return this.#compared(field, operator, span, value);
  }

  /** `200ms < wait`, `"pipelined" in anomaly`. */
  #turnedCondition(): Node {
    const value = this.#cursor.next();
    const operator = atSign(this.#cursor) || this.#cursor.isWord('in') ? readOperator(this.#cursor) : null;
    const token = this.#cursor.peek();
    const field = operator !== null && token.kind === 'word' ? this.#field() : null;
    if (operator === null || field === null) throw noField(this.#cursor, value);
    const { sign } = operator;
    if (sign === 'in') {
      if (!isList(field.field)) {
        const hint = field.field.type === 'text' ? `write ${field.field.name} contains …` : undefined;
        throw this.#cursor.mistake(operator, `${field.field.name} is not a list`, hint);
      }
      return this.#compared(field.field, { ...operator, sign: '==' }, field.span, { token: value });
    }
    const turned = sign === 'not in' ? undefined : TURNED[sign];
    if (turned === undefined)
      throw this.#cursor.mistake(
        operator,
        `${sign} has the field on its left`,
        `write ${field.field.name} ${sign} …`,
      );
    return this.#compared(field.field, { ...operator, sign: turned }, field.span, { token: value });
  }

  #compared(field: Field, operator: Operator, span: Span, value: Value): Node {
    const { sign } = operator;
    if (sign === 'in' || sign === 'not in') throw new Error('sets are no comparisons');
    if (sign.includes('~')) {
      this.#patterns += 1;
      if (this.#patterns > FILTER_LIMITS.patterns)
        throw this.#cursor.mistake(
          operator,
          `there are more than ${FILTER_LIMITS.patterns} regular expressions`,
        );
    }
    const negative = sign === '!=' || sign === '!~' || sign === '!~*';
    const positive = (sign === '!=' ? '==' : sign.replace('!', '')) as Sign;
    const node = comparison(this.#text, field, span, { ...operator, sign: positive, written: sign }, value);
    return negative ? negation(node) : node;
  }

  #members(field: Field): { values: readonly Value[]; braces: boolean } {
    const open = this.#cursor.peek();
    if (open.kind !== 'sign' || open.value !== '{') {
      if (open.kind === 'sign')
        throw this.#cursor.mistake(open, 'a set stands in braces', `write ${field.name} in {…}`);
      return { values: [this.#member('a set or a range follows in')], braces: false };
    }
    this.#cursor.next();
    if (this.#cursor.accept('}'))
      throw this.#cursor.mistake(open, 'the set is empty', 'put values into it, separated by commas');
    const values: Value[] = [];
    do {
      if (values.length >= FILTER_LIMITS.setElements)
        throw this.#cursor.mistake(
          this.#cursor.peek(),
          `a set has at most ${FILTER_LIMITS.setElements} elements`,
        );
      values.push(this.#member('a value is missing in the set'));
    } while (this.#cursor.accept(','));
    const close = this.#cursor.peek();
    if (close.kind === 'end')
      throw this.#cursor.mistake(open, 'the set that begins here is never closed', 'add }');
    if (!this.#cursor.accept('}')) {
      const hint = close.kind === 'sign' ? undefined : 'separate values with commas';
      throw this.#cursor.mistake(close, 'a comma or } should follow in the set', hint);
    }
    return { values, braces: true };
  }

  #member(what: string): Value {
    const { token } = this.#value(what);
    if (!this.#cursor.accept('..')) return { token };
    return { token, to: this.#value('the end of the range is missing').token };
  }

  #value(what: string): Value {
    const token = this.#cursor.peek();
    if (token.kind !== 'word' && token.kind !== 'text') {
      const hint = token.value === '{' ? 'sets go with in' : undefined;
      throw this.#cursor.mistake(
        token,
        token.kind === 'end' ? `the expression ends early: ${what}` : what,
        hint,
      );
    }
    return { token: this.#cursor.next() };
  }
}

/** One node for a chain of the same kind, however it was grouped. */
function joined(kind: 'and' | 'or', parts: readonly Node[]): Node {
  if (parts.length === 1) return parts[0];
  return { kind, parts: parts.flatMap((part) => (part.kind === kind ? part.parts : [part])) };
}

function negation(node: Node): Node {
  return node.kind === 'not' ? node.part : { kind: 'not', part: node };
}
