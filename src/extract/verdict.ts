import type { Exchange, Message } from '../model/exchange.ts';
import { phasesOf } from '../model/phases.ts';
import { requestText, statusText } from '../report/exchange-text.ts';
import { shorten } from '../report/terminal-text.ts';
import { formatBytes, formatDuration } from '../report/units.ts';
import { whyOdd } from '../report/why.ts';

/** Exchanges whose verdict is written into the file; further ones are extracted without. */
export const COMMENTED_EXCHANGES = 100_000;
/** Characters of a request line that a comment shows. */
const REQUEST_CHARS = 300;

/** Packet comments by capture and packet number. */
export class Verdicts {
  /** Exchanges beyond the limit. */
  left = 0;
  readonly #comments = new Map<string, string[]>();
  #exchanges = 0;

  /** Notes the verdict on the first packet of the request, and on that of the response. */
  add(exchange: Exchange): void {
    if (this.#exchanges >= COMMENTED_EXCHANGES) {
      this.left += 1;
      return;
    }
    this.#exchanges += 1;
    const { request, response } = exchange;
    if (request !== null) this.#note(request, verdict(exchange));
    if (response === null) return;
    const what = request === null ? verdict(exchange) : answer(exchange);
    this.#note(response, what);
  }

  /** Comments for a packet. */
  of(capture: number, packet: number): readonly string[] {
    return this.#comments.get(`${capture}:${packet}`) ?? [];
  }

  #note({ capture, packet }: Message, text: string): void {
    const key = `${capture}:${packet}`;
    const before = this.#comments.get(key);
    if (before === undefined) this.#comments.set(key, [text]);
    else before.push(text);
  }
}

/** `wirelens exchange 17: GET shop.test/cart -> 200, connect 1.00 ms, wait 12.3 ms, total 13.1 ms, pairing exact` */
export function verdict(exchange: Exchange): string {
  const { connectNs, sendNs, waitNs, receiveNs, totalNs } = phasesOf(exchange);
  const phases: [string, number | null][] = [
    ['connect', connectNs],
    ['send', sendNs],
    ['wait', waitNs],
    ['receive', receiveNs],
    ['total', totalNs],
  ];
  const shown = phases.flatMap(([name, ns]) => (ns === null ? [] : [`${name} ${formatDuration(ns)}`]));
  const parts = [`${shorten(requestText(exchange), REQUEST_CHARS)} -> ${result(exchange)}`, ...shown];
  parts.push(`pairing ${exchange.pairing}`);
  const odd = whyOdd(exchange, null);
  if (odd !== null) parts.push(odd);
  if (exchange.anomalies.length > 0) parts.push(`anomalies: ${exchange.anomalies.join(' ')}`);
  return `wirelens exchange ${exchange.id}: ${parts.join(', ')}`;
}

function result(exchange: Exchange): string {
  if (exchange.response === null) return exchange.ending ?? 'no answer';
  return exchange.outcome === 'complete'
    ? statusText(exchange)
    : `${statusText(exchange)} (${exchange.outcome})`;
}

function answer(exchange: Exchange): string {
  const bytes = exchange.response === null ? 0 : exchange.response.bodyBytes;
  const request = shorten(requestText(exchange), REQUEST_CHARS);
  return `wirelens exchange ${exchange.id}: answer ${result(exchange)} to ${request}, body ${formatBytes(bytes)}`;
}
