import type { FastifyInstance } from 'fastify';
import { parseMoment } from '../../model/moment.ts';
import { AnswerError } from '../answer-error.ts';
import type { ServerContext } from '../context.ts';
import { AgentKeySchema, AgentReportSchema, AgentsSchema } from '../schemas/agent.ts';
import { FAILURES } from '../schemas/common.ts';
import { type AgentReportBody, agentAnswer, agentReport } from '../wording.ts';

export function addAgentRoutes(app: FastifyInstance, { store, questions, nowUs }: ServerContext): void {
  app.put<{ Params: { agent: string }; Body: AgentReportBody }>(
    '/api/v1/agents/:agent',
    {
      config: { access: 'agent' },
      schema: {
        operationId: 'report',
        tags: ['agents'],
        security: [{ agent: [] }],
        summary: 'The report of an agent',
        params: AgentKeySchema,
        body: AgentReportSchema,
        response: { 204: { type: 'null', description: 'Kept' }, ...FAILURES },
      },
    },
    async (request, reply) => {
      const { agent } = request.params;
      const { body } = request;
      if (body.agent !== undefined && body.agent !== agent)
        throw new AnswerError(400, 'other-agent', 'the report is of another agent than the path');
      // Relative times mean nothing in a report.
      const startedUs = body.started.includes('T') ? parseMoment(body.started, 0) : null;
      if (startedUs === null)
        throw new AnswerError(400, 'invalid-time', "field 'started' must be a time as RFC 3339 has it");
      await store.report(agentReport(agent, startedUs, body), nowUs());
      return reply.code(204).send();
    },
  );

  app.get(
    '/api/v1/agents',
    {
      config: { access: 'reader' },
      schema: {
        operationId: 'agents',
        tags: ['exchanges'],
        security: [{ reader: [] }],
        summary: 'Who reports or uploads',
        querystring: { type: 'object', properties: {}, additionalProperties: false },
        response: { 200: AgentsSchema, ...FAILURES },
      },
    },
    async () => {
      const agents = await questions.run(() => store.agents());
      return { agents: agents.map(agentAnswer) };
    },
  );
}
