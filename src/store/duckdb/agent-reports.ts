import type { DuckDBConnection } from '@duckdb/node-api';
import type { AgentFacts, AgentReport } from '../exchange-store.ts';
import { readRows } from './row-reading.ts';
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

/** In the order of their names. */
export async function readAgents(connection: DuckDBConnection): Promise<AgentFacts[]> {
  const { rows } = await readRows(
    connection,
    `SELECT a.*, coalesce(s.stored, 0) FROM store.agent_reports a
     LEFT JOIN (SELECT agent, count(*) AS stored FROM store.exchange_rows GROUP BY agent) s ON s.agent = a.agent ORDER BY a.agent`,
  );
  return rows.map((row) => {
    const text = (index: number): string | null => row[index] as string | null;
    const number = (index: number): number => row[index] as number;
    return {
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
      firstSeenUs: number(17),
      lastSeenUs: number(18),
      stored: number(19),
    };
  });
}
