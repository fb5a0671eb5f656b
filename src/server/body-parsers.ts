import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BATCH_TYPE, LINES_TYPE } from '../transfer/batch-columns.ts';
import { AnswerError } from './answer-error.ts';
import type { ServerContext } from './context.ts';
import { parseJson, readBody } from './read-body.ts';

/** The types of bodies that are understood; JSON everywhere, the others by uploads only. */
export function addBodyParsers(app: FastifyInstance, context: ServerContext): void {
  app.removeAllContentTypeParsers();
  for (const type of ['application/json', BATCH_TYPE, LINES_TYPE]) {
    app.addContentTypeParser(type, async (request: FastifyRequest, payload: NodeJS.ReadableStream) => {
      const { rawBody = false, bodyBytes = context.limits.bodyBytes } = request.routeOptions.config;
      if (!rawBody && type !== 'application/json') throw unsupported(type);
      if (!rawBody) onlyPlain(request);
      const announced = request.headers['content-length'];
      const body = await readBody(payload as never, {
        announcedBytes: announced === undefined ? null : Number(announced),
        maxBytes: bodyBytes,
        hold: request.hold,
      });
      return rawBody ? body : parseJson(body);
    });
  }
}

function onlyPlain({ headers }: FastifyRequest): void {
  const coding = headers['content-encoding'] ?? 'identity';
  if (coding !== 'identity')
    throw new AnswerError(415, 'unsupported-encoding', 'only uploads may be compressed');
}

function unsupported(type: string): AnswerError {
  return new AnswerError(415, 'unsupported-content-type', `${type} is for uploads; JSON is wanted here`);
}
