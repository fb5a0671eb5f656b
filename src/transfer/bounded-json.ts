import { isAscii } from 'node:buffer';
import { UserError } from '../model/errors.ts';

/** What a JSON text may hold, so that reading it takes no more memory than a small multiple of its length. */
export interface JsonBounds {
  /** Arrays and objects within each other. */
  readonly depth: number;
  /** Arrays and objects in all. */
  readonly containers: number;
  /** Members of objects in all. */
  readonly members: number;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of UTF-8 bytes. Throws UserError where they are none. */
export function utf8Text(bytes: Uint8Array): string {
  // The same text, sooner.
  if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  try {
    return strict.decode(bytes);
  } catch (error) {
    throw new UserError('bad-utf8', 'the body is not UTF-8', { cause: error });
  }
}

/** JSON.parse for text of strangers. Throws UserError: `bad-json`, or `json-too-complex` before anything is built. */
export function parseBounded(text: string, bounds: JsonBounds): unknown {
  const excess = beyond(text, bounds);
  if (excess !== null) throw new UserError('json-too-complex', `the JSON has ${excess}`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError('bad-json', 'this is not JSON', { cause: error });
  }
}

/** What of the text is beyond the bounds, in words; null: nothing. Text that is no JSON may get either answer. */
function beyond(text: string, bounds: JsonBounds): string | null {
  const numbers = new NumberRuns(text);
  let depth = 0;
  let containers = 0;
  let members = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = stringEnd(text, at + 1);
        break;
      case COLON:
        members += 1;
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        depth += 1;
        containers += 1;
        if (depth > bounds.depth) return `more than ${bounds.depth} levels`;
        if (containers > bounds.containers) return `more than ${bounds.containers} arrays and objects`;
        at = numbers.end(at);
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth -= 1;
        break;
      default:
    }
    if (members > bounds.members) return `more than ${bounds.members} members`;
  }
  return null;
}

/** What an array of numbers ends with, and what no such array has. */
const ENDS = [']', '"', '[', '{', ':'] as const;

/** Passes over arrays of numbers, which are most of a batch, with searches instead of a look at each character. */
class NumberRuns {
  readonly #text: string;
  /** Where the next of ENDS stands: known from one search to the next, so that all of them read the text once. */
  readonly #next = ENDS.map(() => -1);

  constructor(text: string) {
    this.#text = text;
  }

  /** The last place before the end of an array of numbers only that opens at `at`; else `at`. It never becomes less. */
  end(at: number): number {
    const text = this.#text;
    const code = text.charCodeAt(at + 1);
    if (code !== MINUS && !(code >= ZERO && code <= NINE)) return at;
    for (let mark = 0; mark < ENDS.length; mark += 1) {
      if (this.#next[mark] <= at) {
        const place = text.indexOf(ENDS[mark], at + 1);
        this.#next[mark] = place < 0 ? text.length : place;
      }
      // The array's end comes first in ENDS.
      if (this.#next[mark] < this.#next[0]) return at;
    }
    return this.#next[0] - 1;
  }
}

/** Where the string's closing quote stands; the text's length where it has none. */
function stringEnd(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}
