import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { nearest } from '../filter/suggestion.ts';
import { EXIT, UserError } from '../model/errors.ts';

/** Aliases that are followed; each one looks through the document for what it stands for. */
const MOST_ALIASES = 1_000;

const LONGEST_MESSAGE = 200;

/** `none: !error` is a tag to YAML, and no expression. */
function hintFor({ code }: YAMLError): string | undefined {
  return code === 'TAG_RESOLVE_FAILED' ? "put the expression into quotes: '!…'" : undefined;
}

/**
 * A YAML document whose mistakes are told with line and column. Nothing is built from it but what is asked for, so
 * that aliases cost nothing however often they are used.
 */
export class YamlText {
  readonly #text: string;
  readonly #path: string;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;
  #aliases = 0;

  /** Throws UserError when it is no YAML. */
  constructor(text: string, path: string) {
    this.#text = text;
    this.#path = path;
    this.#document = this.#parse();
    // A tag that nobody knows is a warning to the parser; here it is an expression without its quotes.
    const [first] = [...this.#document.errors, ...this.#document.warnings];
    if (first === undefined) return;
    const isDeep = first.message.includes('call stack');
    const message = isDeep ? 'lists or maps are too deep inside each other' : first.message;
    throw this.mistake(first.pos, `not valid YAML: ${message.slice(0, LONGEST_MESSAGE)}`, hintFor(first));
  }

  get root(): Node | null {
    return this.#document.contents;
  }

  /** 1-based line in which a node begins. */
  lineOf(node: Node): number {
    return this.#position(node).line;
  }

  /** The values of a map by key; keys that are not among `keys`, and keys without a value, are mistakes. */
  map(node: Node, what: string, keys: readonly string[]): ReadonlyMap<string, Node> {
    const map = this.resolved(node);
    if (!isMap(map))
      throw this.mistake(node, `${what} is no map`, `write "key: value" lines with ${keys.join(', ')}`);
    const parts = new Map<string, Node>();
    for (const { key, value } of (map as YAMLMap).items as Pair<Node, Node | null>[]) {
      const name = isScalar(key) ? String(key.value) : '';
      if (!keys.includes(name)) {
        const meant = nearest(name, keys);
        throw this.mistake(
          key,
          `there is no ${name === '' ? 'such key' : name} here`,
          meant === undefined ? `keys are ${keys.join(', ')}` : `did you mean ${meant}?`,
        );
      }
      if (value === null || (isScalar(value) && value.value === null))
        throw this.mistake(key, `${name} has no value`);
      parts.set(name, value);
    }
    return parts;
  }

  /** The value of a scalar; undefined for lists and maps. */
  value(node: Node): unknown {
    const resolved = this.resolved(node);
    return isScalar(resolved) ? resolved.value : undefined;
  }

  /** A scalar as text. `what` names it in the mistake. */
  textOf(node: Node, what: string): string {
    const value = this.value(node);
    if (typeof value === 'string') return value;
    // Names may look like numbers; what is no expression will be told by who reads expressions.
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    throw this.mistake(node, `${what} must be a text`);
  }

  /** Reads an expression; its mistakes are told with their place in the file. */
  expression<T>(node: Node, read: (text: string) => T): T {
    const text = this.textOf(node, 'an expression');
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof UserError) || error.excerpt === null) throw error;
      const start = this.#placeInside(node, text, error.excerpt.start);
      const { line, col } = this.#lines.linePos(start);
      throw new UserError('rules', `line ${line}, column ${col}: ${error.message.replace(/^filter: /, '')}`, {
        place: { file: this.#path },
        exitCode: EXIT.usage,
        excerpt: error.excerpt,
        ...(error.hint === null ? {} : { hint: error.hint }),
      });
    }
  }

  /** The node that an alias stands for; others as they are. */
  resolved(node: Node): Node {
    if (!isAlias(node)) return node;
    this.#aliases += 1;
    if (this.#aliases > MOST_ALIASES) throw this.mistake(node, `more than ${MOST_ALIASES} aliases`);
    const target = node.resolve(this.#document);
    if (target === undefined) throw this.mistake(node, 'this alias stands for nothing');
    return target;
  }

  /** A mistake at a node or offset (null: nowhere in particular), with its line under it. */
  mistake(node: Node | readonly number[] | null, message: string, hint?: string): UserError {
    const { line, col, at } = this.#position(node);
    const lineStart = this.#lines.lineStarts[line - 1] ?? 0;
    const lineEnd = this.#text.indexOf('\n', lineStart);
    const text = this.#text
      .slice(lineStart, lineEnd < 0 ? undefined : lineEnd)
      .replace(/\r$/, '')
      .slice(0, 500);
    const start = Math.min(Math.max(0, at - lineStart), text.length);
    const place = node === null ? '' : `line ${line}, column ${col}: `;
    return new UserError('rules', `${place}${message}`, {
      place: { file: this.#path },
      exitCode: EXIT.usage,
      ...(node === null ? {} : { excerpt: { text, start, end: start + 1 } }),
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** A mistake at the beginning of a line. */
  mistakeAtLine(line: number, message: string, hint: string): UserError {
    return this.mistake([this.#lines.lineStarts[line - 1] ?? 0], message, hint);
  }

  #parse(): Document.Parsed {
    try {
      // Pretty errors take time that grows with the square of their number.
      return parseDocument(this.#text, {
        lineCounter: this.#lines,
        prettyErrors: false,
        stringKeys: true,
        logLevel: 'silent',
      });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw this.mistake(null, 'lists or maps are too deep inside each other');
    }
  }

  /** Place in the file of a place in a text, where the text stands there as it is; else where its value begins. */
  #placeInside(node: Node, text: string, at: number): number {
    const start = this.resolved(node).range?.[0] ?? 0;
    for (const first of [start, start + 1]) if (this.#text.startsWith(text, first)) return first + at;
    return start;
  }

  #position(node: Node | readonly number[] | null): { line: number; col: number; at: number } {
    const at = node === null ? 0 : 'range' in node ? (node.range?.[0] ?? 0) : (node as readonly number[])[0];
    const { line, col } = this.#lines.linePos(Math.min(at, this.#text.length));
    return { line: Math.max(1, line), col: Math.max(1, col), at };
  }
}
