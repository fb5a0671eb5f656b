import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { EXPOSITION_TYPE } from '../../metrics/exposition.ts';
import type { StoreFacts } from '../../store/exchange-store.ts';
import { busy } from '../answer-error.ts';
import type { ServerContext } from '../context.ts';
import { FAILURES, failure } from '../schemas/common.ts';

/** Time in ms that the store may take to say how it is. */
const FACTS_MS = 5000;

const HealthSchema = Type.Object({ status: Type.Literal('ok') }, { description: 'Fine' });
const MetricsSchema = {
  description: 'Prometheus text format',
  content: { 'text/plain': { schema: { type: 'string' } } },
};

export function addHealthRoutes(app: FastifyInstance, context: ServerContext): void {
  const { store, metrics, gate, feed, openMetrics } = context;
  app.get(
    '/healthz',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'healthz',
        tags: ['operation'],
        summary: 'The process answers',
        response: { 200: HealthSchema },
      },
    },
    async () => ({ status: 'ok' }),
  );

  app.get(
    '/readyz',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'readyz',
        tags: ['operation'],
        summary: 'The store answers, and the server is not stopping',
        response: { 200: HealthSchema, 503: failure('Not ready') },
      },
    },
    async () => {
      if (context.stopping) throw busy('stopping', 'the server is stopping', 1);
      if ((await factsSoon()) === null) throw busy('store', 'the store does not answer', 5);
      return { status: 'ok' };
    },
  );

  app.get(
    '/metrics',
    {
      config: { access: openMetrics ? 'open' : 'reader' },
      schema: {
        operationId: 'metrics',
        tags: ['operation'],
        security: openMetrics ? [] : [{ reader: [] }],
        summary: 'What the server counts',
        response: { 200: MetricsSchema, 401: FAILURES[401], 403: FAILURES[403] },
      },
    },
    async (_request, reply) => {
      const facts = await factsSoon();
      const connections = await new Promise<number>((resolve) =>
        app.server.getConnections((error, count) => resolve(error === null ? count : 0)),
      );
      return reply
        .type(EXPOSITION_TYPE)
        .send(metrics.text({ connections, heldBytes: gate.heldBytes, streams: feed.streams, facts }));
    },
  );

  app.get(
    '/api/v1/openapi.json',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'openapi',
        tags: ['operation'],
        summary: 'This document',
        response: { 200: { description: 'OpenAPI 3.1', type: 'object', additionalProperties: true } },
      },
    },
    async () => app.swagger(),
  );

  async function factsSoon(): Promise<StoreFacts | null> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), FACTS_MS);
    });
    try {
      return await Promise.race([store.facts(), tooLate]);
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
    }
  }
}
