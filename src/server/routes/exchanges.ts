import type { FastifyInstance } from 'fastify';
import type { Sort } from '../../store/exchange-store.ts';
import { AnswerError } from '../answer-error.ts';
import { clientGone } from '../client-gone.ts';
import type { ServerContext } from '../context.ts';
import { columnsOf, type SelectionParameters, selectionOf } from '../questions.ts';
import { FAILURES, failure } from '../schemas/common.ts';
import { DetailSchema, KeySchema, ListAnswerSchema, ListQuerySchema } from '../schemas/exchange.ts';
import { detailAnswer } from '../wording.ts';

const PAGE = 100;

interface ListParameters extends SelectionParameters {
  readonly sort?: Sort;
  readonly order?: 'asc' | 'desc';
  readonly limit?: number;
  readonly cursor?: string;
  readonly after_id?: number;
  readonly columns?: string;
}

export function addExchangeRoutes(app: FastifyInstance, { store, questions, nowUs }: ServerContext): void {
  app.get<{ Querystring: ListParameters }>(
    '/api/v1/exchanges',
    {
      config: { access: 'reader' },
      schema: {
        operationId: 'exchanges',
        tags: ['exchanges'],
        security: [{ reader: [] }],
        summary: 'A page of exchanges',
        querystring: ListQuerySchema,
        response: { 200: ListAnswerSchema, ...FAILURES },
      },
    },
    async (request, reply) => {
      const { sort = 'started', order = 'desc', limit = PAGE, cursor, after_id } = request.query;
      const query = {
        ...selectionOf(request.query, nowUs()),
        sort,
        descending: order === 'desc',
        limit,
        cursor: cursor ?? null,
        afterId: after_id ?? null,
        columns: columnsOf(request.query.columns),
      };
      const page = await questions.run(() => store.list(query, clientGone(reply)));
      return { exchanges: page.rows, next: page.next, last_id: page.lastId };
    },
  );

  app.get<{ Params: { id: string } }>(
    '/api/v1/exchanges/:id',
    {
      config: { access: 'reader' },
      schema: {
        operationId: 'exchange',
        tags: ['exchanges'],
        security: [{ reader: [] }],
        summary: 'One exchange with everything that is known of it',
        params: KeySchema,
        response: { 200: DetailSchema, ...FAILURES, 404: failure('There is no such exchange') },
      },
    },
    async (request) => {
      const key = request.params.id.toLowerCase();
      const detail = await questions.run(() => store.get(key));
      if (detail === null)
        throw new AnswerError(404, 'not-found', 'there is no exchange of this id', {
          hint: 'it may have expired; GET /api/v1/exchanges lists what is there',
        });
      return detailAnswer(detail);
    },
  );
}
