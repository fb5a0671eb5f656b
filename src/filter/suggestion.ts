/** Which of the known names was probably meant. */

/** Longer words are no misspelt names; comparing them would only cost time. */
const LONGEST_WORD = 40;

/**
 * Edits (insert, remove, replace, swap neighbours) from one word to another: optimal string alignment distance.
 * Cost: the product of the lengths.
 */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let at = 1; at <= to.length; at += 1) {
      const same = from[row - 1] === to[at - 1];
      let cost = Math.min(last[at] + 1, current[at - 1] + 1, last[at - 1] + (same ? 0 : 1));
      const swapped = row > 1 && at > 1 && from[row - 1] === to[at - 2] && from[row - 2] === to[at - 1];
      if (swapped) cost = Math.min(cost, beforeLast[at - 2] + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length];
}

/** The nearest of `names` with at most a third of its letters wrong; undefined: none is near. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  if (word.length > LONGEST_WORD) return undefined;
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const distance = editDistance(wanted, name.toLowerCase());
    if (distance < bestDistance && distance <= Math.max(1, Math.floor(name.length / 3))) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** What people who know other tools may write, and how it is called here. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  code: 'status',
  status_code: 'status',
  'response.status': 'status',
  'response.code': 'status',
  'http.response.code': 'status',
  'request.method': 'method',
  'http.request.method': 'method',
  verb: 'method',
  url: 'target',
  uri: 'target',
  'http.request.uri': 'target',
  'http.host': 'host',
  server_name: 'host',
  'ip.src': 'client',
  'ip.dst': 'server',
  ip: 'client',
  src: 'client',
  source: 'client',
  dst: 'server',
  destination: 'server',
  port: 'server.port',
  duration: 'total',
  latency: 'total',
  time_ms: 'total',
  total_ms: 'total',
  wait_ms: 'wait',
  ttfb: 'wait',
  size: 'response.bytes',
  bytes: 'response.bytes',
  body_bytes: 'response.body_bytes',
  media_type: 'response.media_type',
  content_type: 'response.media_type',
  'content-type': 'response.media_type',
  mime: 'response.media_type',
  agent: 'user_agent',
  ua: 'user_agent',
  anomalies: 'anomaly',
  headers: 'header["…"]',
  failed: 'error',
  errors: 'error',
  start: 'time',
  started: 'time',
  timestamp: 'time',
  http_version: 'version',
  retransmissions: 'tcp.retransmissions',
};

/** The field that someone may have meant by `word`; undefined: no idea. */
export function suggestField(word: string, names: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  if (names.includes(lower)) return lower;
  return Object.hasOwn(OTHER_NAMES, lower) ? OTHER_NAMES[lower] : nearest(word, names);
}
