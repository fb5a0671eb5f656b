import type { FastifyInstance } from 'fastify';
import { clientGone } from '../client-gone.ts';
import type { ServerContext } from '../context.ts';
import { bucketSecondsOf, groupsOf, type SelectionParameters, selectionOf } from '../questions.ts';
import { FAILURES } from '../schemas/common.ts';
import { RedAnswerSchema, RedQuerySchema } from '../schemas/red.ts';
import { redGroup } from '../wording.ts';

const ROWS = 1000;

interface RedParameters extends SelectionParameters {
  readonly by?: string;
  readonly bucket?: string;
  readonly limit?: number;
}

export function addRedRoute(app: FastifyInstance, { store, questions, nowUs }: ServerContext): void {
  app.get<{ Querystring: RedParameters }>(
    '/api/v1/red',
    {
      config: { access: 'reader' },
      schema: {
        operationId: 'red',
        tags: ['exchanges'],
        security: [{ reader: [] }],
        summary: 'Rate, errors and durations of groups',
        querystring: RedQuerySchema,
        response: { 200: RedAnswerSchema, ...FAILURES },
      },
    },
    async (request, reply) => {
      const { by, bucket, limit = ROWS } = request.query;
      const query = {
        ...selectionOf(request.query, nowUs()),
        by: groupsOf(by),
        bucketSeconds: bucketSecondsOf(bucket),
        limit,
      };
      const rows = await questions.run(() => store.red(query, clientGone(reply)));
      return { by: query.by, bucket_s: query.bucketSeconds, groups: rows.map(redGroup) };
    },
  );
}
