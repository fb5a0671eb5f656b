import type { Exchange, HeaderField, Message, RequestMessage, ResponseMessage } from '../model/exchange.ts';
import { MASK } from '../model/secrets.ts';

export interface ShownOptions {
  /** Names of query parameters whose values are masked beside the usual ones. */
  readonly maskParameters: readonly string[];
  /** Lower-case names of header fields that are not sent. */
  readonly dropHeaders: readonly string[];
  /** Send exchanges of agents with their server too. */
  readonly includeOwn: boolean;
}

/** Header fields whose value is a target. */
const HOLDS_TARGET: ReadonlySet<string> = new Set(['referer', 'location']);
/** What agents ask of a server. */
const OWN_TARGET = /\/api\/v1\/(upload|agents\/)/;
const OWN_USER_AGENT = /^wirelens\//;

/**
 * What leaves the node of an exchange. Usual secrets were masked when it was read; this leaves out more. Uploads of
 * agents are left out themselves: each would be reported by the next one, for ever.
 */
export class ShownExchange {
  readonly #masked: ReadonlySet<string>;
  readonly #dropped: ReadonlySet<string>;
  readonly #includeOwn: boolean;
  #own = 0;

  constructor({ maskParameters, dropHeaders, includeOwn }: ShownOptions) {
    this.#masked = new Set(maskParameters.map(plainName));
    this.#dropped = new Set(dropHeaders);
    this.#includeOwn = includeOwn;
  }

  /** Exchanges of agents with their server that were left out. */
  get own(): number {
    return this.#own;
  }

  /** null: the exchange is not sent. */
  of(exchange: Exchange): Exchange | null {
    const { request, response } = exchange;
    if (!this.#includeOwn && request !== null && isOwn(request)) {
      this.#own += 1;
      return null;
    }
    if (this.#masked.size === 0 && this.#dropped.size === 0) return exchange;
    return {
      ...exchange,
      request: request === null ? null : this.#request(request),
      response: response === null ? null : this.#response(response),
    };
  }

  #request(request: RequestMessage): RequestMessage {
    const { method, host, userAgent } = request;
    return { ...this.#message(request), method, host, userAgent, target: this.#target(request.target) };
  }

  #response(response: ResponseMessage): ResponseMessage {
    const { status, reason } = response;
    return { ...this.#message(response), status, reason };
  }

  /** Field by field: what a message says may be computed when it is asked for, and a spread would lose it. */
  #message(message: Message): Message {
    return {
      version: message.version,
      firstByteNs: message.firstByteNs,
      lastByteNs: message.lastByteNs,
      packet: message.packet,
      capture: message.capture,
      direction: message.direction,
      startOffset: message.startOffset,
      endOffset: message.endOffset,
      sequence: message.sequence,
      acknowledges: message.acknowledges,
      headerBytes: message.headerBytes,
      bodyBytes: message.bodyBytes,
      lostBytes: message.lostBytes,
      mediaType: message.mediaType,
      headers: this.#headers(message),
    };
  }

  #headers({ headers }: Message): readonly HeaderField[] {
    return headers
      .filter(({ name }) => !this.#dropped.has(name))
      .map((field) =>
        HOLDS_TARGET.has(field.name) ? { name: field.name, value: this.#target(field.value) } : field,
      );
  }

  /** The same names as redactTarget understands them: `User-Id`, `user_id` and `userid` are one. */
  #target(target: string): string {
    const query = target.indexOf('?');
    if (query < 0 || this.#masked.size === 0) return target;
    const parts = target.slice(query + 1).split(/([&;#])/);
    for (let index = 0; index < parts.length; index += 2) {
      const equals = parts[index].indexOf('=');
      if (equals <= 0 || equals === parts[index].length - 1) continue;
      if (this.#masked.has(plainName(parts[index].slice(0, equals))))
        parts[index] = `${parts[index].slice(0, equals + 1)}${MASK}`;
    }
    return `${target.slice(0, query + 1)}${parts.join('')}`;
  }
}

function isOwn({ method, target, userAgent }: NonNullable<Exchange['request']>): boolean {
  if (method !== 'POST' && method !== 'PUT') return false;
  return userAgent !== null && OWN_USER_AGENT.test(userAgent) && OWN_TARGET.test(target);
}

const plainName = (name: string): string => name.toLowerCase().replace(/[-_.[\]]|%5[bd]/g, '');
