// Who takes the packets from the kernel: another program, npm's cap, or several sockets.

import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { badEnd, differences } from './agreement.mjs';
import { recordsOf, startCapture, WIRELENS } from './capture.mjs';
import { exercise } from './exercise.mjs';
import { twoHosts } from './namespaces.mjs';
import { startNginx } from './nginx.mjs';
import { start, until } from './programs.mjs';
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

export const scenarios = [
  { name: 'stdin', run: standardInput },
  { name: 'cap', run: throughCap },
  { name: 'fanout', run: fanout },
];
