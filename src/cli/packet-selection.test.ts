import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { pcapFile } from '../../fixtures/build/capture-file.ts';
import { ethernet, ip, ipv4, rawIp, tcp, vxlan } from '../../fixtures/build/packets.ts';
import { loadLibpcap } from '../capture/packet-filter/libpcap.ts';
import { EXIT } from '../model/errors.ts';
import { selectionWords, separateWords } from './packet-selection.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'wirelens-packet-filter-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const hasLibpcap = await loadLibpcap().then(
  () => true,
  () => false,
);
const WITHOUT = 'libpcap is not installed';

const WORDS = {};

describe('words of a command line', () => {
  const here = fileURLToPath(import.meta.url);

  it('are files without -r', () => {
    expect(separateWords(['a.pcap', 'tcp'], WORDS)).toEqual({ files: ['a.pcap', 'tcp'], expression: null });
  });

  it('are a filter behind -r, from the first that is no file', () => {
    const separate = (...words: string[]) => separateWords(words, { ...WORDS, read: ['a.pcap'] });
    expect(separate('tcp', 'port', '80')).toEqual({ files: [], expression: 'tcp port 80' });
    expect(separate(here, '-', 'tcp and port 80')).toEqual({
      files: [here, '-'],
      expression: 'tcp and port 80',
    });
    expect(separate('host', here)).toEqual({ files: [], expression: `host ${here}` });
    expect(separate()).toEqual({ files: [], expression: null });
  });

  it('are files when they look like files that are not there', () => {
    for (const word of ['b.pcap', './b', '/tmp/nowhere', '../b', 'b.pcapng.gz', 'trace.pcap12'])
      expect(separateWords([word], { ...WORDS, read: ['a.pcap'] })).toEqual({
        files: [word],
        expression: null,
      });
  });

  it('cannot be a filter beside --packet-filter', () => {
    const flags = { read: ['a.pcap'], packetFilter: 'udp' };
    expect(() => separateWords(['tcp'], flags)).toThrow(/both a filter/);
    expect(separateWords([], flags).expression).toBe('udp');
  });

  it('can be made from the choice again', () => {
    expect(selectionWords('tcp port 80', { host: ['::1', '::2'], net: ['10.0.0.0/8'] })).toEqual([
      '--host', '::1,::2', '--net', '10.0.0.0/8', '--packet-filter', 'tcp port 80',
    ]); // biome-ignore format: one list
  });
});

function wirelens(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'bin/wirelens.js'), ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

