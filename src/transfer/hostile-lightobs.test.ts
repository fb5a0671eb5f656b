import { describe, expect, it } from 'vitest';
import { expectSound, refusal } from '../../test/hostile-uploads.ts';
import { decodeLightObs } from './decode-lightobs.ts';
import { rowsOf } from './rows-of.ts';

describe('the record of LightObs', () => {
  const record = {
    timestamp: '2026-11-21T07:42:00.123456789Z',
    src_ip: '10.244.0.5',
    src_port: 40_000,
    dst_ip: '::1',
    dst_port: 80,
    pid: 4711,
    http_method: 'GET',
    http_path: '/users/42',
    status_code: 200,
    latency_ms: 12,
    packet_size: 850,
  };
  const RECEIVED_US = 1_795_246_999_000_000;

  it('becomes a row', () => {
    const batch = decodeLightObs({ ...record, unknown: [1] }, RECEIVED_US);
    expectSound(batch);
    const [row] = rowsOf(batch);
    expect(row).toMatchObject({
      started_us: 1_795_246_920_123_456,
      started_ns: 789,
      client: '10.244.0.5',
      client_port: 40_000,
      server: '::1',
      server_port: 80,
      method: 'GET',
      target: '/users/42',
      route: '/users/{id}',
      status: 200,
      total_ms: 12,
      wait_ms: 12,
      response_body_bytes: 850,
      response_header_bytes: 0,
      outcome: 'complete',
      uid: null,
    });
  });

  it('takes the time of its arrival when it has none, and Go’s zeros for the rest', () => {
    const { timestamp: _time, pid: _pid, latency_ms: _latency, packet_size: _size, ...rest } = record;
    const [row] = rowsOf(decodeLightObs({ ...rest, latency_ms: null }, RECEIVED_US));
    expect(row).toMatchObject({ started_us: RECEIVED_US, total_ms: 0, response_body_bytes: 0 });
  });

  it.each<[string, unknown]>([
    ['no object', []],
    ['null', null],
    ['an address that is none', { ...record, src_ip: 'pod-1' }],
    ['no address', { ...record, dst_ip: undefined }],
    ['an address with a zone', { ...record, dst_ip: 'fe80::1%eth0' }],
    ['port 0', { ...record, src_port: 0 }],
    ['port 65536', { ...record, dst_port: 65_536 }],
    ['a port in words', { ...record, dst_port: '80' }],
    ['no method', { ...record, http_method: '' }],
    ['no path', { ...record, http_path: undefined }],
    ['no status', { ...record, status_code: 0 }],
    ['a status of four digits', { ...record, status_code: 2000 }],
    ['half a millisecond', { ...record, latency_ms: 0.5 }],
    ['a time that is none', { ...record, timestamp: 'yesterday' }],
    ['half a surrogate pair', { ...record, http_path: '/\ud800' }],
  ])('with %s is refused', (_what, wrong) => {
    refusal(() => decodeLightObs(wrong, RECEIVED_US));
  });
});
