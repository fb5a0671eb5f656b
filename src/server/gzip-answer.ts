import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';

const gzipAsync = promisify(gzip);
/** Smaller answers fit into a packet anyway. */
const SMALLEST_BYTES = 1400;
const LEVEL = { level: constants.Z_BEST_SPEED };

/** Compresses an answer when the client asked for it and it pays; in the thread pool. */
export async function gzipAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return payload;
  if (payload.length < SMALLEST_BYTES || reply.hasHeader('content-encoding')) return payload;
  void reply.header('vary', 'accept-encoding');
  if (!acceptsGzip(request.headers['accept-encoding'])) return payload;
  const packed = await gzipAsync(payload, LEVEL);
  void reply.header('content-encoding', 'gzip');
  void reply.removeHeader('content-length');
  return packed;
}

/** RFC 9110 §12.5.3: named, or covered by `*`, and not with q=0. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  let star = false;
  for (const part of String(header ?? '')
    .slice(0, 1000)
    .split(',')) {
    const [coding, ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    if (coding === 'gzip' || coding === 'x-gzip') return !refused;
    if (coding === '*') star = !refused;
  }
  return star;
}
