import type { FastifyInstance } from 'fastify';
import type { Selection } from '../../store/exchange-store.ts';
import { plainAddress } from '../address.ts';
import { AnswerError } from '../answer-error.ts';
import { clientGone } from '../client-gone.ts';
import type { ServerContext } from '../context.ts';
import { LIGHTOBS_COLUMNS, lightObsLimit, lightObsQuestion, lightObsRow } from '../lightobs.ts';
import { FAILURES } from '../schemas/common.ts';
import { LightObsAnswerSchema, LightObsQuerySchema } from '../schemas/lightobs.ts';

const EVERYTHING: Selection = {
  where: null,
  fromUs: null,
  toUs: null,
  address: null,
  agent: null,
  node: null,
};

export function addLightObsRoutes(app: FastifyInstance, { store, questions }: ServerContext): void {
  app.get<{ Querystring: Record<string, unknown> }>(
    '/api/v1/query',
    {
      config: { access: 'reader' },
      schema: {
        operationId: 'query',
        tags: ['exchanges'],
        security: [{ reader: [] }],
        summary: 'Exchanges of an address, as LightObs answers',
        querystring: LightObsQuerySchema,
        response: { 200: LightObsAnswerSchema, ...FAILURES },
      },
    },
    async (request, reply) => {
      const question = lightObsQuestion(request.query);
      if (question === null) throw new AnswerError(400, 'invalid-request', 'ip or pid is needed');
      if (question.by === 'pid') return [];
      const address = plainAddress(question.ip);
      if (address === null) throw new AnswerError(400, 'invalid-address', 'ip is not an IP address');
      const query = {
        ...EVERYTHING,
        address,
        sort: 'started' as const,
        descending: true,
        limit: lightObsLimit(request.query.limit),
        cursor: null,
        afterId: null,
        columns: LIGHTOBS_COLUMNS,
      };
      const page = await questions.run(() => store.list(query, clientGone(reply)));
      return page.rows.map(lightObsRow);
    },
  );
}
