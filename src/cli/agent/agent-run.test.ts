import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { conversation, START_NS } from '../../../fixtures/build/conversation.ts';
import { AgentStubServer } from '../../../test/agent-stub-server.ts';
import { FakeLiveSource, type FakeStep } from '../../../test/fake-live-source.ts';
import { packetsOf } from '../../../test/pipeline-run.ts';
import { createEventLog } from '../../metrics/event-log.ts';
import type { openSource } from '../live/source.ts';
import { AgentRun } from './agent-run.ts';
import { agentSettings } from './agent-settings.ts';
import { effectiveSettings } from './configuration.ts';

const root = mkdtempSync(path.join(tmpdir(), 'wirelens-agent-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let lines: Record<string, unknown>[] = [];
const log = createEventLog({
  level: 'info',
  format: 'json',
  name: 'agent',
  write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
});
let server: AgentStubServer;
let number = 0;
beforeEach(async () => {
  lines = [];
  number += 1;
  server = await AgentStubServer.start();
});
afterEach(() => server.close());

const packets = (target: string, port: number) =>
  packetsOf(
    conversation({ client: { address: '10.0.0.1', port }, startNs: START_NS + BigInt(port) * 1_000_000n })
      .handshake()
      .fromClient(`GET ${target} HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: curl/8\r\n\r\n`)
      .fromServer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      .fin().segments,
  );

/** A source that turns a hundred times a second until it is stopped, as a driver does. */
class TurningSource extends FakeLiveSource {
  #stepsLeft: number;

  constructor(...[clock, steps, shortcomings]: ConstructorParameters<typeof FakeLiveSource>) {
    super(clock, steps, shortcomings);
    this.#stepsLeft = steps.length;
  }

  override async more(): Promise<boolean> {
    this.#stepsLeft -= 1;
    if (this.#stepsLeft >= 0) return super.more();
    await sleep(10);
    return !this.stopped;
  }
}

interface Running {
  readonly source: FakeLiveSource;
  readonly ended: Promise<number>;
  readonly statusUrl: string;
}

async function run(steps: readonly FakeStep[], flags: Record<string, unknown> = {}): Promise<Running> {
  lines = [];
  const settings = effectiveSettings({
    flags: {
      ...{ promiscuous: true, server: server.url, spool: path.join(root, `spool-${number}`) },
      ...{ statusListen: '127.0.0.1:0', batchTime: '50ms', retryFirst: '1ms', heartbeat: '50ms' },
      ...{ agentName: 'agent-4', node: 'node-4', stopTimeout: '5s', maxMemory: '64GiB' },
      ...flags,
    },
    env: {},
    file: new Map(),
  });
  let source: FakeLiveSource | undefined;
  const open: typeof openSource = async (_words, _flags, { clock, onNotice }) => {
    source = new TurningSource(clock, steps, ['the driver lacks this']);
    onNotice({ code: 'link-down', text: 'eth0 is down' });
    return { source, filterText: null, line: 'capturing on eth0' };
  };
  const ended = new AgentRun(agentSettings(settings, {}), '1.2.3', log, open).run();
  ended.catch(() => {});
  for (let left = 500; said('agent agent-4 sends exchanges') === undefined && left > 0; left -= 1) {
    if (
      (await Promise.race([
        ended.then(
          () => true,
          () => true,
        ),
        sleep(10),
      ])) === true
    )
      await ended;
  }
  const statusUrl = String(said('agent agent-4 sends exchanges')?.status);
  return { source: source as FakeLiveSource, ended, statusUrl };
}

const said = (words: string) => lines.find(({ msg }) => String(msg).includes(words));

async function until(met: () => boolean): Promise<void> {
  for (let left = 600; !met() && left > 0; left -= 1) await sleep(10);
  expect(met()).toBe(true);
}

function ask(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (answer) => {
      let text = '';
      answer.on('data', (piece) => (text += piece));
      answer.on('end', () => resolve(`${answer.statusCode} ${text}`));
    }).on('error', reject);
  });
}

/** The columns of a batch, each as its values row by row. */
function rowsOf(text: string): Record<string, unknown>[] {
  const { rows, columns } = JSON.parse(text) as {
    rows: number;
    columns: Record<string, { all?: unknown; texts?: unknown[]; codes?: number[] } | unknown[]>;
  };
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(
      Object.entries(columns).map(([name, column]) => {
        if (Array.isArray(column)) return [name, column[row]];
        if (column.codes === undefined) return [name, column.all];
        return [name, column.texts?.[column.codes[row] as number]];
      }),
    ),
  );
}

