import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type ApiDocument, ApiFuzz, send } from '../../test/server/api-fuzz.ts';
import {
  AGENT_TOKEN,
  BATCH_HEADERS,
  batchBody,
  exchangeRow,
  READER_TOKEN,
  runServer,
} from '../../test/server/run-server.ts';
import { openApiDocument } from './openapi-document.ts';

/** Each time with another seed, which fast-check prints with a failure. */
const RUNS = 50;
/** Until one is answered. */
const MORE_RUNS = 1000;

describe('requests made from the OpenAPI document', async () => {
  const server = await runServer();
  afterAll(() => server.running.close());
  // Answers that hold nothing would agree with every schema.
  await server.ask('POST', '/api/v1/upload', {
    headers: BATCH_HEADERS,
    body: batchBody([
      exchangeRow(),
      exchangeRow({
        status: null,
        reason: null,
        total_ms: null,
        uid: null,
        ending: 'reset-by-server',
        outcome: 'reset',
      }),
    ]),
  });
  const document = (await openApiDocument('0.1.0')) as unknown as ApiDocument;
  const fuzz = new ApiFuzz(document, { agent: AGENT_TOKEN, reader: READER_TOKEN });

  for (const name of fuzz.operations) {
    it(`${name} is answered as the document says, and never with 5xx`, async () => {
      const seen = new Set<number>();
      await fc.assert(
        fc.asyncProperty(fuzz.request(name), async (request) => {
          const answer = await send(server.url, request);
          seen.add(answer.status);
          expect(fuzz.complaint(request, answer)).toBeNull();
        }),
        { numRuns: RUNS },
      );
      // Requests that are all refused would say nothing of answers. By chance they are, now and then: then some more.
      for (const request of fc.sample(fuzz.request(name), MORE_RUNS)) {
        if ([...seen].some((status) => status < 300)) break;
        const answer = await send(server.url, request);
        seen.add(answer.status);
        expect(fuzz.complaint(request, answer)).toBeNull();
      }
      expect([...seen].some((status) => status < 300)).toBe(true);
    });
  }
});
