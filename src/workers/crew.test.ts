import { MessageChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conversation, type Segment } from '../../fixtures/build/conversation.ts';
import { seededRandom } from '../../fixtures/build/transform.ts';
import { FakeLiveSource, type FakeStep } from '../../test/fake-live-source.ts';
import { type FedPacket, fuzzRuns, packetsOf, runPackets } from '../../test/pipeline-run.ts';
import { traffic } from '../../test/traffic.ts';
import type { LiveOptions } from '../capture/live/live-options.ts';
import { UserError } from '../model/errors.ts';
import type { Connection, Exchange } from '../model/exchange.ts';
import { LIMITS, type Limits } from '../model/limits.ts';
import type { LiveNotice } from '../model/live.ts';
import type { ExchangeSink } from '../model/sink.ts';
import { type CrewOptions, type CrewPort, WorkerCrew } from './crew.ts';
import type { FromWorker, WorkerSettings } from './messages.ts';
import { BATCHES_UNDER_WAY } from './outbox.ts';
import { type WorkerPort, work } from './work.ts';

/** Workers as they are, but in this thread, and with packets of ours. What they send is cloned as between threads. */

type Open = (options: LiveOptions, worker: number) => Promise<FakeLiveSource>;

const SETTINGS: CrewOptions['settings'] = {
  capture: {
    ...{ interfaces: ['any'], driver: 'auto', snaplen: 262_144, ringBytes: 2 ** 20, promiscuous: false },
    ...{ tickMs: 20, fanoutGroup: 'new' },
  },
  ...{ filter: null, limits: LIMITS, where: null, reveal: true, checksums: false, keepHeaders: [] },
};

class Taken implements ExchangeSink {
  readonly exchanges: Exchange[] = [];
  readonly connections: Connection[] = [];
  /** What happened, by the number of the connection. */
  readonly order: string[] = [];
  finished = 0;
  aborted = 0;
  /** Resolves when more can be taken. */
  full: Promise<void> | null = null;

  exchange(exchange: Exchange): void {
    this.exchanges.push(exchange);
    this.order.push(`exchange of ${exchange.connection.id}`);
  }
  connection(connection: Connection): void {
    this.connections.push(connection);
    this.order.push(`end of ${connection.id}`);
  }
  drain(): Promise<void> | null {
    return this.full;
  }
  async finish(): Promise<void> {
    this.finished += 1;
  }
  async abort(): Promise<void> {
    this.aborted += 1;
  }
}

interface Started {
  readonly settings: WorkerSettings[];
  readonly notices: LiveNotice[];
  readonly open: (options?: Partial<CrewOptions>) => Promise<WorkerCrew>;
}

function crewOf(workers: number, open: Open): Started {
  const settings: WorkerSettings[] = [];
  const notices: LiveNotice[] = [];
  const start = (given: WorkerSettings): CrewPort => {
    const worker = settings.push(given) - 1;
    const { port1, port2 } = new MessageChannel();
    void work(port2 as WorkerPort, given, (options) => open(options, worker));
    return {
      postMessage: (message) => port1.postMessage(message),
      on: (event: string, listener: (...values: never[]) => void) =>
        port1.on(event === 'exit' ? 'close' : event, listener as () => void),
    };
  };
  return {
    settings,
    notices,
    open: (options) =>
      WorkerCrew.open({
        workers,
        settings: SETTINGS,
        clock: { epochSeconds: null },
        onNotice: (notice) => notices.push(notice),
        start,
        nowMs: () => performance.now(),
        ...options,
      }),
  };
}

/** Sources that play these steps and then end. */
function playing(scripts: readonly (readonly FakeStep[])[]): { open: Open; sources: FakeLiveSource[] } {
  const sources: FakeLiveSource[] = [];
  return {
    sources,
    open: async ({ clock, onFanoutGroup }, worker) => {
      const source = new FakeLiveSource(clock, scripts[worker] ?? []);
      source.stopped = true;
      sources[worker] = source;
      onFanoutGroup?.(4711);
      return source;
    },
  };
}

