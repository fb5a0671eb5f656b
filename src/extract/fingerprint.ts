import type { Exchange, Message } from '../model/exchange.ts';
import { connectNs } from '../model/phases.ts';

/**
 * All of an exchange that must be the same when the extracted packets are analysed again, as one number: everything
 * but ids, packet numbers, the position on the connection, and `mid-stream`, which says no more than that the
 * packets before were left out.
 */
export function fingerprint(exchange: Exchange): number {
  const { client, server, request, response, interim, pairing, outcome, ending, tcp } = exchange;
  return hash(
    JSON.stringify([
      client.text,
      server.text,
      request === null ? null : [request.method, request.target, request.host, request.userAgent],
      request === null ? null : message(request),
      response === null ? null : [response.status, response.reason],
      response === null ? null : message(response),
      interim.map(({ status, timeNs }) => [status, timeNs]),
      connectNs(exchange),
      pairing,
      outcome,
      ending,
      exchange.anomalies.filter((anomaly) => anomaly !== 'mid-stream').sort(),
      tcp,
    ]),
  );
}

function message(one: Message): unknown[] {
  const { version, firstByteNs, lastByteNs, headerBytes, bodyBytes, lostBytes, mediaType, headers } = one;
  return [version, firstByteNs, lastByteNs, headerBytes, bodyBytes, lostBytes, mediaType, headers];
}

/** 53 bits of a text (cyrb53, public domain): no promise against people who look for collisions. */
function hash(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}

/** A bag of fingerprints in constant space: equal bags have equal sums, other bags hardly ever do. */
export class FingerprintSum {
  count = 0;
  #sum = 0;

  add(print: number): void {
    this.count += 1;
    this.#sum = (this.#sum + print) % Number.MAX_SAFE_INTEGER;
  }

  equals(other: FingerprintSum): boolean {
    return this.count === other.count && this.#sum === other.#sum;
  }
}
