import { describe, expect, it } from 'vitest';
import { linesOf, queryPerTest } from '../../test/query-run.ts';
import { type StubServer, storedRow } from '../../test/stub-server.ts';

let stub: StubServer;
const query = queryPerTest((begun) => {
  stub = begun;
});

describe('one exchange', () => {
  it('shows its phases, who saw it, and where its time went', async () => {
    stub.answers.set('/api/v1/exchanges/7', {
      exchange: storedRow(7, { anomalies: '["early-response"]', request_headers: '[["accept","*/*"]]' }),
      observations: [
        storedRow(7, { agent: 'agent-a', node: 'node-a', pod: 'web-1', namespace: 'shop' }),
        storedRow(7, { agent: 'node-b', node: 'node-b', wait_ms: 9.1, total_ms: 10.5 }),
      ],
      apart: { client_side_ms: 12.75, server_side_ms: 9.35, network_ms: 3.4, clock_offset_ms: -4.2 },
    });
    const { code, out } = await query(['--id', '7'], { env: { COLUMNS: '140' } });
    expect(code).toBe(0);
    const row = (start: string): string => linesOf(out).find((line) => line.trim().startsWith(start)) ?? '';
    expect(row('Exchange 7')).toBe('Exchange 7  GET shop.test/cart/7 -> 200 OK');
    expect(row('wait')).toMatch(/12\.5 ms +█/);
    expect(row('seen by')).toContain('node-a and 1 other');
    expect(row('client side')).toMatch(/12\.8 ms {2}█+$/);
    // The way there and the way back, with the server between them.
    expect(row('network')).toMatch(/3\.40 ms {2}█+ +█+$/);
    expect(row('server side')).toMatch(/9\.35 ms {3,}█+$/);
    expect(out.replace(/\s+/g, ' ')).toContain("the server side's clock is about 4.20 ms behind");
    expect(row('agent-a (shop/web-1 on node-a)')).toMatch(/12\.5 ms/);
    expect(row('node-b')).toMatch(/9\.10 ms/);
    expect(row('accept')).toBe('  accept: */*');
    expect(row('early-response:')).not.toBe('');
    const bars = linesOf(out).filter((line) => line.includes('█'));
    expect(Math.max(...bars.map((line) => line.length))).toBeLessThanOrEqual(140);
    const json = await query(['--id', '7', '-f', 'json']);
    expect(JSON.parse(json.out)).toEqual(stub.answers.get('/api/v1/exchanges/7'));
  });

  it('says that the network is unknown where no two saw it at different places', async () => {
    const seenBy = (...agents: readonly string[]) => ({
      exchange: storedRow(7),
      observations: agents.map((agent) => storedRow(7, { agent })),
      apart: null,
    });
    stub.answers.set('/api/v1/exchanges/7', seenBy('a', 'b'));
    const { out } = await query(['--id', '7']);
    expect(out).toContain('Where the time went\n  network unknown');
    expect(out).not.toContain('0 ns');
    stub.answers.set('/api/v1/exchanges/7', seenBy('a'));
    expect((await query(['--id', '7'])).out).not.toContain('Where the time went');
  });

  it('asks for no more columns than the table shows, and for all in other forms', async () => {
    stub.add(storedRow(1));
    await query([]);
    await query(['-f', 'json']);
    const [table, json] = stub.requests
      .filter((request) => request.startsWith('GET /api/v1/exchanges?'))
      .map((request) => new URLSearchParams(request.split('?')[1]));
    expect(table.get('columns')?.split(',')).toEqual(
      expect.arrayContaining(['id', 'client_port', 'wait_ms']),
    );
    expect(table.get('columns')).not.toContain('request_headers');
    expect(json.has('columns')).toBe(false);
  });

  it('takes an answer of a stranger for what it is', async () => {
    const evil = {
      method: '\u001b[2J',
      reason: '\u0007',
      request_headers: '[["x","\\u001b[31m"],7,{}]',
      anomalies: '{"a":1}',
      ending: '\u202e',
    };
    stub.answers.set('/api/v1/exchanges/7', { exchange: storedRow(7, evil), observations: [], apart: null });
    const { code, out } = await query(['--id', '7']);
    expect(code).toBe(0);
    expect(out).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    for (const strange of [[], { exchange: 7 }, { exchange: {}, observations: [7] }]) {
      stub.answers.set('/api/v1/exchanges/7', strange);
      const { code: failed, err } = await query(['--id', '7']);
      expect([failed, err]).toEqual([1, expect.stringContaining('not understood')]);
    }
  });
});
