import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { conversation, START_NS } from '../../../fixtures/build/conversation.ts';
import { FakeLiveSource, type FakeStep } from '../../../test/fake-live-source.ts';
import { packetsOf } from '../../../test/pipeline-run.ts';
import type { Exchange } from '../../model/exchange.ts';
import type { ExchangeSink } from '../../model/sink.ts';
import { totalLines } from './live-closing.ts';
import type { LiveFlags } from './live-flags.ts';
import { type LiveParts, type LiveResult, runLive } from './live-run.ts';
import { openedLine, type openSource } from './source.ts';

let stderr = '';
beforeEach(() => {
  stderr = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const FLAGS: LiveFlags = { progress: true, color: 'never' };

function exchangePackets(target: string, status: number, port: number) {
  return packetsOf(
    conversation({ client: { address: '10.0.0.1', port }, startNs: START_NS + BigInt(port) * 1_000_000n })
      .handshake()
      .fromClient(`GET ${target} HTTP/1.1\r\nHost: live.test\r\n\r\n`)
      .fromServer(`HTTP/1.1 ${status} OK\r\nContent-Length: 2\r\n\r\nok`)
      .fin().segments,
  );
}

class Taken implements ExchangeSink {
  readonly targets: string[] = [];
  finished = 0;
  aborted = 0;
  exchange({ request }: Exchange): void {
    this.targets.push(request?.target ?? '?');
  }
  connection(): void {}
  drain(): null {
    return null;
  }
  async finish(): Promise<void> {
    this.finished += 1;
  }
  async abort(): Promise<void> {
    this.aborted += 1;
  }
}

interface Played {
  result: LiveResult;
  source: FakeLiveSource;
  taken: Taken;
}

/** Plays the steps; after the last one the source waits until it is stopped, unless `ends`. */
async function play(
  steps: readonly FakeStep[],
  flags: Partial<LiveFlags> = {},
  { ends = true, parts = {}, shortcomings = [] as string[], openingMs = 0 } = {},
): Promise<Played> {
  let source: FakeLiveSource | undefined;
  const taken = new Taken();
  const open: typeof openSource = async (_words, given, { clock }) => {
    if (openingMs > 0) vi.setSystemTime(Date.now() + openingMs);
    source = new FakeLiveSource(clock, steps, shortcomings);
    if (ends) source.stopped = true;
    return {
      source,
      filterText: 'tcp port 80',
      line: openedLine(source, given, 'tcp port 80', () => 'Ethernet'),
    };
  };
  const result = await runLive(
    [],
    { ...FLAGS, interface: ['eth0'], ...flags },
    '1.2.3',
    (): LiveParts => ({ sinks: [taken], ...parts }),
    { open },
  );
  return { result, source: source as FakeLiveSource, taken };
}

const TWO = [...exchangePackets('/fine', 200, 1), ...exchangePackets('/broken', 500, 2)];

describe('a live run', () => {
  it('says what is captured, what the driver lacks, and at the end what came of it', async () => {
    const counters = { received: 20, dropped: 2, loopbackCopies: 7 };
    const { result, taken, source } = await play(
      [{ packets: TWO, counters }],
      {},
      { shortcomings: ['it lacks this'] },
    );
    expect(stderr.split('\n').slice(0, 2)).toEqual([
      'wirelens: capturing on eth0 (Ethernet), snapshot length 262144 bytes, filter: tcp port 80, afpacket, ring 64 MiB',
      'wirelens: it lacks this',
    ]);
    expect(taken.targets).toEqual(['/fine', '/broken']);
    expect(taken.finished).toBe(1);
    expect(source.closed).toBeGreaterThan(0);
    const lines = totalLines(result);
    expect(lines.slice(0, 4)).toEqual([
      `${TWO.length} packets captured`,
      '20 packets received by filter',
      '2 packets dropped by kernel',
      '7 outgoing copies on loopback left out',
    ]);
    expect(lines).toContain('2 exchanges on 2 connections');
    expect(lines[lines.length - 1]).toMatch(
      /\(10 %\).*larger --buffer, a packet filter or a smaller --snaplen/,
    );
  });

  it('knows when it began, although a packet may come before all is ready', async () => {
    vi.useFakeTimers({ now: 1_700_000_000_900, toFake: ['Date'] });
    try {
      const { result } = await play([{ packets: TWO }], {}, { openingMs: 200 });
      expect(Date.now()).toBe(1_700_000_001_100);
      expect(result.context.beganSeconds).toBe(1_700_000_000);
    } finally {
      vi.useRealTimers();
    }
  });

  it('does not advise when nothing was dropped, and says what a driver cannot tell', async () => {
    const quiet = await play([{ packets: TWO, counters: { received: 20, dropped: 0 } }]);
    expect(totalLines(quiet.result).join('\n')).not.toContain('--buffer');
    const blind = await play([{ packets: TWO, counters: { received: null, dropped: null } }]);
    const lines = totalLines(blind.result);
    expect(lines).toContain('packets dropped by kernel: afpacket cannot tell');
    expect(lines.join('\n')).not.toContain('received by filter');
  });

  it('hands --where only what it holds for, and the unselected everything', async () => {
    const all = new Taken();
    const { taken, result } = await play(
      [{ packets: TWO }],
      { where: 'status >= 500' },
      { parts: { unselected: [all] } },
    );
    expect(taken.targets).toEqual(['/broken']);
    expect(all.targets).toEqual(['/fine', '/broken']);
    expect(result.exchanges).toBe(2);
  });

  it('ends after --packets, with what is open', async () => {
    const { result, taken, source } = await play(
      [{ packets: TWO }, { act: () => expect.fail('it went on') }],
      {
        packets: 4,
      },
    );
    expect(result.ledger.packetsRead).toBe(4);
    expect(taken.targets).toEqual(['/fine']);
    expect(result.ledger.unanswered).toBe(1);
    expect(source.closed).toBeGreaterThan(0);
  });

  it('ends after --duration', async () => {
    const { taken } = await play([{ packets: TWO }], { duration: 30e6 }, { ends: false });
    expect(taken.targets).toEqual(['/fine', '/broken']);
    expect(taken.finished).toBe(1);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'ends at %s, and ends the process at the second',
    async (signal) => {
      const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
      const before = process.listenerCount(signal);
      const steps: FakeStep[] = [
        { packets: exchangePackets('/before', 200, 1) },
        { act: () => process.emit(signal) },
        { packets: exchangePackets('/after', 200, 2), act: () => expect(exit).not.toHaveBeenCalled() },
        { act: () => process.emit(signal) },
      ];
      const { taken } = await play(steps, {}, { ends: false });
      // What the kernel had taken before still came.
      expect(taken.targets).toEqual(['/before', '/after']);
      expect(exit.mock.calls).toEqual([[130]]);
      expect(process.listenerCount(signal)).toBe(before);
    },
  );

  it('tells of drops when they begin, and not once for every block', async () => {
    await play([
      { packets: exchangePackets('/a', 200, 1), counters: { received: 10, dropped: 5 } },
      { packets: exchangePackets('/b', 200, 2), counters: { received: 20, dropped: 6 } },
      { packets: exchangePackets('/c', 200, 3), counters: { received: 30, dropped: 7 } },
    ]);
    expect(stderr.match(/dropped/g)).toHaveLength(1);
    expect(stderr).toContain('wirelens: the kernel dropped 5 packets\n');
  });

  it('says nothing with --quiet, and writes nothing over a screen', async () => {
    await play([{ packets: TWO, counters: { dropped: 5 } }], { quiet: true });
    expect(stderr).toBe('');
    const notes: string[] = [];
    await play(
      [{ packets: TWO, counters: { dropped: 5 } }],
      {},
      {
        parts: { screen: { note: (line: string) => notes.push(line) } },
      },
    );
    expect(notes).toEqual(['the kernel dropped 5 packets']);
    expect(stderr).not.toContain('dropped');
  });

  it('leaves nothing open when a part cannot be made, or a sink fails', async () => {
    const taken = new Taken();
    const failing: ExchangeSink = {
      ...{ exchange() {}, connection() {}, abort: async () => {}, finish: async () => {} },
      drain: () => Promise.reject(new Error('disk full')),
    };
    const before = process.listenerCount('SIGINT');
    await expect(play([{ packets: TWO }], {}, { parts: { sinks: [taken, failing] } })).rejects.toThrow(
      'disk full',
    );
    expect(taken.aborted).toBe(1);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
