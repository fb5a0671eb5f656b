import type { HeaderField, InterimResponse } from '../model/exchange.ts';
import { DICTIONARY, type DictionaryNumber } from './batch.ts';
import { Dictionary } from './dictionary.ts';
import { HeaderSets } from './header-sets.ts';

const NULL = Number.NaN;

/** Takes a text that has just got its number. */
export type NewText = (dictionary: DictionaryNumber, id: number, text: string) => void;

/** Numbers of one column's texts: mostly the same as in the row before, often the same object. */
class TextColumn {
  readonly #dictionary: Dictionary;
  readonly #which: DictionaryNumber;
  readonly #tell: NewText;
  #last: string | null = null;
  #lastId = NULL;

  constructor(dictionary: Dictionary, which: DictionaryNumber, tell: NewText) {
    this.#dictionary = dictionary;
    this.#which = which;
    this.#tell = tell;
  }

  /** NaN for null. */
  id(text: string | null): number {
    if (text === this.#last) return this.#lastId;
    const id = text === null ? NULL : this.#find(text);
    this.#last = text;
    this.#lastId = id;
    return id;
  }

  #find(text: string): number {
    const known = this.#dictionary.find(text);
    if (known !== 0) return known;
    const id = this.#dictionary.add(text);
    this.#tell(this.#which, id, text);
    return id;
  }
}

/** Numbers of one side's header sections. NaN for an empty one. */
class HeadersColumn {
  readonly #sets = new HeaderSets();
  readonly #texts: TextColumn;

  constructor(texts: TextColumn) {
    this.#texts = texts;
  }

  id(headers: readonly HeaderField[]): number {
    if (headers.length === 0) return NULL;
    const known = this.#sets.find(headers);
    return known !== 0 ? known : this.#sets.remember(headers, this.#texts.id(headersText(headers)));
  }
}

/** All texts of exchanges in one database, by number; see Dictionary. */
export class Texts {
  readonly host: TextColumn;
  readonly target: TextColumn;
  readonly method: TextColumn;
  readonly reason: TextColumn;
  readonly userAgent: TextColumn;
  readonly requestVersion: TextColumn;
  readonly responseVersion: TextColumn;
  readonly requestType: TextColumn;
  readonly responseType: TextColumn;
  readonly interim: TextColumn;
  readonly sightings: TextColumn;
  readonly requestHeaders: HeadersColumn;
  readonly responseHeaders: HeadersColumn;

  constructor(tell: NewText) {
    const strings = new Dictionary();
    const column = (): TextColumn => new TextColumn(strings, DICTIONARY.strings, tell);
    this.host = new TextColumn(new Dictionary(), DICTIONARY.hosts, tell);
    this.target = new TextColumn(new Dictionary(), DICTIONARY.targets, tell);
    this.method = column();
    this.reason = column();
    this.userAgent = column();
    this.requestVersion = column();
    this.responseVersion = column();
    this.requestType = column();
    this.responseType = column();
    this.interim = column();
    this.sightings = column();
    this.requestHeaders = new HeadersColumn(column());
    this.responseHeaders = new HeadersColumn(column());
  }
}

/** JSON array of [name, value]; `headers` is not empty. */
export function headersText(headers: readonly HeaderField[]): string {
  let text = '';
  for (const { name, value } of headers) text += `,[${JSON.stringify(name)},${JSON.stringify(value)}]`;
  return `[${text.slice(1)}]`;
}

/** JSON array of objects: status and time, ns since `beganNs`. */
export function interimText(interim: readonly InterimResponse[], beganNs: number): string {
  return JSON.stringify(interim.map(({ status, timeNs }) => ({ status, after_ns: timeNs - beganNs })));
}
