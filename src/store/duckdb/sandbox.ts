import { type DuckDBConnection, type DuckDBResult, StatementType } from '@duckdb/node-api';
import { UserError } from '../../model/errors.ts';
import type { SqlAnswer, SqlLimits } from '../exchange-store.ts';
import { isDamage, isDiskFull, isOutOfMemory, messageOf } from './failure.ts';
import { readRows } from './row-reading.ts';
import { checkSql, refused } from './sandbox-check.ts';
import { answerCell, textBytes } from './sandbox-values.ts';
import { sqlMistake } from './sql-mistake.ts';
import { STORE_LIMITS } from './store-limits.ts';

/** How often it is looked at how large the process is. */
const WATCH_MS = 20;

export interface SandboxOptions {
  /** What DuckDB may use. */
  readonly memoryBytes: number;
  /** Left out of messages. */
  readonly directory: string;
}

const EXPLAIN = /^\s*explain\s+(?!\()(.*)$/is;

/**
 * Runs SQL of people on a connection of its own, which is closed afterwards. Rejects with UserError for whatever is not
 * let through, and for what takes too long or too much memory.
 */
export async function runSandboxed(
  connection: DuckDBConnection,
  text: string,
  limits: SqlLimits,
  options: SandboxOptions,
): Promise<SqlAnswer> {
  const began = performance.now();
  await checkText(connection, text, options);
  const guard = await Guard.begin(connection, limits, options);
  try {
    await connection.run('BEGIN TRANSACTION READ ONLY');
    try {
      const statements = await connection.extractStatements(text);
      if (statements.count !== 1) throw refused('write one statement');
      const prepared = await statements.prepare(0);
      const type = prepared.statementType;
      if (type !== StatementType.SELECT && !(type === StatementType.EXPLAIN && EXPLAIN.test(text)))
        throw refused('only SELECT is possible here');
      const result = await prepared.stream();
      return { ...(await readAnswer(result, limits, guard)), milliseconds: performance.now() - began };
    } finally {
      await connection.run('ROLLBACK').catch(() => {});
    }
  } catch (error) {
    throw guard.explain(error);
  } finally {
    guard.end();
  }
}

async function checkText(connection: DuckDBConnection, text: string, options: SandboxOptions): Promise<void> {
  if (text.length > STORE_LIMITS.sqlCharacters)
    throw refused(`the SQL is longer than ${STORE_LIMITS.sqlCharacters} characters`);
  if (text.includes('\0')) throw refused('the SQL holds a NUL character');
  const explained = EXPLAIN.exec(text);
  const select = explained === null ? text : explained[1];
  let serialized: string;
  let names: ReadonlySet<string>;
  try {
    // The function wants a constant.
    const { rows } = await readRows(
      connection,
      `SELECT json_serialize_sql('${select.replaceAll("'", "''")}')`,
    );
    serialized = String(rows[0][0]);
    names = await takenNames(connection);
  } catch (error) {
    throw sqlMistake(messageOf(error), options.directory, error);
  }
  checkSql(serialized, names, select);
}

async function takenNames(connection: DuckDBConnection): Promise<ReadonlySet<string>> {
  const { rows } = await readRows(
    connection,
    'SELECT lower(view_name) FROM duckdb_views() UNION SELECT lower(table_name) FROM duckdb_tables()',
  );
  return new Set(rows.map(([name]) => String(name)));
}

async function readAnswer(
  result: DuckDBResult,
  limits: SqlLimits,
  guard: Guard,
): Promise<Omit<SqlAnswer, 'milliseconds'>> {
  if (result.columnCount > STORE_LIMITS.sqlColumns)
    throw refused(
      `the answer would have ${result.columnCount} columns, and ${STORE_LIMITS.sqlColumns} are possible`,
    );
  const columns = result
    .columnNames()
    .map((name, index) => ({ name, type: result.columnType(index).toString() }));
  const rows: ReturnType<typeof answerCell>[][] = [];
  let bytes = 0;
  for (;;) {
    guard.check();
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return { columns, rows, truncated: false };
    bytes += textBytes(chunk);
    if (bytes > STORE_LIMITS.sqlAnswerBytes)
      throw new UserError('sql-too-large', `the answer is larger than ${STORE_LIMITS.sqlAnswerBytes} bytes`, {
        hint: 'ask for fewer rows or columns',
      });
    const values = columns.map((_, index) => chunk.getColumnValues(index));
    for (let row = 0; row < chunk.rowCount; row += 1) {
      if (rows.length === limits.rows) return { columns, rows, truncated: true };
      rows.push(values.map((column) => answerCell(column[row])));
    }
  }
}

/** Ends the query when its time is over or the process grows too much. */
class Guard {
  readonly #connection: DuckDBConnection;
  readonly #limits: SqlLimits;
  readonly #options: SandboxOptions;
  readonly #timers: NodeJS.Timeout[] = [];
  #stopped: 'time' | 'memory' | null = null;

  private constructor(connection: DuckDBConnection, limits: SqlLimits, options: SandboxOptions) {
    this.#connection = connection;
    this.#limits = limits;
    this.#options = options;
  }

  static async begin(
    connection: DuckDBConnection,
    limits: SqlLimits,
    options: SandboxOptions,
  ): Promise<Guard> {
    const guard = new Guard(connection, limits, options);
    const { rows } = await readRows(connection, 'SELECT sum(memory_usage_bytes) FROM duckdb_memory()');
    const unused = Math.max(0, options.memoryBytes - Number(rows[0][0] ?? 0));
    const most = process.memoryUsage.rss() + unused + STORE_LIMITS.sqlGrowthBytes;
    guard.#timers.push(
      setTimeout(() => guard.#stop('time'), limits.milliseconds),
      setInterval(() => {
        if (process.memoryUsage.rss() > most) guard.#stop('memory');
        // An interrupt that comes between two steps of a query is lost.
        else if (guard.#stopped !== null) guard.#connection.interrupt();
      }, WATCH_MS),
    );
    return guard;
  }

  #stop(reason: 'time' | 'memory'): void {
    this.#stopped ??= reason;
    this.#connection.interrupt();
  }

  check(): void {
    if (this.#stopped !== null) throw new Error('INTERRUPT');
  }

  explain(error: unknown): unknown {
    if (this.#stopped === 'time')
      return new UserError('sql-timeout', `the query took longer than ${this.#limits.milliseconds} ms`, {
        hint: 'ask for a shorter time: WHERE started_us >= …',
      });
    if (this.#stopped === 'memory' || isOutOfMemory(error) || isDiskFull(error))
      return new UserError('sql-memory', 'the query needs more memory than it may have', {
        hint: 'ask for a shorter time or fewer groups',
      });
    if (error instanceof UserError || isDamage(error)) return error;
    return sqlMistake(messageOf(error), this.#options.directory, error);
  }

  end(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
