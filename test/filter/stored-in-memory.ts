import { sqlFunctions } from '../../src/filter/sql-functions.ts';
import type { Connection, Exchange } from '../../src/model/exchange.ts';
import type { RunClock } from '../../src/model/packet.ts';
import { Database } from '../../src/store/database.ts';
import { loadEngine } from '../../src/store/engine.ts';
import { finalRows } from '../../src/store/final-rows.ts';
import { Packer } from '../../src/store/packer.ts';
import { SqliteWriter } from '../../src/store/sqlite-writer.ts';

/**
 * The database that `analyze -o` would write, made by the same packer and writer but without thread and file, with
 * the functions of filters registered. The caller closes it.
 */
export async function storedInMemory(
  connections: readonly Connection[],
  exchanges: readonly Exchange[],
  clock: RunClock,
): Promise<Database> {
  const engine = await loadEngine();
  const writer = new SqliteWriter(engine);
  const packer = new Packer({ send: (batch) => writer.write(batch, batch.counts), take: () => null }, clock);
  for (const exchange of exchanges) packer.exchange(exchange);
  for (const connection of connections) packer.connection(connection);
  packer.flush();
  const part = { version: '0', clock, part: 1, moreFollow: true, keptHeaders: null };
  const database = new Database(engine, writer.finish(finalRows(part, null)));
  database.register(sqlFunctions());
  return database;
}

/** Ids of the rows that a condition on the view `exchanges` selects, in order. */
export function selectedIds(
  database: Database,
  condition: string,
  parameters: readonly (string | number)[],
): number[] {
  const statement = database.prepare(`SELECT id FROM exchanges WHERE ${condition} ORDER BY id`);
  try {
    parameters.forEach((value, index) => {
      statement.bind(index + 1, value);
    });
    const ids: number[] = [];
    while (statement.step()) ids.push(Number(statement.row()[0]));
    return ids;
  } finally {
    statement.finalize();
  }
}
