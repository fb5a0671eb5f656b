import type { FastifyReply } from 'fastify';

/** Aborted when the client goes away before it has its answer, so that nobody works for nobody. */
export function clientGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const { raw } = reply;
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
