/** One server-sent event. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
export interface ServerEvent {
  /** `message` where the server names none. */
  readonly event: string;
  readonly data: string;
  /** The last id that was sent; empty: none. */
  readonly id: string;
}

/** Characters of one event that are held; a longer one ends the reading. */
const EVENT_CHARACTERS = 8 * 1024 * 1024;

/** Reads an event stream piece by piece. */
export class EventStream {
  readonly #decoder = new TextDecoder('utf-8');
  #rest = '';
  #data: string[] = [];
  #dataCharacters = 0;
  #event = '';
  #endsWithReturn = false;
  /** The id of the last event that came whole; kept over connections by who reconnects. */
  lastId: string;
  /** Counts only once its event is whole: else an event that was cut off would never come again. */
  #id: string;
  /** What the server wants waited before the next connection, ms; null: it has not said. */
  retryMs: number | null = null;

  constructor(lastId: string) {
    this.lastId = lastId;
    this.#id = lastId;
  }

  /** Takes bytes; gives the events that became complete. Throws RangeError for an event that is too large. */
  *push(bytes: Uint8Array): Generator<ServerEvent> {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (this.#endsWithReturn && text.startsWith('\n')) text = text.slice(1);
    if (text === '') return;
    this.#endsWithReturn = text.endsWith('\r');
    const lines = (this.#rest + text).split(/\r\n|\r|\n/);
    this.#rest = lines.pop() as string;
    for (const line of lines) {
      const event = this.#line(line);
      if (event !== null) yield event;
    }
    if (this.#rest.length + this.#dataCharacters > EVENT_CHARACTERS)
      throw new RangeError('an event is too large');
  }

  #line(line: string): ServerEvent | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') {
      this.#data.push(value);
      this.#dataCharacters += value.length + 1;
    } else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #dispatch(): ServerEvent | null {
    const event = this.#event === '' ? 'message' : this.#event;
    const data = this.#data;
    this.#event = '';
    this.#data = [];
    this.#dataCharacters = 0;
    this.lastId = this.#id;
    return data.length === 0 ? null : { event, data: data.join('\n'), id: this.lastId };
  }
}
