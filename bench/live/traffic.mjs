// Packets to send again: nginx and wrk on a veth pair, many small exchanges, packets as on a wire.

import { existsSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab, twoHosts } from '../../scripts/checks/live/namespaces.mjs';
import { startNginx } from '../../scripts/checks/live/nginx.mjs';
import { start, until } from '../../scripts/checks/live/programs.mjs';

const CONNECTIONS = 64;
/** Until connections are closed and tcpdump has written what it has. */
const AFTERWARDS_MS = 1000;
const SEND = path.join(import.meta.dirname, 'send.mjs');

/**
 * Records so many seconds of traffic into `file`. The connections begin and end in it: sent again and again,
 * it leaves none behind.
 */
export async function recordTraffic(file, seconds) {
  const lab = new Lab();
  try {
    const { client, server, address } = twoHosts(lab);
    for (const host of [client, server]) host.withoutOffload('eth0');
    await startNginx(lab, server);
    const partial = `${file}.partial`;
    const words = ['-i', 'eth0', '-s', '0', '-B', '262144', '-Z', 'root', '-w', partial];
    const tcpdump = start([...client.in, 'tcpdump', ...words, 'tcp', 'port', '8000']);
    await until(() => tcpdump.text('stderr').includes('listening on'), 'start of tcpdump');
    const load = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, `http://${address}:8000/page/bench`];
    const { code } = await start([...client.in, 'wrk', ...load]).ended;
    if (code !== 0) throw new Error(`wrk ended with ${code}`);
    await sleep(AFTERWARDS_MS);
    tcpdump.child.kill('SIGINT');
    const { stderr } = await tcpdump.ended;
    const dropped = Number(/(\d+) packets? dropped by kernel/.exec(stderr)?.[1] ?? 0);
    if (dropped > 0) console.log(`the recording to be sent misses ${dropped} packets`);
    renameSync(partial, file);
  } finally {
    lab.remove();
  }
}

/** Packets of a classic capture, as tcpdump writes it here. */
export function packetsIn(file) {
  const bytes = readFileSync(file);
  let packets = 0;
  for (let at = 24; at + 16 <= bytes.length; at += 16 + bytes.readUInt32LE(at + 8)) packets += 1;
  return packets;
}

/** Recordings with sequence numbers of their own for tcpreplay; more than a second of packets at any rate. */
const COPIES = 5;

/**
 * Who sends a recording again and again, each round between other addresses and with other sequence numbers: the same
 * numbers between other addresses within a second are the mark of address translation, and would rightly count as one
 * connection. `prepare(file)`; `send(host, file, rate, rounds)` out of eth0 of the host, `rate` in packets/s or
 * 'topspeed', resolves to {packets, seconds}, perhaps of some rounds more.
 */
export const SENDERS = {
  tcpreplay: {
    prepare: withOtherNumbers,
    async send(host, file, rate, rounds) {
      const files = copiesOf(file).slice(0, Math.min(COPIES, rounds));
      const speed = rate === 'topspeed' ? ['--topspeed'] : [`--pps=${rate}`];
      const loop = `--loop=${Math.ceil(rounds / files.length)}`;
      const words = ['--preload-pcap', '--unique-ip', loop, '-i', 'eth0', ...speed, ...files];
      const { code, stdout, stderr } = await start([...host.in, 'tcpreplay', ...words]).ended;
      const found = /Actual: (\d+) packets .* sent in ([\d.]+) seconds/.exec(stdout);
      if (code !== 0 || found === null) throw new Error(`tcpreplay: ${stderr}${stdout}`);
      return { packets: Number(found[1]), seconds: Number(found[2]) };
    },
  },
  sendmmsg: {
    prepare: async () => {},
    async send(host, file, rate, rounds) {
      const speed = rate === 'topspeed' ? [] : ['--rate', String(rate)];
      const words = ['--interface', 'eth0', '--rounds', String(rounds), ...speed, file];
      const { code, stdout, stderr } = await start([...host.in, process.execPath, SEND, ...words]).ended;
      if (code !== 0) throw new Error(`send.mjs: ${stderr}${stdout}`);
      return JSON.parse(stdout);
    },
  },
};

function copiesOf(file) {
  const copy = (seed) => (seed === 0 ? file : file.replace(/(\.[a-z]+)$/, `-${seed}$1`));
  return Array.from({ length: COPIES }, (_, seed) => copy(seed));
}

async function withOtherNumbers(file) {
  for (const [seed, copy] of copiesOf(file).entries()) {
    if (existsSync(copy)) continue;
    const partial = `${copy}.partial`;
    const words = [`--tcp-sequence=${seed}`, `--infile=${file}`, `--outfile=${partial}`];
    const { code, stderr } = await start(['tcprewrite', ...words]).ended;
    if (code !== 0) throw new Error(`tcprewrite: ${stderr}`);
    renameSync(partial, copy);
  }
}
