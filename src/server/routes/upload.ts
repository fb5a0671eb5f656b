import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { BatchNumber, BatchOrigin, RowBatch } from '../../model/row-batch.ts';
import { BATCH_TYPE, LINES_TYPE, TRANSFER_LIMITS } from '../../transfer/batch-columns.ts';
import { decodeBatch } from '../../transfer/decode-batch.ts';
import { decodeLightObs } from '../../transfer/decode-lightobs.ts';
import { decodeLines } from '../../transfer/decode-lines.ts';
import { gunzipLimited } from '../../transfer/gunzip-limited.ts';
import { AnswerError } from '../answer-error.ts';
import type { ServerContext } from '../context.ts';
import { failureOf } from '../failures.ts';
import { parseJson } from '../read-body.ts';
import { FAILURES, failure } from '../schemas/common.ts';
import {
  AppendedSchema,
  BatchSchema,
  LightObsSchema,
  StreamKeySchema,
  StreamStateSchema,
  UploadHeadersSchema,
} from '../schemas/upload.ts';
import { batchNumberOf, originOf } from '../upload-headers.ts';

type Form = 'batch' | 'lines' | 'lightobs';

/** What agents send, and what they ask about it. */
export function addUploadRoutes(app: FastifyInstance, context: ServerContext): void {
  const { store, metrics, limits, gate } = context;
  app.post(
    '/api/v1/upload',
    {
      config: {
        access: 'agent',
        rawBody: true,
        bodyBytes: limits.uploadBytes,
        // Bodies are checked by the decoders, which read each value once; the schemas say what those take.
        documentedBody: {
          content: {
            [BATCH_TYPE]: { schema: BatchSchema },
            [LINES_TYPE]: {
              schema: { type: 'string', description: 'one JSON record a line: docs/json-record.md' },
            },
            'application/json': { schema: LightObsSchema },
          },
        },
      },
      onRequest: async (request, reply) => {
        const hold = gate.enter();
        request.hold = hold;
        reply.raw.once('close', () => hold.release());
      },
      schema: {
        operationId: 'upload',
        tags: ['agents'],
        security: [{ agent: [] }],
        summary: 'Store exchanges',
        description:
          'A batch in columns, NDJSON as `wirelens analyze --format json` writes it, or one object of a LightObs agent. Answered when the exchanges are durable. With a stream and a number a repeated batch is acknowledged and not stored twice. Content-Encoding: gzip or none.',
        headers: UploadHeadersSchema,
        response: {
          200: AppendedSchema,
          204: { type: 'null', description: 'A LightObs object is durable' },
          ...FAILURES,
          413: failure('Too large, as sent or decompressed'),
          415: failure('A content type or coding that is not understood'),
        },
      },
    },
    async (request, reply) => {
      const form = formOf(request);
      try {
        const batch = await decode(request, form);
        const number = batchNumberOf(request.headers);
        const answer = await append(request, form, batch, number);
        metrics.uploads.add(1, form, answer.repeated ? 'repeated' : 'stored');
        if (form === 'lightobs') return await reply.code(204).send();
        return answer;
      } catch (error) {
        metrics.uploads.add(1, form, failureOf(error).status === 503 ? 'put-off' : 'refused');
        throw error;
      }
    },
  );

  async function decode(request: FastifyRequest, form: Form): Promise<RowBatch> {
    const body = await plainBody(request);
    const bounds = { rows: TRANSFER_LIMITS.rows, bodyBytes: limits.uploadPlainBytes };
    if (form === 'batch') return decodeBatch(body, bounds);
    if (form === 'lines') return decodeLines(body, bounds);
    return decodeLightObs(parseJson(body), context.nowUs());
  }

  async function append(request: FastifyRequest, form: Form, batch: RowBatch, number: BatchNumber | null) {
    const origin: BatchOrigin = originOf(request.headers, form);
    const appended = await store.append(batch, origin, number);
    metrics.stored.add(appended.stored, 'exchange');
    metrics.stored.add(appended.joined, 'observation');
    metrics.stored.add(appended.repeatedRows, 'repeated');
    return {
      stored: appended.stored,
      joined: appended.joined,
      repeated_rows: appended.repeatedRows,
      repeated: appended.repeated,
    };
  }

  async function plainBody(request: FastifyRequest): Promise<Uint8Array> {
    const body = request.body as Buffer;
    metrics.uploadBytes.add(body.length);
    const coding = request.headers['content-encoding'] ?? 'identity';
    if (coding === 'identity') return body;
    const plain = await gunzipLimited(body, limits.uploadPlainBytes);
    request.hold?.grow(plain.length);
    return plain;
  }

  app.get<{ Params: { stream: string } }>(
    '/api/v1/upload/streams/:stream',
    {
      config: { access: 'agent' },
      schema: {
        operationId: 'stream',
        tags: ['agents'],
        security: [{ agent: [] }],
        summary: 'Which batches of a stream are stored',
        params: StreamKeySchema,
        response: { 200: StreamStateSchema, ...FAILURES },
      },
    },
    async (request) => store.stream(request.params.stream),
  );
}

function formOf(request: FastifyRequest): Form {
  const type = (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  if (!Buffer.isBuffer(request.body))
    throw new AnswerError(415, 'unsupported-content-type', 'the body has no content type', {
      hint: `send ${BATCH_TYPE}, ${LINES_TYPE} or application/json`,
    });
  return type === BATCH_TYPE ? 'batch' : type === LINES_TYPE ? 'lines' : 'lightobs';
}
