import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { AnswerError, busy } from '../answer-error.ts';
import type { ServerContext } from '../context.ts';
import { type SelectionParameters, selectionOf } from '../questions.ts';
import { FAILURES } from '../schemas/common.ts';
import { selection } from '../schemas/exchange.ts';

const QuerySchema = Type.Object(selection, { additionalProperties: false });
const HeadersSchema = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      pattern: '^[0-9]{1,16}$',
      description: 'id of the last event seen: what came after it is sent first',
    }),
  ),
});

export function addLiveRoute(app: FastifyInstance, context: ServerContext): void {
  const { feed, limits, nowUs } = context;
  app.get<{ Querystring: SelectionParameters; Headers: { 'last-event-id'?: string } }>(
    '/api/v1/live',
    {
      config: { access: 'reader' },
      schema: {
        operationId: 'live',
        tags: ['exchanges'],
        security: [{ reader: [] }],
        summary: 'Exchanges as they come, as server-sent events',
        description:
          'Event `exchange`: data is the exchange as JSON, id that of the row with which it arrived: its own, or a later observation that has what is asked for. A comment line every 15 s. The stream begins with an id without data: where it stands.',
        querystring: QuerySchema,
        headers: HeadersSchema,
        response: {
          200: { description: 'Events', content: { 'text/event-stream': { schema: { type: 'string' } } } },
          ...FAILURES,
        },
      },
    },
    async (request, reply) => {
      const wanted = selectionOf(request.query, nowUs());
      const last = request.headers['last-event-id'];
      const afterId = last === undefined ? null : Number(last);
      if (afterId !== null && !Number.isSafeInteger(afterId))
        throw new AnswerError(400, 'invalid-request', 'Last-Event-ID is not an id of this server');
      if (context.stopping) throw busy('stopping', 'the server is stopping', 1);
      if (feed.streams >= limits.streams)
        throw busy('busy', `${limits.streams} live streams are open already`, 10);
      reply.hijack();
      reply.raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        // Proxies that gather answers must not gather this one.
        'x-accel-buffering': 'no',
      });
      await feed.serve(reply.raw, wanted, afterId);
    },
  );
}
