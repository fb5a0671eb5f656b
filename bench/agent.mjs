// What an agent costs: nginx asked at a fixed rate over a veth pair, an agent beside it that captures on all interfaces
// and sends to a server. Processor time of the agent from the scheduler, memory from /proc.
//
//     node bench/agent.mjs [--rates 0,1000,5000] [--seconds N] [--warm N] [--away] [--wirelens bin/wirelens.js]
//
// Each rate is measured with connections that are kept and with a new connection for each request. --away: without a
// server, so that everything goes to the spool. Needs root, nginx and network namespaces. Nothing passes or fails here.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Lab, twoHosts } from '../scripts/checks/live/namespaces.mjs';
import { startNginx } from '../scripts/checks/live/nginx.mjs';
import { installed, start, until } from '../scripts/checks/live/programs.mjs';
import { peakBytes, processorNs } from './live/processor-time.mjs';

const { values } = parseArgs({
  options: {
    rates: { type: 'string', default: '0,1000,5000' },
    seconds: { type: 'string', default: '15' },
    warm: { type: 'string', default: '20' },
    away: { type: 'boolean', default: false },
    wirelens: { type: 'string', default: path.resolve(import.meta.dirname, '../bin/wirelens.js') },
  },
});
const seconds = Number(values.seconds);
const rates = values.rates.split(',').map(Number);
if (!(seconds > 0) || rates.some((rate) => !(rate >= 0))) {
  console.error('bench: --seconds and --rates take numbers');
  process.exit(2);
}
if (process.platform !== 'linux' || process.getuid() !== 0 || !installed('nginx') || !installed('ip')) {
  console.error('bench: it needs Linux, root, nginx and ip');
  process.exit(1);
}

/** A client that asks at a fixed rate: so many every 10 ms, each on a connection of its own or on one of 64 that are kept. */
const LOAD = `
  const http = require('node:http');
  const [, address, rate, kept] = process.argv;
  const agent = new http.Agent({ keepAlive: kept === 'true', maxSockets: kept === 'true' ? 64 : Infinity });
  let owed = 0, last = performance.now(), number = 0;
  setInterval(() => {
    const now = performance.now();
    owed += (now - last) / 1000 * Number(rate);
    last = now;
    for (; owed >= 1; owed -= 1) {
      number += 1;
      const path = '/small/' + (number % 500) + '?user=' + (number % 97);
      http.get({ host: address, port: 8000, path, agent }, (answer) => answer.resume()).on('error', () => {});
    }
  }, 10);
`;

console.log(
  `agent on all interfaces, ${values.away ? 'server away' : 'server on the same host'}, ${seconds} s each`,
);
console.log(
  'rate asked  connections  exchanges/s  CPU of one core  µs/exchange  bytes sent/exchange  RSS MB  peak MB  dropped  lost',
);
for (const rate of rates)
  for (const kept of rate === 0 ? [true] : [true, false]) console.log(await once(rate, kept));

async function once(rate, kept) {
  const lab = new Lab();
  try {
    const { client, server, address } = twoHosts(lab);
    const nginx = await startNginx(lab, server);
    if (!values.away) {
      const central = start([
        ...server.in,
        process.execPath,
        values.wirelens,
        ...['server', '--data', lab.file('data'), '--log-format', 'json'],
      ]);
      await until(() => central.text('stderr').includes('listens'), 'start of the server', 60_000);
    }
    const agent = start([
      ...server.in,
      process.execPath,
      values.wirelens,
      ...['agent', '-i', 'any', '--spool', lab.file('spool'), '--log-format', 'json'],
    ]);
    await until(() => agent.text('stderr').includes('sends exchanges'), 'start of the agent', 60_000);
    const load =
      rate === 0
        ? null
        : spawn(...split([...client.in, process.execPath, '-e', LOAD, address, String(rate), String(kept)]), {
            stdio: ['ignore', 'inherit', 'inherit'],
          });
    // V8 compiles what is hot during the first seconds, which an agent that runs for weeks pays once.
    await sleep(Number(values.warm) * 1000);
    const { pid } = agent.child;
    const bytesBefore = await metric(server, 'upload_bytes_total');
    const sentBefore = await metric(server, 'exchanges_sent_total');
    const before = {
      ns: processorNs(pid),
      at: performance.now(),
      exchanges: await metric(server, 'exchanges_total'),
    };
    await sleep(seconds * 1000);
    const exchanges = (await metric(server, 'exchanges_total')) - before.exchanges;
    const took = (performance.now() - before.at) / 1000;
    const spentNs = processorNs(pid) - before.ns;
    const sent = (await metric(server, 'exchanges_sent_total')) - sentBefore;
    const bytes = (await metric(server, 'upload_bytes_total')) - bytesBefore;
    const dropped = await metric(server, 'packets_dropped_total');
    const lost = await metric(server, 'exchanges_dropped_total');
    const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
    const peak = peakBytes(pid) / 1e6;
    load?.kill('SIGKILL');
    agent.child.kill('SIGTERM');
    await agent.ended;
    await nginx.stop();
    return [
      String(rate).padStart(10),
      (kept ? 'kept' : 'new').padStart(11),
      (exchanges / took).toFixed(0).padStart(11),
      `${((spentNs / 1e9 / took) * 100).toFixed(2)} %`.padStart(15),
      exchanges < 100 ? ''.padStart(11) : (spentNs / 1000 / exchanges).toFixed(1).padStart(11),
      (sent < 100 ? '' : (bytes / sent).toFixed(1)).padStart(19),
      rss.toFixed(0).padStart(6),
      peak.toFixed(0).padStart(7),
      String(dropped).padStart(7),
      String(lost).padStart(4),
    ].join('  ');
  } finally {
    lab.remove();
  }
}

async function metric(host, name) {
  const child = start([...host.in, 'curl', '-s', 'http://127.0.0.1:9101/metrics']);
  const { stdout } = await child.ended;
  let sum = 0;
  for (const [, value] of stdout.matchAll(
    new RegExp(`^wirelens_agent_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'),
  ))
    sum += Number(value);
  return sum;
}

function split([command, ...args]) {
  return [command, args];
}
