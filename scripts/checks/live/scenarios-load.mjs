// Much at once: keep-alive under wrk, thousands of short connections, deep pipelines, packets cut short.

import { badEnd, differences } from './agreement.mjs';
import { startCapture } from './capture.mjs';
import { exercise } from './exercise.mjs';
import { twoHosts } from './namespaces.mjs';
import { startNginx } from './nginx.mjs';
import { runAside } from './programs.mjs';
import { ask } from './traffic.mjs';

const SECONDS = 3;

/** wrk asks for the same target again and again, so it is the numbers that must agree. */
async function wrk({ lab, checks }) {
  const hosts = twoHosts(lab);
  const nginx = await startNginx(lab, hosts.server);
  const capture = await startCapture(hosts.client, ['-i', 'eth0', '--buffer', '256MiB']);
  const url = `http://${hosts.address}:8000/page/wrk`;
  await runAside([...hosts.client.in, 'wrk', '-t1', '-c32', `-d${SECONDS}s`, url]);
  const end = await capture.stop();
  const log = await nginx.stop();
  const complete = end.exchanges.filter(({ outcome }) => outcome === 'complete');
  const cut = end.exchanges.length - complete.length;
  // wrk leaves in the middle of its last requests, one on each connection at most; nginx logs most of them.
  const problems = badEnd(end);
  if (cut > 32) problems.push(`${cut} exchanges are not complete`);
  if (Math.abs(end.exchanges.length - log.length) > 32)
    problems.push(`${end.exchanges.length} exchanges of ${log.length} in the log`);
  const positions = new Set(complete.map(({ client, position }) => `${client.split(':')[1]} ${position}`));
  const absent = log.filter(
    ({ clientPort, position, status, bodyBytes }) =>
      status === 200 && bodyBytes === 2500 && !positions.has(`${clientPort} ${position}`),
  );
  if (absent.length > 32) problems.push(`${absent.length} requests of the log are not in the capture`);
  if (positions.size !== complete.length) problems.push('an exchange is there twice');
  const rate = Math.round(log.length / SECONDS);
  checks.report(`wrk, about ${Math.round(rate / 1000)},000 exchanges/s: ${log.length} in the log`, problems);
}

async function many(t) {
  const hosts = twoHosts(t.lab);
  const base = { host: hosts.address, kinds: ['small', 'missing', 'empty'] };
  await exercise(t, 'short connections', {
    ...hosts,
    traffic: () => ask(hosts.client, { ...base, connections: 3000, together: 50 }),
  });
  await exercise(t, 'pipelines of 64', {
    ...hosts,
    traffic: () => ask(hosts.client, { ...base, connections: 20, requests: 256, depth: 64 }),
  });
}

async function snaplen({ lab, checks }) {
  const hosts = twoHosts(lab);
  const nginx = await startNginx(lab, hosts.server);
  // 128 bytes hold the headers of Ethernet, IP and TCP and 62 bytes: the whole of a short request, not of an answer.
  const capture = await startCapture(hosts.client, ['-i', 'eth0', '--snaplen', '128']);
  await ask(hosts.client, { host: hosts.address, connections: 20, requests: 10, kinds: ['page', 'small'] });
  const end = await capture.stop();
  const log = await nginx.stop();
  const problems = badEnd(end);
  for (const [index, { id, request, status }] of log.entries()) {
    const [method, target] = request.split(' ');
    const found = end.exchanges.filter((one) => one.target === target);
    if (found.length !== 1 || found[0].method !== method || found[0].status !== status)
      problems.push(`${index + 1}. ${id}: ${found.length} exchanges, ${found[0]?.status} for ${status}`);
  }
  checks.report(`128 bytes of each packet: start lines of ${log.length} requests`, problems);
}

/** The capture starts in the middle of connections, and ends in the middle of others. */
async function middle({ lab, checks }) {
  const hosts = twoHosts(lab);
  const nginx = await startNginx(lab, hosts.server);
  const plan = { host: hosts.address, connections: 8, requests: 200, pauseMs: 5 };
  const before = ask(hosts.client, { ...plan, tag: 'running' });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const capture = await startCapture(hosts.client, ['-i', 'eth0']);
  await ask(hosts.client, { ...plan, requests: 20, tag: 'inside' });
  await before;
  const end = await capture.stop();
  const log = await nginx.stop();
  const inside = end.exchanges.filter((one) => one.target?.includes('/inside'));
  const running = end.exchanges.filter((one) => one.target?.includes('/running') && one.status === 200);
  // What it saw of the running ones is the end of each connection, without a hole.
  const numbers = new Map();
  for (const { target } of running) {
    const [, connection, number] = /-(\d+)-(\d+)$/.exec(target).map(Number);
    numbers.set(connection, [...(numbers.get(connection) ?? []), number]);
  }
  const holes = [...numbers].filter(([, list]) => list.at(-1) !== 199 || list.length !== 200 - list[0]);
  checks.report('begun in the middle of connections', [
    ...badEnd(end),
    ...differences(
      inside,
      log.filter(({ request }) => request.includes('/inside')),
    ),
    ...(numbers.size === 8 ? [] : [`${numbers.size} of 8 running connections are seen`]),
    ...holes.map(([connection, list]) => `running connection ${connection}: ${list.length} from ${list[0]}`),
  ]);
}

export const scenarios = [
  { name: 'wrk', run: wrk },
  { name: 'many', run: many },
  { name: 'snaplen', run: snaplen },
  { name: 'middle', run: middle },
];
