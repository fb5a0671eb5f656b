import { get } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { buildExchange, buildRequest, buildResponse } from '../../test/build-exchange.ts';
import { createEventLog } from '../metrics/event-log.ts';
import type { Exchange } from '../model/exchange.ts';
import { LIMITS } from '../model/limits.ts';
import { AgentSink } from './agent-sink.ts';
import { MemoryGuard } from './memory-guard.ts';
import { ShownExchange } from './shown-exchange.ts';
import type { SealedBatch } from './spool/segment.ts';
import { type StatusServer, startStatusServer } from './status-server.ts';

const MIB = 1024 * 1024;
const lines: string[] = [];
const log = createEventLog({
  level: 'info',
  format: 'text',
  name: 'test',
  write: (line) => lines.push(line),
});

describe('what is sent of an exchange', () => {
  const shown = (options: Partial<ConstructorParameters<typeof ShownExchange>[0]>) =>
    new ShownExchange({ maskParameters: [], dropHeaders: [], includeOwn: false, ...options });
  const asked = (target: string, more: Partial<Parameters<typeof buildRequest>[0]> = {}): Exchange =>
    buildExchange({ request: buildRequest({ target, ...more }) });

  it('masks the parameters that were named, however they are written, also in fields that hold a target', () => {
    const request = buildRequest({
      target: '/a?User-Id=7&other=1&user_id=&x=userid#user.id=9',
      headers: [{ name: 'referer', value: 'http://h/?userid=8' }],
    });
    const response = buildResponse({ headers: [{ name: 'location', value: '/b?user%5Bid%5D=1;userid=2' }] });
    const sent = shown({ maskParameters: ['UserId'] }).of(buildExchange({ request, response }));
    expect(sent?.request?.target).toBe('/a?User-Id=REDACTED&other=1&user_id=&x=userid#user.id=REDACTED');
    expect(sent?.request?.headers).toEqual([{ name: 'referer', value: 'http://h/?userid=REDACTED' }]);
    expect(sent?.response?.headers).toEqual([
      { name: 'location', value: '/b?user%5Bid%5D=REDACTED;userid=REDACTED' },
    ]);
    // Whoever else gets the exchange sees it as it was.
    expect(request.target).toContain('User-Id=7');
  });

  it('leaves out header fields that are not to leave the node', () => {
    const headers = [
      { name: 'x-forwarded-for', value: '10.1.2.3' },
      { name: 'via', value: 'proxy' },
    ];
    const exchange = buildExchange({ request: buildRequest({ headers }), response: null });
    const sent = shown({ dropHeaders: ['x-forwarded-for'] }).of(exchange);
    expect(sent?.request?.headers).toEqual([{ name: 'via', value: 'proxy' }]);
  });

  it('leaves out what agents ask of a server, and counts it', () => {
    const own = { method: 'POST', userAgent: 'wirelens/0.1.0' };
    const some = shown({});
    expect(some.of(asked('/api/v1/upload', own))).toBeNull();
    expect(some.of(asked('/api/v1/agents/n1', { ...own, method: 'PUT' }))).toBeNull();
    expect(some.own).toBe(2);
    // People who query, and other programs, are traffic like any other.
    expect(some.of(asked('/api/v1/exchanges', { ...own, method: 'GET' }))).not.toBeNull();
    expect(some.of(asked('/api/v1/upload', { ...own, userAgent: 'curl/8' }))).not.toBeNull();
    expect(some.own).toBe(2);
    expect(shown({ includeOwn: true }).of(asked('/api/v1/upload', own))).not.toBeNull();
  });
});

