// What Wirelens saw beside what the server logged.

/** Sentences; none when each request of the log is there once, and nothing else. */
export function differences(exchanges, log, { bytes = true, ports = true } = {}) {
  const problems = [];
  const logged = new Map();
  for (const one of log) {
    const [method, target] = one.request.split(' ');
    const key = `${method} ${target}`;
    if (logged.has(key)) problems.push(`twice in the server's log, so the check is wrong: ${key}`);
    logged.set(key, one);
  }
  const seen = new Set();
  for (const one of exchanges) {
    const key = `${one.method} ${one.target}`;
    const oracle = logged.get(key);
    if (seen.has(key)) problems.push(`more than once: ${key}`);
    else if (oracle === undefined) problems.push(`not in the server's log: ${key} ${one.outcome}`);
    else problems.push(...unlike(one, oracle, bytes, ports).map((what) => `${key}: ${what}`));
    seen.add(key);
  }
  const absent = [...logged.keys()].filter((key) => !seen.has(key));
  if (absent.length > 0)
    problems.unshift(
      `${absent.length} of ${log.length} are missing, such as ${absent.slice(0, 3).join(', ')}`,
    );
  if (problems.length === 0) problems.push(...outOfOrder(exchanges));
  return problems;
}

function unlike(one, oracle, bytes, ports) {
  const pairs = [
    ['outcome', one.outcome, 'complete'],
    ['pairing', one.pairing, 'exact'],
    ['status', one.status, oracle.status],
    ['position', one.position, oracle.position],
  ];
  if (ports) pairs.push(['client port', Number(one.client.split(':').at(-1)), oracle.clientPort]);
  if (bytes) {
    pairs.push(['body bytes', one.response?.body_bytes, oracle.bodyBytes]);
    const requestBytes = (one.request?.header_bytes ?? 0) + (one.request?.body_bytes ?? 0);
    pairs.push(['request bytes', requestBytes, oracle.requestBytes]);
  }
  return pairs
    .filter(([, is, should]) => is !== should)
    .map(([name, is, should]) => `${name} is ${is}, the server says ${should}`);
}

/** Exchanges of one connection come out in the order of their positions. */
function outOfOrder(exchanges) {
  const last = new Map();
  const problems = [];
  for (const { connection, position, target } of exchanges) {
    if (position <= (last.get(connection) ?? 0))
      problems.push(`connection ${connection}: ${target}, position ${position}, comes too late`);
    last.set(connection, position);
  }
  return problems;
}

/** Sentences about how the capture ended, `code` being that of its process. */
export function badEnd({ code, signal, stderr }) {
  if (code === 0) return [];
  const lines = stderr.trim().split('\n');
  const told = lines.findIndex((line) => /error/i.test(line));
  return [
    `it ended with ${code ?? signal}: ${lines
      .slice(told < 0 ? -4 : told)
      .slice(0, 6)
      .join(' | ')}`,
  ];
}

/**
 * Sentences about exchanges that were not seen on just these interfaces: the request passes them in this order, the
 * response in the opposite one.
 */
export function otherWay(exchanges, path) {
  const times = ({ sightings }, key) => {
    const known = new Map();
    // A rewritten direction may be a place of its own, so one interface may come twice, with null in between.
    for (const one of sightings)
      if (one[key] !== null)
        known.set(one.interface, Math.min(one[key], known.get(one.interface) ?? Number.POSITIVE_INFINITY));
    return known;
  };
  const ascending = (list) => list.every((value, index) => index === 0 || value >= list[index - 1]);
  const wrong = exchanges.filter((one) => {
    const [request, response] = [times(one, 'request_ms'), times(one, 'response_ms')];
    if (request.size !== path.length || path.some((name) => !request.has(name))) return true;
    const backwards = path.toReversed().map((name) => response.get(name));
    return !ascending(path.map((name) => request.get(name))) || !ascending(backwards);
  });
  if (wrong.length === 0) return [];
  return [`${wrong.length} did not pass ${path.join(', ')}, such as ${JSON.stringify(wrong[0].sightings)}`];
}
