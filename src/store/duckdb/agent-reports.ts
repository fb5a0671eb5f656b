import type { DuckDBConnection } from '@duckdb/node-api';
import type { AgentFacts, AgentReport } from '../exchange-store.ts';
import type { AgentDirectory } from './agent-rows.ts';
import { type Cell, readRows } from './row-reading.ts';
import type { StoreLog } from './store-event.ts';
import { STORE_LIMITS } from './store-limits.ts';

/** Keeps the last report of each agent. On the connection that writes, while no transaction is open on it. */
export async function writeReport(
  connection: DuckDBConnection,
  report: AgentReport,
  receivedUs: number,
  log: StoreLog,
): Promise<void> {
  const known = await readRows(
    connection,
    'SELECT first_seen_us, last_seen_us FROM store.agent_reports WHERE agent = ?',
    [report.agent],
  );
  const [firstSeenUs, lastSeenUs] = (known.rows[0] ?? [receivedUs, receivedUs]) as [number, number];
  await connection.run('BEGIN');
  try {
    await connection.run('DELETE FROM store.agent_reports WHERE agent = ?', [report.agent]);
    const { rows } = await readRows(connection, 'SELECT count(*) FROM store.agent_reports');
    if (Number(rows[0][0]) >= STORE_LIMITS.agents) {
      await connection.run(
        'DELETE FROM store.agent_reports WHERE rowid = (SELECT rowid FROM store.agent_reports ORDER BY last_seen_us LIMIT 1)',
      );
      log({
        level: 'warn',
        code: 'agent-forgotten',
        message: `more than ${STORE_LIMITS.agents} agents: the one that was silent longest is forgotten`,
      });
    }
    const whole = (value: number): bigint => BigInt(Math.trunc(value));
    await connection.run(
      `INSERT INTO store.agent_reports VALUES (${Array.from({ length: 19 }, () => '?').join(', ')})`,
      [
        report.agent,
        report.node,
        report.pod,
        report.namespace,
        report.version,
        whole(report.startedUs),
        JSON.stringify(report.interfaces),
        whole(report.packets),
        whole(report.packetsDropped),
        whole(report.exchanges),
        whole(report.exchangesSent),
        whole(report.exchangesDropped),
        whole(report.backlogBatches),
        whole(report.backlogBytes),
        whole(report.rssBytes),
        report.cpuSeconds,
        report.problem,
        whole(Math.min(firstSeenUs, receivedUs)),
        whole(Math.max(lastSeenUs, receivedUs)),
      ],
    );
    await connection.run('COMMIT');
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** Who reported and who sent rows that are stored, in the order of their names. */
export async function readAgents(
  connection: DuckDBConnection,
  directory: AgentDirectory,
): Promise<AgentFacts[]> {
  const { rows } = await readRows(connection, 'SELECT * FROM store.agent_reports');
  const agents = new Map<string, AgentFacts>();
  for (const row of rows) {
    const { report, firstSeenUs, lastSeenUs } = reported(row);
    const { agent, node, pod, namespace } = report;
    agents.set(agent, { agent, node, pod, namespace, report, firstSeenUs, lastSeenUs, stored: 0 });
  }
  for (const [agent, sent] of directory.entries()) {
    const known = agents.get(agent);
    const facts = known ?? { ...sent.origin, report: null, firstSeenUs: sent.firstSeenUs, lastSeenUs: 0 };
    agents.set(agent, {
      ...facts,
      firstSeenUs: Math.min(facts.firstSeenUs, sent.firstSeenUs),
      lastSeenUs: Math.max(facts.lastSeenUs, sent.lastSeenUs),
      stored: sent.rows,
    });
  }
  return [...agents.values()].sort((one, other) => (one.agent < other.agent ? -1 : 1));
}

function reported(row: readonly Cell[]): {
  readonly report: AgentReport;
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
} {
  const text = (index: number): string | null => row[index] as string | null;
  const number = (index: number): number => row[index] as number;
  const report = {
    agent: String(row[0]),
    node: text(1),
    pod: text(2),
    namespace: text(3),
    version: String(row[4]),
    startedUs: number(5),
    interfaces: JSON.parse(String(row[6])) as string[],
    packets: number(7),
    packetsDropped: number(8),
    exchanges: number(9),
    exchangesSent: number(10),
    exchangesDropped: number(11),
    backlogBatches: number(12),
    backlogBytes: number(13),
    rssBytes: number(14),
    cpuSeconds: number(15),
    problem: text(16),
  };
  return { report, firstSeenUs: number(17), lastSeenUs: number(18) };
}
