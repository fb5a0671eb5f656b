import { afterAll, describe, expect, it } from 'vitest';
import { BATCH_HEADERS, batchBody, exchangeRow, runServer } from '../../test/server/run-server.ts';

/** As LightObs' agent sends it (pkg/model/traffic.go). */
const RECORD = {
  timestamp: '2026-11-21T07:42:00.123456789Z',
  src_ip: '10.244.0.7',
  src_port: 40_123,
  dst_ip: '10.244.0.9',
  dst_port: 80,
  pid: 0,
  http_method: 'GET',
  http_path: '/index.html?a=1',
  status_code: 200,
  latency_ms: 12,
  packet_size: 615,
};

describe('LightObs agents and clients', async () => {
  const server = await runServer();
  afterAll(() => server.running.close());
  const post = (record: unknown) => server.ask('POST', '/api/v1/upload', { body: JSON.stringify(record) });
  const query = async (parameters: string) => (await server.ask('GET', `/api/v1/query?${parameters}`)).json;

  it('gives back the 11 fields of what was sent', async () => {
    const answer = await post(RECORD);
    expect([answer.status, answer.text]).toEqual([204, '']);
    const [row] = await query('ip=10.244.0.7');
    expect(row).toEqual({ ...RECORD, timestamp: '2026-11-21T07:42:00.123456Z' });
    expect(Object.keys(row)).toEqual(Object.keys(RECORD));
  });

  it('finds an address on either side, in every way to write it, newest first', async () => {
    await post({ ...RECORD, src_ip: '2001:db8::1', dst_ip: 'fd00::2', timestamp: '2026-11-21T08:00:00Z' });
    await post({
      ...RECORD,
      src_ip: 'fd00::2',
      dst_ip: '2001:db8::9',
      timestamp: '2026-11-21T09:00:00+01:00',
      http_path: '/2',
    });
    await post({
      ...RECORD,
      src_ip: 'fd00::2',
      dst_ip: '::ffff:10.1.1.1',
      timestamp: '2026-11-21T07:00:00Z',
      http_path: '/3',
    });
    const paths = (rows: { http_path: string }[]) => rows.map(({ http_path }) => http_path);
    expect(paths(await query('ip=fd00::2'))).toEqual(['/2', '/index.html?a=1', '/3']);
    expect(paths(await query('ip=FD00:0:0::0002'))).toHaveLength(3);
    expect(paths(await query('ip=10.1.1.1'))).toEqual(['/3']);
    expect(paths(await query('ip=%20::ffff:10.1.1.1'))).toEqual(['/3']);
    expect(await query('ip=192.0.2.1')).toEqual([]);
  });

  it('takes a limit from 1 to 2000, and 200 for anything else', async () => {
    const rows = Array.from({ length: 210 }, (_, index) =>
      exchangeRow({ client: '10.9.9.9', started_us: 1e15 + index }),
    );
    await server.ask('POST', '/api/v1/upload', { headers: BATCH_HEADERS, body: batchBody(rows) });
    const counts: Record<string, number> = {
      '': 200,
      '&limit=': 200,
      '&limit=0': 200,
      '&limit=-1': 200,
      '&limit=1': 1,
      '&limit=%2B3': 3,
      '&limit=210': 210,
      '&limit=2000': 210,
      '&limit=2001': 200,
      '&limit=ten': 200,
      '&limit=5.5': 200,
      '&limit=5&limit=7': 5,
      '&other=1': 200,
    };
    for (const [limit, count] of Object.entries(counts))
      expect([limit, (await query(`ip=10.9.9.9${limit}`)).length]).toEqual([limit, count]);
  });

  it('knows no process, and wants an address or a process', async () => {
    expect(await query('pid=17&ip=10.244.0.7')).toEqual([]);
    expect(await query('pid=0&ip=10.244.0.7')).toHaveLength(1);
    for (const parameters of ['', 'pid=0', 'ip=', 'ip=nothing', 'pid=x']) {
      const answer = await server.ask('GET', `/api/v1/query?${parameters}`);
      expect([parameters, answer.status, typeof answer.json.error]).toEqual([parameters, 400, 'string']);
    }
  });

  it('shows whole milliseconds until the first byte, and the bytes of the response', async () => {
    const row = exchangeRow({
      client: '10.8.8.8',
      send_ms: 0.75,
      wait_ms: 12.5,
      receive_ms: 100,
      total_ms: 113.25,
    });
    await server.ask('POST', '/api/v1/upload', { headers: BATCH_HEADERS, body: batchBody([row]) });
    expect((await query('ip=10.8.8.8'))[0]).toMatchObject({ latency_ms: 13, packet_size: 1000, pid: 0 });
  });

  const wrong: readonly [string, unknown][] = [
    ['no address', { ...RECORD, src_ip: 'localhost' }],
    ['an empty address', { ...RECORD, dst_ip: '' }],
    ['port 0', { ...RECORD, src_port: 0 }],
    ['port 65536', { ...RECORD, dst_port: 65_536 }],
    ['no method', { ...RECORD, http_method: '' }],
    ['no path', { ...RECORD, http_path: '' }],
    ['status 0', { ...RECORD, status_code: 0 }],
    ['a text for a port', { ...RECORD, src_port: '80' }],
    ['an array', [RECORD]],
    ['null', null],
  ];
  for (const [what, record] of wrong) {
    it(`answers ${what} with 400 and an error`, async () => {
      const before = (await server.store.facts()).exchanges;
      const answer = await post(record);
      expect([answer.status, typeof answer.json.error]).toEqual([400, 'string']);
      expect((await server.store.facts()).exchanges).toBe(before);
    });
  }

  it('answers what is no JSON with 400', async () => {
    const answer = await server.ask('POST', '/api/v1/upload', { body: '{"timestamp":' });
    expect([answer.status, typeof answer.json.error]).toEqual([400, 'string']);
  });
});
