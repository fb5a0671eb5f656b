import { describe, expect, it } from 'vitest';
import { conversation, START_NS } from '../fixtures/build/conversation.ts';
import type { Exchange } from '../src/model/exchange.ts';
import { LIMITS } from '../src/model/limits.ts';
import type { RunClock } from '../src/model/packet.ts';
import { runPipeline } from '../src/pipeline.ts';
import { FakeLiveSource, type FakeStep } from './fake-live-source.ts';
import { inShort, packetsOf } from './pipeline-run.ts';

const MS = 1_000_000;

/** A connection of one exchange that begins `ms` after the run's start, and its answer `waitMs` later. */
function exchangeAt(name: string, ms: number, waitMs: number, port: number) {
  const script = conversation({
    client: { address: '10.0.0.1', port },
    startNs: START_NS + BigInt(ms * MS),
  })
    .handshake()
    .fromClient(`GET /${name} HTTP/1.1\r\nHost: drops.test\r\n\r\n`);
  if (waitMs >= 0) script.wait(waitMs).fromServer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok').fin();
  return packetsOf(script.segments);
}

async function marked(steps: readonly FakeStep[]): Promise<string[]> {
  const clock: RunClock = { epochSeconds: null };
  const source = new FakeLiveSource(clock, steps);
  source.stopped = true;
  const exchanges: Exchange[] = [];
  await runPipeline(
    source,
    clock,
    [
      {
        exchange: (exchange) => exchanges.push(exchange),
        connection() {},
        drain: () => null,
        finish: async () => {},
        abort: async () => {},
      },
    ],
    { ports: null, limits: LIMITS, reveal: true, checksums: false, dropCounter: source },
  );
  return exchanges
    .map((one) => `${inShort(one)}${one.anomalies.includes('packets-dropped') ? ' packets-dropped' : ''}`)
    .sort();
}

describe('packets-dropped', () => {
  it('marks exchanges that were under way while the kernel dropped packets', async () => {
    expect(
      await marked([
        { packets: exchangeAt('before', 0, 10, 1), nowNs: 100 * MS },
        { packets: exchangeAt('during', 120, 50, 2), nowNs: 300 * MS, counters: { dropped: 3 } },
        { packets: exchangeAt('after', 310, 10, 3), nowNs: 400 * MS },
        { packets: exchangeAt('unanswered', 150, -1, 4), nowNs: 500 * MS },
      ]),
    ).toEqual([
      'GET /after -> 200',
      'GET /before -> 200',
      'GET /during -> 200 packets-dropped',
      'GET /unanswered -> (capture-ended) packets-dropped',
    ]);
  });

  it('marks nothing when nothing is dropped, or nobody can tell', async () => {
    const packets = exchangeAt('one', 0, 10, 1);
    expect(await marked([{ packets, nowNs: 100 * MS }])).toEqual(['GET /one -> 200']);
    expect(await marked([{ packets, nowNs: 100 * MS, counters: { dropped: null } }])).toEqual([
      'GET /one -> 200',
    ]);
  });
});
