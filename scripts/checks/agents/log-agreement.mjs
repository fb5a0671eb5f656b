// What the server says beside what nginx logged.

import { differences } from '../live/agreement.mjs';
import { until } from '../live/programs.mjs';

/** A row of the server in the form of a record of `capture`, as agreement.mjs compares them. */
function recordOf(row) {
  return {
    ...row,
    client: `${row.client}:${row.client_port}`,
    request: { header_bytes: row.request_header_bytes, body_bytes: row.request_body_bytes },
    response: { body_bytes: row.response_body_bytes },
    // Rows come in an order of the server's, so that order on a connection is not looked at.
    connection: row.id,
  };
}

/** Sentences; none when each request of the log is in the rows once, with what the log says of it, and nothing else is. */
export function rowDifferences(rows, log, compare) {
  return differences(rows.map(recordOf), log, compare);
}

/** Sentences; none when each target of the log is in the rows once. For rows that may lack a part of the truth. */
export function onceEach(rows, log) {
  const times = new Map(log.map(({ request }) => [request.split(' ')[1], 0]));
  const problems = [];
  for (const { target } of rows) {
    if (!times.has(target)) problems.push(`not in the server's log: ${target}`);
    times.set(target, (times.get(target) ?? 0) + 1);
  }
  const twice = [...times].filter(([, count]) => count > 1).map(([target]) => target);
  const absent = [...times].filter(([, count]) => count === 0).map(([target]) => target);
  const some = (what, list) =>
    list.length === 0
      ? []
      : [`${list.length} of ${log.length} ${what}, such as ${list.slice(0, 3).join(', ')}`];
  return [...problems, ...some('are missing', absent), ...some('are there more than once', twice)];
}

/**
 * `whole`: the rows but for what an agent that was started while requests were under way (one of `agents`) saw of them: an
 * answer without its request, which has no target and is an exchange of its own (docs/transfer.md). `problems`: a sentence
 * when there are more of these than `limit`, which is how many requests can have been under way.
 */
export function withoutHalves(rows, agents, limit) {
  const isHalf = ({ agent, outcome, target }) =>
    agents.includes(agent) && outcome === 'orphan-response' && target === null;
  const whole = rows.filter((row) => !isHalf(row));
  const halves = rows.length - whole.length;
  const problems =
    halves > limit ? [`${halves} answers without a request, and ${limit} can have been under way`] : [];
  return { whole, problems };
}

/** Waits until the server has `count` observations (rows of all agents together); resolves to how many there are. */
export async function settled(server, count, limitMs = 60_000) {
  let found = -1;
  try {
    await until(
      async () => {
        const { agents } = await server.json('/api/v1/agents');
        found = agents.reduce((sum, { stored }) => sum + stored, 0);
        return found >= count;
      },
      'arrival',
      limitMs,
    );
  } catch {
    // The comparison tells which are missing.
  }
  return found;
}

/** As many rows as one answer to SQL holds. */
const SQL_ROWS = 10_000;

/** What an agent observed, all of it: {id, agent, outcome, target} of each. */
export async function observationsOf(server, agent) {
  const rows = [];
  for (let last = 0, more = true; more; ) {
    const sql = `SELECT id, agent, outcome, target FROM observations WHERE agent = '${agent}' AND id > ${last} ORDER BY id LIMIT ${SQL_ROWS}`;
    const some = await server.rows('--sql', sql, '--limit', String(SQL_ROWS));
    rows.push(...some);
    last = some.at(-1)?.id;
    more = some.length === SQL_ROWS;
  }
  return rows;
}

/** A number by SQL. */
export async function count(server, sql) {
  const { rows } = await server.json('/api/v1/sql', {
    words: ['-H', 'Content-Type: application/json', '-d', JSON.stringify({ sql })],
  });
  return rows[0][0];
}
