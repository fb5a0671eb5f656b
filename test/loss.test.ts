import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Segment } from '../fixtures/build/conversation.ts';
import { lose, type Random, reorder, seededRandom } from '../fixtures/build/transform.ts';
import type { Exchange } from '../src/model/exchange.ts';
import { fuzzRuns, inShort, type PipelineRun, runSegments } from './pipeline-run.ts';
import { answeredTarget, type Planned, type TrafficOptions, traffic } from './traffic.ts';

/**
 * Loses segments, but not the SYN: a capture that begins in the middle of a batch of requests looks exactly like
 * one that begins with the first request seen, so nothing can tell which of them the first answer belongs to.
 */
function loseAfterOpening(segments: readonly Segment[], probability: number, random: Random): Segment[] {
  const isSyn = (segment: Segment): boolean => segment.flags.includes('syn');
  const kept = new Set(lose(segments, probability, random));
  return segments.filter((segment) => isSyn(segment) || kept.has(segment));
}

/** What is wrong with the exchanges of a capture that lost packets; empty: nothing. */
function complaints(run: PipelineRun, planned: readonly Planned[]): string[] {
  const byTarget = new Map(planned.map((one) => [one.target, one]));
  const requests = new Set<string>();
  const responses = new Set<string>();
  const found = [...run.ledger.imbalances()];
  for (const exchange of run.exchanges) {
    const { request, response } = exchange;
    const answered = answeredTarget(exchange);
    if (request !== null) {
      const plan = byTarget.get(request.target);
      if (plan === undefined || plan.method !== request.method)
        found.push(`invented request: ${inShort(exchange)}`);
      if (requests.has(request.target)) found.push(`request twice: ${inShort(exchange)}`);
      requests.add(request.target);
      found.push(...bodyComplaints(exchange, plan));
    }
    if (answered !== null) {
      if (!byTarget.has(answered)) found.push(`invented response: ${inShort(exchange)}`);
      if (responses.has(answered)) found.push(`response twice: ${inShort(exchange)}`);
      responses.add(answered);
      if (byTarget.get(answered)?.status !== response?.status)
        found.push(`wrong status: ${inShort(exchange)}`);
    }
    if (request !== null && answered !== null && answered !== request.target) {
      found.push(`shifted (${exchange.pairing}): ${inShort(exchange)} is the answer to ${answered}`);
    }
  }
  return found;
}

/** A whole message has the bytes that were sent. */
function bodyComplaints(exchange: Exchange, plan: Planned | undefined): string[] {
  const { request, response } = exchange;
  if (plan === undefined || request === null || exchange.outcome !== 'complete') return [];
  const found: string[] = [];
  if (request.bodyBytes !== plan.requestBodyBytes) {
    found.push(`request body ${request.bodyBytes}, sent ${plan.requestBodyBytes}: ${inShort(exchange)}`);
  }
  if (
    response !== null &&
    answeredTarget(exchange) === request.target &&
    response.bodyBytes !== plan.responseBodyBytes
  ) {
    found.push(`response body ${response.bodyBytes}, sent ${plan.responseBodyBytes}: ${inShort(exchange)}`);
  }
  return found;
}

const SHAPES: readonly [string, TrafficOptions][] = [
  ['sequential requests', { connections: 1, exchanges: 12, pipelined: 1 }],
  ['sequential requests in small segments', { connections: 1, exchanges: 6, pipelined: 1, mss: 90, largestBodyBytes: 400 }],
  ['pipelined batches', { connections: 1, exchanges: 12, pipelined: 5, largestBodyBytes: 600 }],
  ['pipelined batches in small segments', { connections: 1, exchanges: 8, pipelined: 4, mss: 120, largestBodyBytes: 300 }],
  ['several connections', { connections: 3, exchanges: 6, pipelined: 3, largestBodyBytes: 2000 }],
]; // biome-ignore format: one table

describe('packets that the capture lost', () => {
  it.each(SHAPES)('shift no pair and invent no exchange: %s', (_name, options) => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0.005, max: 0.3, noNaN: true }), (seed, probability) => {
        const random = seededRandom(seed);
        const { planned, segments } = traffic(options, random);
        const run = runSegments(loseAfterOpening(segments, probability, random));
        expect(complaints(run, planned)).toEqual([]);
      }),
      { numRuns: fuzzRuns(50) },
    );
  });

  it('shift no pair when the others come in disorder', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0.005, max: 0.2, noNaN: true }), (seed, probability) => {
        const random = seededRandom(seed);
        const { planned, segments } = traffic({ connections: 2, exchanges: 6, pipelined: 3 }, random);
        const run = runSegments(reorder(loseAfterOpening(segments, probability, random), 5, random));
        expect(complaints(run, planned)).toEqual([]);
      }),
      { numRuns: fuzzRuns(50) },
    );
  });

  it('when none is lost, every exchange is there', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...SHAPES), (seed, [, options]) => {
        const { planned, segments } = traffic(options, seededRandom(seed));
        const run = runSegments(segments);
        expect(complaints(run, planned)).toEqual([]);
        expect(run.exchanges.map(inShort).sort()).toEqual(
          planned.map(({ method, target, status }) => `${method} ${target} -> ${status}`).sort(),
        );
        expect(
          run.exchanges.every(({ outcome, pairing }) => outcome === 'complete' && pairing === 'exact'),
        ).toBe(true);
      }),
      { numRuns: fuzzRuns(50) },
    );
  });
});
