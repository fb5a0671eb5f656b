// Who takes the packets from the kernel: another program, npm's cap, or several sockets.

import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { badEnd, differences } from './agreement.mjs';
import { recordsOf, startCapture, WIRELENS } from './capture.mjs';
import { exercise, exerciseAll } from './exercise.mjs';
import { twoHosts } from './namespaces.mjs';
import { startNginx } from './nginx.mjs';
import { run, start, until } from './programs.mjs';
import { mixed } from './traffic.mjs';

/** tcpdump takes the packets: `tcpdump -w - | wirelens capture -`. */
async function standardInput({ lab, checks }) {
  const hosts = twoHosts(lab);
  const nginx = await startNginx(lab, hosts.server);
  const tcpdump = start(
    [...hosts.client.in, 'tcpdump', '-i', 'eth0', '-U', '-B', '65536', '-w', '-', '-Z', 'root'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const words = [process.execPath, WIRELENS, 'capture', '-', '--format', 'json'];
  const capture = start(words, { stdio: ['pipe', 'pipe', 'pipe'] });
  tcpdump.child.stdout.pipe(capture.child.stdin);
  capture.child.stdin.on('error', () => {});
  await until(() => tcpdump.text('stderr').includes('listening on'), 'start of tcpdump');
  await mixed(hosts.client, hosts.address);
  // tcpdump hands packets on once a second or sooner, and does not when it is ended.
  await sleep(1500);
  tcpdump.child.kill('SIGINT');
  const end = await Promise.race([capture.ended, sleep(5000, null)]);
  const log = await nginx.stop();
  checks.report(`standard input: ${log.length} requests in nginx's log`, [
    ...(end === null ? ['it went on'] : [...badEnd(end), ...differences(recordsOf(end.stdout), log)]),
  ]);
}

/** The fallback through libpcap: the same exchanges, and the user is told what it lacks. */
async function throughCap(t) {
  try {
    createRequire(WIRELENS).resolve('cap');
  } catch {
    return t.checks.skip('--driver cap', 'the npm package cap, which is optional, is not installed');
  }
  const also = ({ stderr }) => (/drop/.test(stderr) ? [] : [`it does not say what is lost: ${stderr}`]);
  await exercise(t, '--driver cap', { ...twoHosts(t.lab), words: ['-i', 'eth0', '--driver', 'cap'], also });
}

/** PACKET_FANOUT: two processes share the connections; both directions of one come to the same. */
async function fanout({ lab, checks }) {
  const hosts = twoHosts(lab);
  const nginx = await startNginx(lab, hosts.server);
  const words = ['-i', 'eth0', '--fanout', '7'];
  const captures = [await startCapture(hosts.client, words), await startCapture(hosts.client, words)];
  await mixed(hosts.client, hosts.address);
  const ends = await Promise.all(captures.map((capture) => capture.stop()));
  const log = await nginx.stop();
  const shares = ends.map(({ exchanges }) => exchanges.length);
  // Connections are numbered by each of them, so the second gets numbers of its own.
  const together = ends.flatMap(({ exchanges }, index) =>
    exchanges.map((one) => ({ ...one, connection: `${index} ${one.connection}` })),
  );
  checks.report(`--fanout 7 in two processes: ${shares.join(' and ')} of ${log.length} requests`, [
    ...differences(together, log),
    ...ends.flatMap(badEnd),
    ...(shares.includes(0) ? ['one of them got nothing'] : []),
  ]);
}

/** Threads of one capture, each with a ring: one output, in which connections have numbers of their own. */
async function workers(t) {
  const file = t.lab.file('workers.sqlite');
  const also =
    (threads) =>
    ({ exchanges, stderr }) => {
      const ids = new Set(exchanges.map(({ id }) => id));
      return [
        ...(ids.size === exchanges.length ? [] : ['ids come twice']),
        ...(stderr.includes(threads) ? [] : [`it does not say ${threads}: ${stderr}`]),
        ...(/(\d+) packets captured/.test(stderr) ? [] : ['no totals']),
        ...(stderr.includes('packets not used') && /left out by/.test(stderr)
          ? ['packets were left out']
          : []),
      ];
    };
  const views = [
    { name: '--workers 1', words: ['-i', 'eth0', '--workers', '1'], also: also('1 thread') },
    { name: '--workers 3', words: ['-i', 'eth0', '--workers', '3'], also: also('3 threads') },
    { name: '--workers 2 on any', words: ['--workers', '2', '--port', '8000'], also: also('2 threads') },
    {
      name: '--workers 2 into a file',
      words: ['-i', 'eth0', '--workers', '2', '-o', file, '--where', 'status < 600'],
      also: (end) => [...also('2 threads')(end), ...otherInFile(file, end.exchanges)],
    },
  ];
  const hosts = twoHosts(t.lab);
  await exerciseAll(
    t,
    views.map((view) => ({ ...view, at: hosts.client })),
    hosts,
  );
}

/** Sentences about what the SQLite file has otherwise than the records. */
function otherInFile(file, exchanges) {
  const columns = 'id, uid, connection_id AS connection, position, method, target, status, outcome';
  const rows = JSON.parse(run('sqlite3', '-json', file, `SELECT ${columns} FROM exchanges ORDER BY id`));
  const told = exchanges
    .map(({ id, uid, connection, position, method, target, status, outcome }) => ({
      ...{ id, uid, connection, position, method, target, status, outcome },
    }))
    .sort((a, b) => a.id - b.id);
  return isDeepStrictEqual(rows, told)
    ? []
    : [`the file has other exchanges, such as ${JSON.stringify([rows[0], told[0]])}`];
}

export const scenarios = [
  { name: 'stdin', run: standardInput },
  { name: 'cap', run: throughCap },
  { name: 'fanout', run: fanout },
  { name: 'workers', run: workers },
];
