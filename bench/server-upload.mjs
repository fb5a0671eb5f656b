// Exchanges per second that a server takes over HTTP and stores durably: gzip'd batches of 2000 rows, a few requests at
// once, the server on one core (taskset) where that is possible. `--rows N` (400000), `--at-once N` (4), `--batch N` (2000).
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { rows: { type: 'string' }, 'at-once': { type: 'string' }, batch: { type: 'string' } },
});
const rows = Number(values.rows ?? 400_000);
const atOnce = Number(values['at-once'] ?? 4);
const perBatch = Number(values.batch ?? 2000);
const program = process.env.WIRELENS_PROGRAM ?? fileURLToPath(new URL('../bin/wirelens.js', import.meta.url));
const dist = pathToFileURL(path.join(path.dirname(program), program.includes('bin') ? '../dist/' : 'dist/'));
const { RowBatchBuilder } = await import(new URL('transfer/batch-builder.js', dist).href);
const { encodeBatch } = await import(new URL('transfer/encode-batch.js', dist).href);

const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-bench-'));
const pinned = spawnSync('taskset', ['-c', '0', 'true']).status === 0 ? ['taskset', '-c', '0'] : [];
const command = [...pinned, process.execPath, program, 'server', '--listen', '127.0.0.1:0', '--data', folder];
const server = spawn(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
const url = await new Promise((resolve, reject) => {
  let log = '';
  server.stderr.on('data', (text) => {
    log += text;
    const found = /"url":"([^"]+)"/.exec(log);
    if (found !== null) resolve(new URL(found[1]));
  });
  server.once('exit', () => reject(new Error(log)));
});

// Bodies are made before, so that the other core only sends.
const bodies = Array.from({ length: Math.ceil(rows / perBatch) }, (_, index) => body(index));
const bytes = bodies.reduce((sum, { length }) => sum + length, 0);
const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
const times = [];
let next = 0;
const began = performance.now();
const cpuBefore = cpuSeconds();
await Promise.all(Array.from({ length: atOnce }, worker));
const seconds = (performance.now() - began) / 1000;
const cpu = cpuSeconds() - cpuBefore;
const cpuUs = (cpu * 1e6) / (bodies.length * perBatch);
times.sort((one, other) => one - other);
const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))].toFixed(0);
console.log(
  `${bodies.length * perBatch} exchanges in ${bodies.length} batches, ${(bytes / bodies.length / perBatch).toFixed(1)} bytes each, ${atOnce} at once`,
);
console.log(
  `${Math.round((bodies.length * perBatch) / seconds)} exchanges/s durable; answer p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; server ${cpuUs.toFixed(1)} µs of processor a row, all threads${pinned.length > 0 ? ', on one core' : ''}: ${Math.round(1e6 / cpuUs)} rows/s if it has all of it`,
);
agent.destroy();
server.removeAllListeners('exit');
server.once('exit', () => rmSync(folder, { recursive: true, force: true }));
server.kill('SIGTERM');

async function worker() {
  while (next < bodies.length) {
    const index = next++;
    const start = performance.now();
    const status = await post(bodies[index], index + 1);
    if (status !== 200) throw new Error(`answered ${status}`);
    times.push(performance.now() - start);
  }
}

function post(content, number) {
  const headers = {
    'content-type': 'application/vnd.wirelens.batch+json',
    'content-encoding': 'gzip',
    'content-length': content.length,
    'x-wirelens-agent': 'bench',
    'x-wirelens-stream': 'bench',
    'x-wirelens-batch': String(number),
  };
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: url.hostname, port: url.port, agent, method: 'POST', path: '/api/v1/upload', headers },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode));
      },
    );
    asked.on('error', reject);
    asked.end(content);
  });
}

function cpuSeconds() {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function body(number) {
  const builder = new RowBatchBuilder();
  for (let index = 0; index < perBatch; index++) {
    const one = number * perBatch + index;
    const waitMs = 1 + ((one * 7919) % 100_000) / 1000;
    builder.add({
      started_us: 1_795_246_920_000_000 + one * 50,
      started_ns: 0,
      connection_id: one % 5000,
      position: 1 + (one % 40),
      client: `10.244.${one % 16}.${(one * 31) % 250}`,
      client_port: 32_768 + ((one * 17) % 28_000),
      server: `10.96.0.${one % 50}`,
      server_port: 8080,
      method: one % 5 === 0 ? 'POST' : 'GET',
      host: `service-${one % 50}.shop`,
      target: `/api/v1/orders/${one}?page=${one % 9}`,
      path: `/api/v1/orders/${one}`,
      route: '/api/v1/orders/{id}',
      http_version: '1.1',
      response_http_version: '1.1',
      status: one % 97 === 0 ? 503 : 200,
      reason: 'OK',
      outcome: 'complete',
      pairing: 'exact',
      send_ms: 0,
      wait_ms: waitMs,
      receive_ms: 0.25,
      total_ms: waitMs + 0.25,
      request_header_bytes: 180 + (one % 30),
      request_body_bytes: 0,
      response_header_bytes: 220,
      response_body_bytes: 1000 + ((one * 13) % 9000),
      request_media_type: null,
      response_media_type: 'application/json',
      user_agent: 'shop/2.1',
      request_packet: one * 6,
      response_packet: one * 6 + 2,
      request_lost_bytes: 0,
      response_lost_bytes: 0,
      request_retransmissions: 0,
      response_retransmissions: 0,
      request_out_of_order: 0,
      response_out_of_order: 0,
      client_zero_windows: 0,
      server_zero_windows: 0,
      anomaly_count: 0,
      places: 1,
      uid: ((BigInt(one) * 2654435761n) & 0xffffffffffffffffn).toString(16).padStart(16, '0'),
    });
  }
  return encodeBatch(builder.take());
}