/** GET and answer from port 80 of each server to its client. */
function exchange(client: string, server: string, clientPort: number) {
  const [there, back] = [
    { from: clientPort, to: 80 },
    { from: 80, to: clientPort },
  ];
  const request = `GET /${clientPort} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const answer = 'HTTP/1.1 204 No Content\r\n\r\n';
  const send = (from: string, to: string, segment: Parameters<typeof tcp>[0]) =>
    ip({ from, to, payload: tcp(segment) });
  return [
    send(client, server, { ...there, seq: 0, flags: ['syn'] }),
    send(server, client, { ...back, seq: 0, ack: 1, flags: ['syn', 'ack'] }),
    send(client, server, { ...there, seq: 1, ack: 1, flags: ['psh', 'ack'], payload: request }),
    send(server, client, {
      ...back,
      seq: 1,
      ack: 1 + request.length,
      flags: ['psh', 'ack'],
      payload: answer,
    }),
  ];
}

const packets = [
  ...exchange('10.0.0.1', '10.0.0.9', 4001),
  ...exchange('10.0.7.2', '10.0.0.9', 4002),
  ...exchange('2001:db8::1', '2001:db8::9', 4003),
];
const TRACE = join(folder, 'trace.pcap');
writeFileSync(
  TRACE,
  pcapFile(packets.map((one, at) => ({ timeNs: BigInt(at) * 1_000_000n, frame: ethernet(one) }))),
);

const targets = (...args: string[]) => {
  const { code, out, err } = wirelens(...args, '--format', 'json');
  expect(err, args.join(' ')).not.toContain('internal');
  expect(code, err).toBe(EXIT.fine);
  return out
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).target as string);
};

describe('packets chosen before they are decoded', () => {
  it('by --host and --net, alone and together', () => {
    expect(targets('analyze', TRACE)).toEqual(['/4001', '/4002', '/4003']);
    expect(targets('analyze', TRACE, '--host', '10.0.0.1,2001:db8::1')).toEqual(['/4001', '/4003']);
    expect(targets('analyze', TRACE, '--net', '10.0.7.0/24')).toEqual(['/4002']);
    expect(targets('analyze', TRACE, '--net', '10.0')).toEqual(['/4001', '/4002']);
    expect(targets('analyze', TRACE, '--net', '10.0', '--host', '10.0.0.1')).toEqual(['/4001']);
    expect(targets('analyze', TRACE, '--host', '10.0.0.9', '--port', '4002')).toEqual(['/4002']);
  });

  it('by a tcpdump expression, in an option or behind -r', (context) => {
    if (!hasLibpcap) return context.skip(WITHOUT);
    expect(targets('analyze', TRACE, '--packet-filter', 'ip6 and tcp')).toEqual(['/4003']);
    expect(targets('analyze', '-r', TRACE, 'tcp', 'port', '4001')).toEqual(['/4001']);
    expect(targets('analyze', '-r', TRACE, 'tcp port 4001 or port 4002', '--host', '10.0.7.2')).toEqual([
      '/4002',
    ]);
    expect(targets('tail', '-r', TRACE, '--exit-on-idle', '200ms', 'port', '4002')).toEqual(['/4002']);
  });

  it('keep their numbers, and the others are in the ledger', () => {
    const { out } = wirelens('analyze', TRACE, '--net', '10.0.7.0/24', '--format', 'json');
    expect(JSON.parse(out)).toMatchObject({ id: 1, request: { packet: 7 }, response: { packet: 8 } });
    const summary = wirelens('analyze', TRACE, '--net', '10.0.7.0/24').out;
    expect(summary).toMatch(/12 read = 4 TCP \+ 8 not selected/);
    expect(summary).toMatch(/Ledger\s+balanced/);
  });

  it('in the other commands that read captures', (context) => {
    if (!hasLibpcap) return context.skip(WITHOUT);
    expect(wirelens('stat', '-r', TRACE, '--by', 'target', 'ip6').out).toMatch(/4003/);
    expect(wirelens('stat', '-r', TRACE, '--by', 'target', 'ip6').out).not.toMatch(/400[12]/);
    expect(wirelens('doctor', '-r', TRACE, 'port', '4002').out).toContain('1 request');
    expect(wirelens('show', TRACE, '1', '--packet-filter', 'ip6').out).toContain('/4003');
    const copy = join(folder, 'one.pcapng');
    expect(wirelens('extract', TRACE, '1', '--net', '10.0.7.0/24', '-w', copy).code).toBe(EXIT.fine);
    expect(targets('analyze', copy)).toEqual(['/4002']);
  });

  it('by the outermost addresses, while --port goes into tunnels', () => {
    const frames = exchange('10.9.0.1', '10.9.0.2', 4009).map((inner) =>
      ethernet(ipv4({ from: '10.0.0.1', to: '10.0.0.2', payload: vxlan(ethernet(inner), 5) })),
    );
    const file = join(folder, 'vxlan.pcap');
    writeFileSync(file, pcapFile(frames.map((frame, at) => ({ timeNs: BigInt(at) * 1000n, frame }))));
    expect(targets('analyze', file, '--host', '10.0.0.1', '--port', '80')).toEqual(['/4009']);
    expect(targets('analyze', file, '--host', '10.9.0.1')).toEqual([]);
  });

  it('on link types without a link header', () => {
    const file = join(folder, 'raw.pcap');
    const rows = packets.map((one, at) => ({ timeNs: BigInt(at) * 1000n, frame: rawIp(one) }));
    writeFileSync(file, pcapFile(rows, { linkType: 101 }));
    expect(targets('analyze', file, '--host', '2001:db8::9')).toEqual(['/4003']);
  });
});

describe('mistakes', () => {
  it('are told in one line', (context) => {
    if (!hasLibpcap) return context.skip(WITHOUT);
    const wrong = wirelens('analyze', '-r', TRACE, 'tcp', 'portt', '80');
    expect(wrong.code).toBe(EXIT.usage);
    expect(wrong.err).toMatch(/^wirelens: the expression 'tcp portt 80' cannot be used: syntax error; .*\n$/);
    expect(wirelens('analyze', '-r', TRACE, 'nowhere.pcap').err).toMatch(/nowhere\.pcap: no such file/);
  });

  it('are names in --host, which are not looked up', () => {
    const { code, err } = wirelens('analyze', TRACE, '--host', 'example.com');
    expect([code, err]).toEqual([EXIT.usage, expect.stringContaining('never looked up')]);
  });

  it('are choices of packets where a SQLite file is read', () => {
    const store = join(folder, 'trace.sqlite');
    expect(wirelens('analyze', TRACE, '-o', store).code).toBe(EXIT.fine);
    for (const words of [
      ['--host', '10.0.0.1'],
      ['--net', '10.0.0.0/8'],
      ['--packet-filter', 'tcp'],
    ]) {
      const { code, err } = wirelens('analyze', store, ...words);
      expect(code).toBe(EXIT.usage);
      expect(err).toContain('is about captures, and a SQLite file is read');
    }
  });
});
