// How a capture ends: signals, limits, a reader that goes away, an interface that does.

import { setTimeout as sleep } from 'node:timers/promises';
import { badEnd, differences } from './agreement.mjs';
import { recordsOf, startCapture, WIRELENS } from './capture.mjs';
import { twoHosts } from './namespaces.mjs';
import { startNginx } from './nginx.mjs';
import { run, start, until } from './programs.mjs';
import { ask, mixed } from './traffic.mjs';

/** SIGTERM and SIGINT in the middle of traffic: what is written is whole, and is what was seen. */
async function signals({ lab, checks }) {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const hosts = twoHosts(lab);
    const nginx = await startNginx(lab, hosts.server);
    const [recording, database] = [lab.file(`${signal}.pcapng`), lab.file(`${signal}.sqlite`)];
    const capture = await startCapture(hosts.client, ['-i', 'eth0', '-w', recording, '-o', database]);
    const plan = { host: hosts.address, together: 8, connections: 8, requests: 50, lastingMs: 2500 };
    const asked = ask(hosts.client, { ...plan, kinds: ['small', 'page'] });
    await sleep(1200);
    const beganMs = Date.now();
    const end = await capture.stop(signal);
    const tookMs = Date.now() - beganMs;
    await asked;
    const log = await nginx.stop();
    const logged = new Set(log.map(({ request }) => request.split(' ')[1]));
    const again = recordsOf(run(process.execPath, WIRELENS, 'analyze', recording, '--format', 'json'));
    const rows = Number(run('sqlite3', database, 'SELECT count(*) FROM exchanges'));
    const sound = run('sqlite3', database, 'PRAGMA integrity_check').trim();
    const complete = end.exchanges.filter(({ outcome }) => outcome === 'complete');
    const problems = badEnd(end);
    if (complete.length < 100) problems.push(`only ${complete.length} complete exchanges before the signal`);
    if (end.exchanges.length - complete.length > 8)
      problems.push('more than one open exchange for each connection');
    if (complete.some(({ target }) => !logged.has(target)))
      problems.push('an exchange that the server has not logged');
    if (rows !== end.exchanges.length) problems.push(`${rows} rows for ${end.exchanges.length} exchanges`);
    if (again.length !== end.exchanges.length) problems.push(`${again.length} in the recording`);
    if (sound !== 'ok') problems.push(`SQLite: ${sound}`);
    if (!/packets/.test(end.stderr)) problems.push(`no totals: ${end.stderr}`);
    if (tookMs > 5000) problems.push(`it took ${tookMs} ms to end`);
    checks.report(`${signal} under load: ${complete.length} exchanges, files whole`, problems);
  }
}

/** --duration and -c end it without a signal. */
async function limits({ lab, checks }) {
  const hosts = twoHosts(lab);
  const nginx = await startNginx(lab, hosts.server);
  const file = lab.file('count.pcapng');
  const counted = await startCapture(hosts.client, ['-i', 'eth0', '-c', '50', '-w', file]);
  const timed = await startCapture(hosts.client, ['-i', 'eth0', '--duration', '4s']);
  await mixed(hosts.client, hosts.address);
  const counts = await Promise.race([counted.ended, sleep(5000, null)]);
  const end = await Promise.race([timed.ended, sleep(10_000, null)]);
  const log = await nginx.stop();
  checks.report('--duration 4s', [
    ...(end === null ? ['it went on'] : [...badEnd(end), ...differences(recordsOf(end.stdout), log)]),
  ]);
  const packets = counts === null ? -1 : run('tcpdump', '-n', '-r', file).split('\n').length - 1;
  checks.report('-c 50', [
    ...(counts === null ? ['it went on'] : badEnd(counts)),
    ...(packets === 50 ? [] : [`${packets} packets are recorded`]),
  ]);
}

/** `wirelens capture | head -5`: the reader goes away. */
async function brokenPipe({ lab, checks }) {
  const hosts = twoHosts(lab);
  const nginx = await startNginx(lab, hosts.server);
  const words = [process.execPath, WIRELENS, 'capture', '-i', 'eth0', '--format', 'json'];
  const line = `${words.map((word) => `'${word}'`).join(' ')} | head -n 5; echo "ended with \${PIPESTATUS[0]}"`;
  const pipe = start([...hosts.client.in, 'bash', '-c', line]);
  await until(() => pipe.text('stderr').includes('\n'), 'start of a capture in a pipe');
  await mixed(hosts.client, hosts.address);
  const end = await Promise.race([pipe.ended, sleep(5000, null)]);
  await nginx.stop();
  checks.report('the reader of a pipe goes away', [
    ...(end === null ? ['it went on'] : []),
    ...(end !== null && end.stdout.split('\n').length !== 7 ? [`five lines were wanted: ${end.stdout}`] : []),
    ...(end !== null && /Error|\n {4}at /.test(end.stderr) ? [end.stderr] : []),
  ]);
}

/** A pod restarts: its interface goes away and one of the same name comes. */
async function replaced({ lab, checks }) {
  for (const interfaceName of ['eth0', 'any']) {
    const hosts = twoHosts(lab);
    const nginx = await startNginx(lab, hosts.server);
    const capture = await startCapture(hosts.client, ['-i', interfaceName]);
    await mixed(hosts.client, hosts.address, { tag: 'before' });
    hosts.client.ip('link', 'delete', 'eth0');
    await sleep(1000);
    lab.veth(hosts.client, 'eth0', hosts.server, 'eth0');
    hosts.client.up('eth0', '10.9.0.1/24');
    hosts.server.up('eth0', '10.9.0.2/24');
    // It is looked for some times a second.
    await sleep(1000);
    await mixed(hosts.client, hosts.address, { tag: 'after' });
    const end = await capture.stop();
    const log = await nginx.stop();
    checks.report(`an interface goes away and comes back, on ${interfaceName}: ${log.length} requests`, [
      ...differences(end.exchanges, log),
      ...badEnd(end),
      ...(['eth0 is gone', 'eth0 is back'].every((words) => told(words, end.stderr))
        ? []
        : [`it is not told: ${end.stderr}`]),
    ]);
  }
}

/** Whether these words are said, once. */
function told(words, stderr) {
  return stderr.split(words).length === 2;
}

/** An interface that does not exist: those that do are named. */
async function absent({ lab, checks }) {
  const hosts = twoHosts(lab);
  const words = [process.execPath, WIRELENS, 'capture', '-i', 'eth7'];
  const { code, stderr } = await start([...hosts.client.in, ...words]).ended;
  checks.report('an interface that does not exist', [
    ...(code === 0 ? ['it ended with 0'] : []),
    ...(stderr.includes('eth7') && /\beth0\b/.test(stderr) ? [] : [stderr]),
  ]);
  const list = hosts.client.run(process.execPath, WIRELENS, 'interfaces');
  checks.report('wirelens interfaces', [
    ...(['eth0', '10.9.0.1', 'fd09::1', 'lo'].every((word) => list.includes(word)) ? [] : [list]),
  ]);
}

export const scenarios = [
  { name: 'signals', run: signals },
  { name: 'limits', run: limits },
  { name: 'pipe', run: brokenPipe },
  { name: 'replaced', run: replaced },
  { name: 'absent', run: absent },
];
