import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conversation, START_NS } from '../fixtures/build/conversation.ts';
import { openCaptures } from '../src/capture/open.ts';
import { createRecorder } from '../src/cli/live/recorder.ts';
import type { Exchange } from '../src/model/exchange.ts';
import { LIMITS } from '../src/model/limits.ts';
import type { PacketSource, RunClock } from '../src/model/packet.ts';
import { type RunOptions, runPipeline } from '../src/pipeline.ts';
import { FakeLiveSource, type FakeStep } from './fake-live-source.ts';
import { type FedPacket, fuzzRuns, inShort, packetsOf } from './pipeline-run.ts';

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

/** Each exchange in short, with its mark. */
async function marksOf(
  source: PacketSource,
  clock: RunClock,
  observers: Partial<RunOptions> = {},
): Promise<string[]> {
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
    { ports: null, limits: LIMITS, reveal: true, checksums: false, ...observers },
  );
  return exchanges
    .map((one) => `${inShort(one)}${one.anomalies.includes('packets-dropped') ? ' packets-dropped' : ''}`)
    .sort();
}

function marked(steps: readonly FakeStep[]): Promise<string[]> {
  const clock: RunClock = { epochSeconds: null };
  const source = new FakeLiveSource(clock, steps);
  source.stopped = true;
  return marksOf(source, clock);
}

/** What a live run says, and what the replay of the recording that it wrote says. */
async function recordedAndReplayed(
  steps: readonly FakeStep[],
  fileBytes?: number,
): Promise<{ live: string[]; replay: string[]; files: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'wirelens-drops-'));
  try {
    const clock: RunClock = { epochSeconds: null };
    const source = new FakeLiveSource(clock, steps);
    source.stopped = true;
    let ms = 0;
    const recorder = createRecorder({
      path: join(directory, 'trace'),
      rotation: fileBytes === undefined ? {} : { fileBytes },
      force: false,
      clock,
      captures: source.facts,
      startSeconds: Number(START_NS / 1_000_000_000n),
      section: { application: 'wirelens test' },
      filterText: null,
      now: () => ms,
      onEnd: () => {},
      // Counters are noted often, so that these notes stand among those of drops.
      limits: { countersMs: 3 },
    });
    const live = await marksOf(source, clock, {
      onPacket: (packet) => recorder.packet(packet),
      onDrops: (report) => recorder.drops(report),
      onProgress: () => {
        ms += 1;
        recorder.tick(source.nowNs);
      },
    });
    await recorder.finish();
    const names = readdirSync(directory).sort(
      (one, other) => one.length - other.length || (one < other ? -1 : 1),
    );
    const again: RunClock = { epochSeconds: null };
    const paths = names.map((name) => join(directory, name));
    const replay = await marksOf(await openCaptures(paths, { clock: again, limits: LIMITS }), again);
    return { live, replay, files: names.length };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Conversations whose packets come in turns of the reader; where the kernel drops, some of them are missing. */
const turns = fc
  .record({
    exchanges: fc.array(fc.record({ atMs: fc.nat(2000), waitMs: fc.integer({ min: -1, max: 400 }) }), {
      minLength: 1,
      maxLength: 12,
    }),
    turnMs: fc.integer({ min: 20, max: 300 }),
    drops: fc.array(fc.nat(2), { minLength: 1, maxLength: 30 }),
    lost: fc.array(fc.nat(100), { maxLength: 8 }),
  })
  .map(({ exchanges, turnMs, drops, lost }) => {
    const packets = exchanges
      .flatMap(({ atMs, waitMs }, number) => exchangeAt(`e${number}`, atMs, waitMs, 1000 + number))
      .filter((_, place) => !lost.includes(place))
      .sort((one, other) => Number(one.timeNs - other.timeNs));
    const steps: FakeStep[] = [];
    let dropped = 0;
    let rest: readonly FedPacket[] = packets;
    for (let turn = 1; rest.length > 0; turn += 1) {
      const nowNs = turn * turnMs * MS;
      const isDue = ({ timeNs }: FedPacket) => Number(timeNs - START_NS) <= nowNs;
      dropped += drops[turn % drops.length] ?? 0;
      steps.push({ packets: rest.filter(isDue), nowNs, counters: { received: turn * 9, dropped } });
      rest = rest.filter((one) => !isDue(one));
    }
    return steps;
  });

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

  it('marks an answer whose request and handshake were dropped, unless that would be long ago', async () => {
    const answerAlone = (ms: number, port: number) => exchangeAt('lost', ms, 200, port).slice(4);
    expect(
      await marked([
        { packets: exchangeAt('before', 0, 10, 1), nowNs: 100 * MS },
        { nowNs: 300 * MS, counters: { dropped: 3 } },
        { packets: answerAlone(150, 2), nowNs: 500 * MS },
        { packets: answerAlone(60_350, 3), nowNs: 61_000 * MS },
      ]),
    ).toEqual(['? -> 200', '? -> 200 packets-dropped', 'GET /before -> 200']);
  });

  it('marks the same exchanges when the recording of the run is replayed', async () => {
    const { live, replay } = await recordedAndReplayed([
      { packets: exchangeAt('before', 0, 10, 1), nowNs: 100 * MS },
      { packets: exchangeAt('during', 120, 50, 2), nowNs: 300 * MS, counters: { dropped: 3 } },
      { packets: exchangeAt('after', 310, 10, 3), nowNs: 400 * MS },
      { packets: exchangeAt('late', 410, 10, 4), nowNs: 500 * MS },
      { packets: exchangeAt('again', 510, 40, 5), nowNs: 600 * MS, counters: { dropped: 4 } },
    ]);
    expect(live).toEqual([
      'GET /after -> 200',
      'GET /again -> 200 packets-dropped',
      'GET /before -> 200',
      'GET /during -> 200 packets-dropped',
      'GET /late -> 200',
    ]);
    expect(replay).toEqual(live);
  });

  it('marks the same when packets were dropped before the first one came, and the recording rotates', async () => {
    const first = exchangeAt('first', 150, 100, 1);
    const { live, replay, files } = await recordedAndReplayed(
      [
        { nowNs: 100 * MS, counters: { dropped: 1 } },
        { packets: first.slice(0, 4), nowNs: 200 * MS },
        { packets: first.slice(4), nowNs: 300 * MS },
        { packets: exchangeAt('later', 350, 20, 2), nowNs: 400 * MS },
      ],
      300,
    );
    expect(files).toBeGreaterThan(1);
    expect(live).toEqual(['GET /first -> 200 packets-dropped', 'GET /later -> 200']);
    expect(replay).toEqual(live);
  });

  it('marks the same, whatever is dropped when, in one file or many', async () => {
    let marks = 0;
    await fc.assert(
      fc.asyncProperty(
        turns,
        fc.option(fc.integer({ min: 500, max: 4000 }), { nil: undefined }),
        async (steps, fileBytes) => {
          const { live, replay } = await recordedAndReplayed(steps, fileBytes);
          expect(replay).toEqual(live);
          marks += live.filter((one) => one.endsWith('packets-dropped')).length;
        },
      ),
      { numRuns: fuzzRuns(60) },
    );
    expect(marks).toBeGreaterThan(0);
  });

  it('marks nothing when nothing is dropped, or nobody can tell', async () => {
    const packets = exchangeAt('one', 0, 10, 1);
    expect(await marked([{ packets, nowNs: 100 * MS }])).toEqual(['GET /one -> 200']);
    expect(await marked([{ packets, nowNs: 100 * MS, counters: { dropped: null } }])).toEqual([
      'GET /one -> 200',
    ]);
  });
});
