// Packets to send again: nginx and wrk on a veth pair, many small exchanges, packets as on a wire.

import { spawn } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import { Lab, twoHosts } from '../../scripts/checks/live/namespaces.mjs';
import { startNginx } from '../../scripts/checks/live/nginx.mjs';
import { start, until } from '../../scripts/checks/live/programs.mjs';

const CONNECTIONS = 64;

/** Records `packets` packets into `file`; the connections of it begin in it. */
export async function recordTraffic(file, packets) {
  const lab = new Lab();
  try {
    const { client, server, address } = twoHosts(lab);
    for (const host of [client, server]) host.withoutOffload('eth0');
    await startNginx(lab, server);
    const partial = `${file}.partial`;
    const words = [
      '-i',
      'eth0',
      '-s',
      '0',
      '-B',
      '262144',
      '-c',
      String(packets),
      '-Z',
      'root',
      '-w',
      partial,
    ];
    const tcpdump = start([...client.in, 'tcpdump', ...words, 'tcp', 'port', '8000']);
    await until(() => tcpdump.text('stderr').includes('listening on'), 'start of tcpdump');
    const wrk = [
      ...client.in,
      'wrk',
      '-t1',
      `-c${CONNECTIONS}`,
      '-d60s',
      `http://${address}:8000/page/bench`,
    ];
    const load = spawn(wrk[0], wrk.slice(1), { stdio: 'ignore' });
    const { stderr } = await tcpdump.ended;
    load.kill('SIGINT');
    const dropped = Number(/(\d+) packets dropped by kernel/.exec(stderr)?.[1] ?? 0);
    if (dropped > 0) console.log(`the recording to be sent misses ${dropped} packets`);
    renameSync(partial, file);
  } finally {
    lab.remove();
  }
}

/**
 * The recording with other sequence numbers, `count` times, beside it. The same numbers between other addresses within a
 * second are the mark of address translation, and would rightly count as one connection.
 */
export async function withOtherNumbers(file, count) {
  const files = [file];
  for (let seed = 1; seed < count; seed += 1) {
    const copy = file.replace(/(\.[a-z]+)$/, `-${seed}$1`);
    files.push(copy);
    if (existsSync(copy)) continue;
    const partial = `${copy}.partial`;
    const words = [`--tcp-sequence=${seed}`, `--infile=${file}`, `--outfile=${partial}`];
    const { code, stderr } = await start(['tcprewrite', ...words]).ended;
    if (code !== 0) throw new Error(`tcprewrite: ${stderr}`);
    renameSync(partial, copy);
  }
  return files;
}

/**
 * Sends the recordings one after the other out of eth0 of the host, each round between other addresses; `rate` in
 * packets/s or 'topspeed'. Resolves to {packets, seconds}.
 */
export async function replay(host, files, rate, loops) {
  const speed = rate === 'topspeed' ? ['--topspeed'] : [`--pps=${rate}`];
  const words = ['--preload-pcap', '--unique-ip', `--loop=${loops}`, '-i', 'eth0', ...speed, ...files];
  const { code, stdout, stderr } = await start([...host.in, 'tcpreplay', ...words]).ended;
  const found = /Actual: (\d+) packets .* sent in ([\d.]+) seconds/.exec(stdout);
  if (code !== 0 || found === null) throw new Error(`tcpreplay: ${stderr}${stdout}`);
  return { packets: Number(found[1]), seconds: Number(found[2]) };
}
