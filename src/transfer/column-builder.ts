import type { BatchColumn } from '../model/row-batch.ts';

/** Values of one column while rows are added. Values are not checked here. */
export interface ColumnBuilder {
  /** What was added, as a column of `rows` values; then it is empty. */
  take(rows: number): BatchColumn;
}

const FIRST_ROWS = 1024;
const NULL_CODE = -1;

/** Numbers. */
export class NumberColumnBuilder implements ColumnBuilder {
  #values = new Float64Array(FIRST_ROWS);
  #nulls: Uint8Array | null = null;
  #length = 0;
  /** All so far are the same, null among them. */
  #allSame = true;

  add(value: number | null): void {
    const at = this.#length;
    if (at === this.#values.length) this.#grow();
    if (value === null) {
      this.#nulls ??= new Uint8Array(this.#values.length);
      this.#nulls[at] = 1;
    } else this.#values[at] = value + 0;
    if (this.#allSame && at > 0) this.#allSame = value === this.#first();
    this.#length = at + 1;
  }

  #first(): number | null {
    return this.#nulls?.[0] === 1 ? null : this.#values[0];
  }

  #grow(): void {
    const values = new Float64Array(this.#values.length * 2);
    values.set(this.#values);
    this.#values = values;
    if (this.#nulls === null) return;
    const nulls = new Uint8Array(values.length);
    nulls.set(this.#nulls);
    this.#nulls = nulls;
  }

  take(rows: number): BatchColumn {
    const column: BatchColumn =
      this.#allSame && this.#length === rows
        ? { form: 'all', value: this.#first() }
        : {
            form: 'numbers',
            values: this.#values.slice(0, rows),
            nulls: this.#nulls === null ? null : this.#nulls.slice(0, rows),
          };
    this.#length = 0;
    this.#allSame = true;
    this.#nulls = null;
    return column;
  }
}

/** Texts, each distinct one once. */
export class TextColumnBuilder implements ColumnBuilder {
  readonly #distinct: boolean;
  #codes = new Int32Array(FIRST_ROWS);
  #length = 0;
  #texts: string[] = [];
  #known = new Map<string, number>();
  #hasNull = false;
  #lastText: string | null = null;
  #lastCode = NULL_CODE;
  /** UTF-16 units of the distinct texts. */
  chars = 0;

  /** `distinct`: hardly a text comes twice, so that it is not worth looking; one that does is kept twice. */
  constructor(distinct = false) {
    this.#distinct = distinct;
  }

  /** The code of a text that was added before; undefined: it is new. */
  codeOf(text: string): number | undefined {
    // Rows of one connection say the same one after the other; then nothing has to be looked up.
    if (text === this.#lastText) return this.#lastCode;
    if (this.#distinct) return undefined;
    const code = this.#known.get(text);
    if (code === undefined) return undefined;
    this.#lastText = text;
    this.#lastCode = code;
    return code;
  }

  /** Gives a new text its code; `as`: what is stored in its place. */
  learn(text: string, as: string): number {
    let code = text === as || this.#distinct ? undefined : this.#known.get(as);
    if (code === undefined) {
      code = this.#texts.length;
      this.#texts.push(as);
      if (!this.#distinct) this.#known.set(as, code);
      this.chars += as.length;
    }
    if (text !== as && !this.#distinct) this.#known.set(text, code);
    // What repeats comes in rows one after the other.
    this.#lastText = text;
    this.#lastCode = code;
    return code;
  }

  addCode(code: number): void {
    if (this.#length === this.#codes.length) {
      const codes = new Int32Array(this.#codes.length * 2);
      codes.set(this.#codes);
      this.#codes = codes;
    }
    this.#codes[this.#length] = code;
    this.#length += 1;
  }

  addNull(): void {
    this.#hasNull = true;
    this.addCode(NULL_CODE);
  }

  add(text: string): void {
    this.addCode(this.#known.get(text) ?? this.learn(text, text));
  }

  take(rows: number): BatchColumn {
    const texts = this.#texts;
    let column: BatchColumn;
    if (texts.length === 0) column = { form: 'all', value: null };
    else if (texts.length === 1 && !this.#hasNull) column = { form: 'all', value: texts[0] };
    else column = { form: 'codes', texts, codes: this.#codes.slice(0, rows) };
    this.#texts = [];
    if (this.#known.size > 0) this.#known = new Map();
    this.#length = 0;
    this.#hasNull = false;
    this.#lastText = null;
    this.chars = 0;
    return column;
  }
}