function exchangeSegments(target: string, port: number, status = 200): Segment[] {
  return conversation({ client: { address: '10.0.0.1', port } })
    .handshake()
    .fromClient(`GET ${target} HTTP/1.1\r\nHost: live.test\r\n\r\n`)
    .fromServer(`HTTP/1.1 ${status} OK\r\nContent-Length: 2\r\n\r\nok`)
    .fin().segments;
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

/** All that a sink can read of an exchange, without the numbers that depend on what else is in the run. */
function essence(exchange: Exchange): unknown {
  const { id: _, connection, request, response, ...others } = exchange;
  const message = (one: Exchange['request'] | Exchange['response']) =>
    one && {
      ...{ version: one.version, firstByteNs: one.firstByteNs, lastByteNs: one.lastByteNs },
      ...{ direction: one.direction, startOffset: one.startOffset, endOffset: one.endOffset },
      ...{ sequence: one.sequence, acknowledges: one.acknowledges, headerBytes: one.headerBytes },
      ...{
        bodyBytes: one.bodyBytes,
        lostBytes: one.lostBytes,
        mediaType: one.mediaType,
        headers: one.headers,
      },
      ...('method' in one
        ? { method: one.method, target: one.target, host: one.host, userAgent: one.userAgent }
        : { status: one.status, reason: one.reason }),
    };
  const { client, server, synNs, firstNs } = connection;
  return {
    ...others,
    ...{
      request: message(request),
      response: message(response),
      connection: { client, server, synNs, firstNs },
    },
  };
}

/** Of a connection that has ended. */
function totals({ id: _, ...connection }: Connection): unknown {
  return connection;
}

/** As texts in which neither the order of the values nor that of their fields matters. */
const sorted = (values: readonly unknown[]): string[] =>
  values.map((value) => JSON.stringify(value, (_, part) => (isRecord(part) ? inOrder(part) : part))).sort();
const isRecord = (part: unknown): part is object =>
  typeof part === 'object' && part !== null && !Array.isArray(part);
const inOrder = (record: object): object => Object.fromEntries(Object.entries(record).sort());

describe('several threads that capture', () => {
  it('give what one thread gives, whatever connections each of them gets and however it comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 4 }), async (seed, workers) => {
        const random = seededRandom(seed);
        const { segments } = traffic({ connections: 6, exchanges: 5, pipelined: 3 }, random);
        const lossy = segments.filter(() => random() > 0.02);
        const packets = packetsOf(lossy);
        const whole = runPackets(packets);
        const share = new Map<number, number>();
        const scripts: FedPacket[][] = Array.from({ length: workers }, () => []);
        for (const [index, segment] of lossy.entries()) {
          const { port } = segment.fromClient ? segment.from : segment.to;
          const worker = share.get(port) ?? Math.floor(random() * workers);
          share.set(port, worker);
          scripts[worker].push(packets[index]);
        }
        const { open } = playing(
          scripts.map((own) => {
            const steps: FakeStep[] = [];
            for (let at = 0; at < own.length; ) {
              const count = 1 + Math.floor(random() * 40);
              steps.push({ packets: own.slice(at, at + count) });
              at += count;
            }
            return steps;
          }),
        );
        const crew = await crewOf(workers, open).open();
        const taken = new Taken();
        const run = await crew.run([taken], () => {});
        await crew.close();

        expect(sorted(taken.exchanges.map(essence))).toEqual(sorted(whole.exchanges.map(essence)));
        expect(sorted(taken.connections.map(totals))).toEqual(sorted(whole.connections.map(totals)));
        expect(taken.exchanges.map(({ id }) => id)).toEqual(taken.exchanges.map((_, index) => index + 1));
        expect(run.ledger.imbalances()).toEqual([]);
        expect({ ...run.ledger }).toEqual({ ...whole.ledger });
        expect(run.captures[0]?.packets).toBe(lossy.length);

        // One object for a connection, with a number of its own; it ends after its last exchange.
        const objects = new Set(taken.exchanges.map(({ connection }) => connection));
        expect(new Set([...objects].map(({ id }) => id)).size).toBe(objects.size);
        expect([...objects].every((one) => taken.connections.includes(one))).toBe(true);
        for (const { id } of objects)
          expect(taken.order.lastIndexOf(`exchange of ${id}`)).toBeLessThan(
            taken.order.indexOf(`end of ${id}`),
          );
      }),
      { numRuns: fuzzRuns(30) },
    );
  });

  it('all join the group that the first has begun, and take nothing before all have opened', async () => {
    const begun: string[] = [];
    let release = (): void => {};
    const late = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { open } = playing([]);
    const { settings, open: openCrew } = crewOf(3, async (options, worker) => {
      void options.begun?.then(() => begun.push(`${worker}`));
      if (worker === 2) await late;
      const source = await open(options, worker);
      source.stopped = false;
      return source;
    });
    const opening = openCrew();
    await expect.poll(() => settings.map(({ capture }) => capture.fanoutGroup)).toEqual(['new', 4711, 4711]);
    await settled();
    expect(begun).toEqual([]);
    release();
    const crew = await opening;
    // Who is told that the capture has begun misses nothing.
    expect(begun.sort()).toEqual(['0', '1', '2']);
    await crew.close();
  });

  it('say what one of them cannot do, and the others end', async () => {
    const { open, sources } = playing([]);
    const { open: openCrew } = crewOf(2, async (options, worker) => {
      if (worker === 1) throw new UserError('no-capture-right', 'no right', { hint: 'get one', exitCode: 1 });
      const source = await open(options, worker);
      source.stopped = false;
      return source;
    });
    await expect(openCrew()).rejects.toMatchObject({
      name: 'UserError',
      code: 'no-capture-right',
      message: 'no right',
      hint: 'get one',
    });
    expect(sources[0]?.closed).toBe(1);
  });

  it('fail together when one fails on the way', async () => {
    const broken: FakeStep = {
      act: () => {
        throw new Error('the ring is gone');
      },
    };
    const { open, sources } = playing([[broken], []]);
    const { open: openCrew } = crewOf(2, async (options, worker) => {
      const source = await open(options, worker);
      // The other would go on.
      if (worker === 1) source.stopped = false;
      return source;
    });
    const crew = await openCrew();
    const taken = new Taken();
    await expect(crew.run([taken], () => {})).rejects.toThrow('the ring is gone');
    await crew.close();
    expect([taken.finished, taken.aborted]).toEqual([0, 1]);
    expect(sources[1]?.closed).toBe(1);
  });

  it('bring out what is open when they are stopped', async () => {
    const question = conversation().handshake().fromClient('GET /open HTTP/1.1\r\nHost: h\r\n\r\n').segments;
    const { open } = playing([[{ packets: packetsOf(question) }], []]);
    const { open: openCrew } = crewOf(2, async (options, worker) => {
      const source = await open(options, worker);
      source.stopped = false;
      return source;
    });
    const crew = await openCrew();
    const taken = new Taken();
    const running = crew.run([taken], () => {});
    await settled();
    expect(taken.exchanges).toEqual([]);
    crew.stop();
    await running;
    expect(taken.exchanges.map(({ request, outcome }) => [request?.target, outcome])).toEqual([
      ['/open', 'no-response'],
    ]);
    expect([crew.stopped, taken.finished]).toEqual([true, 1]);
  });

  it('send only exchanges for which --where holds, and count all', async () => {
    const { open } = playing([
      [{ packets: packetsOf(exchangeSegments('/fine', 1)) }],
      [{ packets: packetsOf(exchangeSegments('/broken', 2, 500)) }],
    ]);
    const crew = await crewOf(2, open).open({ settings: { ...SETTINGS, where: 'status >= 500' } });
    const taken = new Taken();
    const { ledger } = await crew.run([taken], () => {});
    await crew.close();
    expect(taken.exchanges.map(({ id, request }) => [id, request?.target])).toEqual([[1, '/broken']]);
    expect(ledger.exchanges).toBe(2);
  });

  it('wait when the sinks cannot take more, so that no queue grows', async () => {
    const steps = 40;
    let played = 0;
    const script = Array.from({ length: steps }, (_, index) => ({
      packets: packetsOf(exchangeSegments(`/${index}`, 2000 + index)),
      act: () => {
        played += 1;
      },
    }));
    const { open } = playing([script]);
    const crew = await crewOf(1, open).open();
    const taken = new Taken();
    let release = (): void => {};
    taken.full = new Promise((resolve) => {
      release = resolve;
    });
    const running = crew.run([taken], () => {});
    await settled();
    // Those under way, those that the inbox took before it had to wait, and the step that found no room.
    expect(played).toBeLessThanOrEqual(2 * BATCHES_UNDER_WAY + 2);
    expect(taken.exchanges.length).toBeLessThanOrEqual(BATCHES_UNDER_WAY);
    taken.full = null;
    release();
    await running;
    await crew.close();
    expect(taken.exchanges.length).toBe(steps);
  });

  it('divide the limits, also when they change on the way', async () => {
    const limits = { ...LIMITS, connections: 101 };
    const seen: Limits[] = [];
    const { open } = playing([]);
    const { settings, open: openCrew } = crewOf(2, async (options, worker) => {
      // The object that the pipeline looks at.
      seen[worker] = options.limits;
      const source = await open(options, worker);
      source.stopped = false;
      return source;
    });
    const crew = await openCrew({ settings: { ...SETTINGS, limits } });
    expect(settings.map((one) => one.limits.connections)).toEqual([51, 51]);
    const running = crew.run([new Taken()], () => {});
    limits.connections = 20;
    await expect.poll(() => seen.map(({ connections }) => connections)).toEqual([10, 10]);
    crew.stop();
    await running;
  });

  it('tell what happens to an interface once, though each of them sees it', async () => {
    const gone: LiveNotice = { code: 'interface-gone', text: 'eth0 is gone' };
    const notices: ((notice: LiveNotice) => void)[] = [];
    const { open } = playing([[], []]);
    const started = crewOf(2, async (options, worker) => {
      notices[worker] = options.onNotice;
      const source = await open(options, worker);
      source.stopped = false;
      return source;
    });
    const crew = await started.open();
    const running = crew.run([new Taken()], () => {});
    for (const notice of notices) notice(gone);
    // Again, later: who told it tells it.
    for (const notice of notices) notice(gone);
    crew.stop();
    await running;
    expect(started.notices).toEqual([gone, gone]);
  });

  it('add up what their rings and the kernel have counted', async () => {
    const counters = (received: number, dropped: number) => ({
      received,
      dropped,
      freezes: 1,
      ringUsedBytes: 10,
    });
    const { open } = playing([[{ counters: counters(100, 3) }], [{ counters: counters(50, 4) }]]);
    const crew = await crewOf(2, open).open();
    await crew.run([new Taken()], () => {});
    await crew.close();
    expect(crew.counters).toMatchObject({ received: 150, dropped: 7, freezes: 2, ringUsedBytes: 20 });
    expect(crew.counters.ringBytes).toBe(2 * 64 * 1024 * 1024);
    expect(crew.facts[0]?.interfaces).toMatchObject([{ name: 'eth0', received: 150, dropped: 7 }]);
  });

  it('are missed when one ends without a word', async () => {
    const listeners = new Map<string, (message: FromWorker) => void>();
    const { open: openCrew } = crewOf(1, playing([]).open);
    const port: CrewPort = {
      postMessage() {},
      on: (event: string, listener: (...values: never[]) => void) => {
        const before = listeners.get(event);
        listeners.set(event, (message) => {
          before?.(message);
          (listener as (message: FromWorker) => void)(message);
        });
      },
    };
    const [facts] = new FakeLiveSource({ epochSeconds: null }, []).facts;
    const opening = openCrew({ start: () => port });
    listeners.get('message')?.({
      ...{ kind: 'opened', driver: 'afpacket', shortcomings: [], fanoutGroup: 1 },
      ...{ facts: facts as never, counters: {} as never },
    });
    await settled();
    listeners.get('message')?.({ kind: 'begun' });
    const crew = await opening;
    const running = crew.run([new Taken()], () => {});
    listeners.get('exit')?.({} as never);
    await expect(running).rejects.toThrow('has ended without a word');
  });
});
