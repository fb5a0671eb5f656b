// Times: on a line that takes 20 ms, the reported ones beside curl's own and nginx's, idle and under load.
//
// A single time says little on a machine with two processors: curl may get its turn late, and nginx logs whole
// milliseconds. So each request is compared with what curl said of that very request, and it is the median of the
// differences that must lie within 1 ms: half of all requests would have to be wrong to move it, and a wrong unit, a
// wrong packet or the wrong clock moves all of them. At the client it is the median without the sign, so that times
// which are wrong in both directions show as well. Capture and curl are on the same host, so that load that makes
// the line slower makes both of them slower.

import path from 'node:path';
import { badEnd } from './agreement.mjs';
import { startCapture } from './capture.mjs';
import { badLine } from './line.mjs';
import { startNginx } from './nginx.mjs';
import { runAside, start, until } from './programs.mjs';

const LINE_MS = 20;
const WITHIN_MS = 1;
const REQUESTS = 45;
const SERVER_MS = [0, 5, 40];
const CURL_FORMAT =
  '{"connect":%{time_connect},"ready":%{time_pretransfer},"first":%{time_starttransfer},"total":%{time_total}}\\n';

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

async function latency({ lab, checks }) {
  for (const load of [false, true]) {
    const line = await badLine(lab, { delayMs: LINE_MS });
    const socket = lab.file(`slow-${load}.sock`);
    const slow = start([process.execPath, path.join(import.meta.dirname, 'slow-server.mjs'), socket]);
    await until(() => slow.text('stdout').includes('ready'), 'start of slow-server.mjs');
    const nginx = await startNginx(lab, line.server, { slowSocket: socket });
    const atClient = await startCapture(line.client, ['-i', 'eth0']);
    const atServer = await startCapture(line.server, ['-i', 'eth0']);
    const origin = `http://${line.address}:8000`;
    const wrk = load
      ? start([...line.client.in, 'wrk', '-t1', '-c24', '-d30s', `${origin}/page/load`])
      : null;
    const curls = new Map();
    for (let number = 0; number < REQUESTS; number++) {
      const target = `/slow/${SERVER_MS[number % SERVER_MS.length]}/${number}`;
      // Ahead of the load, so that its times are not those of waiting for a processor.
      const words = [
        'nice',
        '-n',
        '-10',
        'curl',
        '-s',
        '-o',
        '/dev/null',
        '-w',
        CURL_FORMAT,
        `${origin}${target}`,
      ];
      curls.set(target, JSON.parse(await runAside([...line.client.in, ...words])));
    }
    wrk?.child.kill('SIGINT');
    await wrk?.ended;
    const ends = { client: await atClient.stop(), server: await atServer.stop() };
    const log = new Map((await nginx.stop()).map((one) => [one.request.split(' ')[1], one]));
    slow.child.kill();
    const label = `${load ? 'beside wrk' : 'idle'}, ${line.how}`;
    report(checks, label, load, ends, curls, log);
  }
}

function report(checks, label, load, ends, curls, log) {
  const rows = Object.fromEntries(
    Object.entries(ends).map(([side, { exchanges }]) => [
      side,
      exchanges
        .filter(({ target }) => curls.has(target))
        .map((one) => ({ ...one, curl: curls.get(one.target) })),
    ]),
  );
  const { client, server } = rows;
  const ofLog = (one) => log.get(one.target).seconds * 1000;
  const figures = [
    ['handshake at the client beside curl', client, (one) => one.connect_ms - one.curl.connect * 1000],
    [
      'wait at the client beside curl',
      client,
      (one) => one.wait_ms - (one.curl.first - one.curl.ready) * 1000,
    ],
    ['wait at the server beside nginx', server, (one) => one.wait_ms - ofLog(one)],
  ];
  for (const [name, list, difference] of figures) {
    const differencesMs = list.map(difference);
    const middle = median(differencesMs);
    // Where both are taken on the same host, each difference counts and not only where they tend.
    const apart = name.includes('client beside curl')
      ? median(differencesMs.map(Math.abs))
      : Math.abs(middle);
    const good = list.length === REQUESTS && apart <= WITHIN_MS;
    checks.report(
      `latency ${label}: ${name}, ${middle.toFixed(3)} ms apart`,
      good
        ? []
        : [`${list.length} of ${REQUESTS} requests, ${differencesMs.map((ms) => ms.toFixed(2)).join(' ')}`],
    );
  }
  // What a busy machine does to the line only adds: its fastest packets show what it was set to.
  const atServer = new Map(server.map((one) => [one.target, one]));
  const lineTimes = {
    'handshakes at the client': client.map((one) => one.connect_ms),
    'handshakes at the server': server.map((one) => one.connect_ms),
    'waits, the server having its share': client.map(
      (one) => one.wait_ms - atServer.get(one.target)?.wait_ms,
    ),
  };
  for (const [name, times] of load ? [] : Object.entries(lineTimes)) {
    const fastest = times.sort((one, other) => one - other)[Math.floor(times.length / 10)];
    const near = fastest >= LINE_MS - 0.05 && fastest <= LINE_MS + WITHIN_MS;
    checks.report(
      `latency ${label}: the fastest tenth of ${name}, ${fastest?.toFixed(3)} ms on a line of ${LINE_MS} ms`,
      near ? [] : ['not within 1 ms of it'],
    );
  }
  checks.report(`latency ${label}: both captures end well`, [...badEnd(ends.client), ...badEnd(ends.server)]);
}

export const scenarios = [{ name: 'latency', run: latency }];
