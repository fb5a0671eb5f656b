import type { Exchange } from '../model/exchange.ts';
import { totalNs } from '../model/phases.ts';
import { formatDuration } from '../report/units.ts';

const LONGEST_TARGET = 200;

/** `GET api.test/users/7 → 503 in 12.1 ms`. Not sanitised. */
export function exchangeWords(exchange: Exchange): string {
  const { request, response, ending } = exchange;
  const asked =
    request === null ? '(request unknown)' : `${request.method} ${place(request.host, request.target)}`;
  if (response === null) return `${asked} → no answer (${ending ?? 'unknown'})`;
  const total = totalNs(exchange);
  const took = total === null ? '' : ` in ${formatDuration(total)}`;
  return `${asked} → ${response.status ?? 'HTTP/0.9'}${took}`;
}

function place(host: string | null, target: string): string {
  const whole = target.startsWith('/') ? `${host ?? ''}${target}` : target;
  return whole.length <= LONGEST_TARGET ? whole : `${whole.slice(0, LONGEST_TARGET)}…`;
}