describe('the sink of an agent', () => {
  function sinkOf(batchRows: number) {
    const batches: SealedBatch[] = [];
    let nowMs = 0;
    let rows = 0;
    let bytes = 0;
    const sink = new AgentSink({
      encoder: {
        add: ({ id }) => {
          rows += 1;
          bytes += id;
        },
        get rows() {
          return rows;
        },
        get bytes() {
          return bytes;
        },
        take: () => {
          rows = 0;
          bytes = 0;
          return Buffer.alloc(1);
        },
      },
      append: (batch) => batches.push(batch),
      shown: (exchange) => (exchange.position === 99 ? null : exchange),
      batchRows,
      batchMs: 1000,
      now: () => nowMs,
    });
    return {
      sink,
      rows: () => batches.map((batch) => batch.rows),
      wait: (ms: number) => {
        nowMs += ms;
        sink.tick();
      },
    };
  }

  it('closes a batch by its exchanges, by its age, by its size, and at the end', async () => {
    const { sink, rows, wait } = sinkOf(3);
    for (let index = 0; index < 4; index += 1) sink.exchange(buildExchange());
    expect(rows()).toEqual([3]);
    wait(999);
    expect(rows()).toEqual([3]);
    wait(1);
    expect(rows()).toEqual([3, 1]);
    // Nothing to send.
    wait(5000);
    sink.exchange(buildExchange({ id: 3 * MIB }));
    expect(rows()).toEqual([3, 1, 1]);
    sink.exchange(buildExchange());
    sink.exchange(buildExchange({ position: 99 }));
    await sink.finish();
    await sink.abort();
    expect(rows()).toEqual([3, 1, 1, 1]);
    expect(sink.exchanges).toBe(6);
    expect(sink.drain()).toBeNull();
  });
});

describe('the memory of an agent', () => {
  it('lets the pipeline hold less while it is above its limit, tells it once, and takes it back', () => {
    const limits = { ...LIMITS, connections: 16_384 };
    let bytes = 300 * MIB;
    const guard = new MemoryGuard({ limits, limitBytes: 256 * MIB, log, residentBytes: () => bytes });
    lines.length = 0;
    for (let second = 0; second < 30; second += 1) guard.tick(second * 1000);
    expect(limits.connections).toBe(1024);
    expect(limits.pendingBytesTotal).toBeLessThan(LIMITS.pendingBytesTotal / 32);
    expect(guard.timesAbove).toBe(30);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('memory is above --max-memory');
    // Just below is not far enough: it would go up and down.
    bytes = 250 * MIB;
    for (let second = 30; second < 40; second += 1) guard.tick(second * 1000);
    expect(limits.connections).toBe(1024);
    bytes = 200 * MIB;
    for (let second = 40; second < 80; second += 1) guard.tick(second * 1000);
    expect(guard.share).toBe(1);
    expect(limits).toEqual({ ...LIMITS, connections: 16_384 });
    expect(guard.timesAbove).toBe(30);
  });
});

describe('the status of an agent', () => {
  let server: StatusServer | null = null;
  afterEach(async () => {
    await server?.close();
    server = null;
  });

  function ask(path: string, method = 'GET'): Promise<[number | undefined, string]> {
    return new Promise((resolve, reject) => {
      get(`${server?.url}${path}`, { method, agent: false }, (answer) => {
        let text = '';
        answer.on('data', (piece) => (text += piece));
        answer.on('end', () => resolve([answer.statusCode, text]));
      }).on('error', reject);
    });
  }

  it('is answered on paths of its own, and to nothing else', async () => {
    let reason: string | null = null;
    server = await startStatusServer(
      { host: '127.0.0.1', port: 0 },
      { unhealthy: () => null, unready: () => reason, metrics: () => 'metrics\n' },
    );
    expect(await ask('/healthz')).toEqual([200, 'ok\n']);
    expect(await ask('/readyz?verbose')).toEqual([200, 'ok\n']);
    reason = 'the spool cannot be written';
    expect(await ask('/readyz')).toEqual([503, 'the spool cannot be written\n']);
    expect(await ask('/metrics')).toEqual([200, 'metrics\n']);
    expect((await ask('/../etc/passwd'))[0]).toBe(404);
    expect((await ask('/metrics', 'POST'))[0]).toBe(405);
  });

  it('says what to do when the address is taken', async () => {
    const answers = { unhealthy: () => null, unready: () => null, metrics: () => '' };
    server = await startStatusServer({ host: '127.0.0.1', port: 0 }, answers);
    const port = Number(server.url.split(':').at(-1));
    await expect(startStatusServer({ host: '127.0.0.1', port }, answers)).rejects.toMatchObject({
      name: 'UserError',
      message: `something listens on 127.0.0.1:${port} already`,
      hint: expect.stringContaining('--status-listen'),
    });
  });
});
