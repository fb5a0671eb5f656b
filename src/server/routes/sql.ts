import type { FastifyInstance } from 'fastify';
import { AnswerError } from '../answer-error.ts';
import { clientGone } from '../client-gone.ts';
import type { ServerContext } from '../context.ts';
import { FAILURES } from '../schemas/common.ts';
import { SqlAnswerSchema, sqlRequestSchema } from '../schemas/sql.ts';

/** The bound that the document shows where SQL is switched off. */
const ROWS_SHOWN = 10_000;

export function addSqlRoute(app: FastifyInstance, { store, sql: limits, statements }: ServerContext): void {
  app.post<{ Body: { sql: string; limit?: number } }>(
    '/api/v1/sql',
    {
      config: { access: 'reader' },
      schema: {
        operationId: 'sql',
        tags: ['exchanges'],
        security: [{ reader: [] }],
        summary: 'One SELECT over the exchanges',
        description:
          'Read-only SQL of DuckDB over exchanges, anomalies, observations, agents: one statement, no files, no network, no settings, bounded in rows, time and memory. It ends when the client goes away.',
        body: sqlRequestSchema(limits?.rows ?? ROWS_SHOWN),
        response: { 200: SqlAnswerSchema, ...FAILURES },
      },
    },
    async (request, reply) => {
      if (limits === null) throw new AnswerError(403, 'sql-off', 'SQL is switched off on this server');
      const { sql, limit = limits.rows } = request.body;
      const bounds = { rows: limit, milliseconds: limits.milliseconds };
      return statements.run(() => store.sql(sql, bounds, clientGone(reply)));
    },
  );
}