describe('an agent', () => {
  it('captures, sends what it saw with its identity, reports, and ends in order', async () => {
    const steps: FakeStep[] = [
      { packets: packets('/first?password=hush&user=7', 1), counters: { received: 9, dropped: 2 } },
      { packets: packets('/second', 2) },
    ];
    const { source, ended, statusUrl } = await run(steps, { maskParameter: ['user'] });
    expect(await ask(`${statusUrl}/healthz`)).toBe('200 ok\n');
    expect(await ask(`${statusUrl}/readyz`)).toBe('200 ok\n');
    source.stop();
    expect(await ended).toBe(0);
    const rows = server.uploads.flatMap(({ text }) => rowsOf(text));
    expect(
      rows.map(({ client, server: to, target, status, host }) => [client, to, target, status, host]),
    ).toEqual([
      ['10.0.0.1', '10.0.0.2', '/first?password=REDACTED&user=REDACTED', 200, 'shop.test'],
      ['10.0.0.1', '10.0.0.2', '/second', 200, 'shop.test'],
    ]);
    expect(server.uploads[0]?.headers).toMatchObject({
      'x-wirelens-agent': 'agent-4',
      'x-wirelens-node': 'node-4',
    });
    expect(server.reports.at(-1)).toMatchObject({
      ...{ agent: 'agent-4', node: 'node-4', version: '1.2.3', interfaces: ['any'] },
      ...{ packets: source.facts[0]?.packets, packets_dropped: 2, exchanges: 2, exchanges_sent: 2 },
      ...{ exchanges_dropped: 0, backlog_batches: 0, backlog_bytes: 0, problem: null },
    });
    expect(lines.map(({ msg }) => msg)).toEqual([
      'eth0 is down',
      'capturing on eth0',
      'the driver lacks this',
      `agent agent-4 sends exchanges to ${server.url}`,
      'the kernel dropped 2 packets',
      'the capture has ended; sending what waits',
      'stopped',
    ]);
    expect(said('stopped')).toMatchObject({ exchanges: 2, sent: 2, lost: 0, waiting: 0 });
    expect(JSON.stringify(lines)).not.toContain('hush');
  });

  it('keeps what it could not send, and sends it in its next life', async () => {
    server.usual = { status: 503 };
    const first = await run([{ packets: packets('/kept', 1) }], { stopTimeout: '50ms' });
    await until(() => server.uploads.length > 0);
    expect(await ask(`${first.statusUrl}/metrics`)).toMatch(/^wirelens_agent_backlog_exchanges 1$/m);
    first.source.stop();
    expect(await first.ended).toBe(0);
    expect(said('stopped')).toMatchObject({ exchanges: 1, sent: 0, lost: 0, waiting: 1 });
    expect(server.reports.at(-1)).toMatchObject({
      backlog_batches: 1,
      problem: expect.stringContaining('planned'),
    });

    server.usual = 'store';
    const second = await run([{ packets: packets('/new', 2) }]);
    expect(said('sends exchanges')).toMatchObject({ waiting_batches: 1, waiting_exchanges: 1 });
    second.source.stop();
    await second.ended;
    expect([...server.stored.values()].flatMap(rowsOf).map(({ target }) => target)).toEqual([
      '/kept',
      '/new',
    ]);
  });

  it('sends only exchanges for which --where holds', async () => {
    const steps = [{ packets: [...packets('/yes', 1), ...packets('/no', 2)] }];
    const { source, ended } = await run(steps, { where: 'path == "/yes"' });
    source.stop();
    await ended;
    expect(server.uploads.flatMap(({ text }) => rowsOf(text)).map(({ target }) => target)).toEqual(['/yes']);
  });

  it('does not begin without its spool, and lets it go when it cannot capture', async () => {
    const { source, ended } = await run([]);
    await expect(run([])).rejects.toMatchObject({ code: 'spool-in-use' });
    source.stop();
    await ended;
    await expect(run([], { where: 'no such thing' })).rejects.toMatchObject({ name: 'UserError' });
    const again = await run([]);
    again.source.stop();
    expect(await again.ended).toBe(0);
  });
});
