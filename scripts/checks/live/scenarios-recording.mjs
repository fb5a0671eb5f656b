// -w: the recording holds what was seen, gives the same exchanges again, and other programs can read it.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { badEnd, differences } from './agreement.mjs';
import { recordsOf, startCapture, WIRELENS } from './capture.mjs';
import { twoHosts } from './namespaces.mjs';
import { startNginx } from './nginx.mjs';
import { run, start, until } from './programs.mjs';
import { ask, mixed } from './traffic.mjs';

/** What `analyze` says of recordings, as records. */
function replayed(...files) {
  return recordsOf(run(process.execPath, WIRELENS, 'analyze', ...files, '--format', 'json'));
}

/** Sentences; a live record and the one of its recording differ in nothing. */
function unequal(live, again) {
  const problems =
    live.length === again.length ? [] : [`${live.length} exchanges live, ${again.length} again`];
  for (const [index, record] of live.entries()) {
    const [one, other] = [JSON.stringify(record), JSON.stringify(again[index])];
    if (one !== other) problems.push(`live:  ${one}`, `again: ${other}`);
    if (problems.length > 4) break;
  }
  return problems;
}

/** Number of packets, and of the requests and responses that tshark sees. */
function byTshark(file) {
  const fields = ['-T', 'fields', '-e', 'http.request.method', '-e', 'http.response.code'];
  const lines = run('tshark', '-r', file, '-n', '-d', 'tcp.port==8000,http', ...fields)
    .split('\n')
    .slice(0, -1);
  const count = (column) =>
    lines.reduce(
      (sum, line) =>
        sum +
        line
          .split('\t')
          [column].split(',')
          .filter((word) => word !== '').length,
      0,
    );
  return { packets: lines.length, requests: count(0), responses: count(1) };
}

async function recording({ lab, checks }) {
  for (const interfaceName of ['eth0', 'any']) {
    const hosts = twoHosts(lab);
    const nginx = await startNginx(lab, hosts.server);
    const file = lab.file(`recording-${interfaceName}.pcapng`);
    // tcpdump beside it sees the same packets, stamped by the same kernel.
    const beside = lab.file(`tcpdump-${interfaceName}.pcap`);
    const words = [
      '-i',
      interfaceName,
      '--time-stamp-precision=nano',
      '-U',
      '--immediate-mode',
      '-B',
      '65536',
      '-Z',
      'root',
    ];
    const tcpdump = start([...hosts.client.in, 'tcpdump', ...words, '-w', beside]);
    await until(() => tcpdump.text('stderr').includes('listening on'), 'start of tcpdump');
    const capture = await startCapture(hosts.client, ['-i', interfaceName, '-w', file]);
    await mixed(hosts.client, hosts.address);
    const end = await capture.stop();
    await sleep(300);
    tcpdump.child.kill('SIGINT');
    await tcpdump.ended;
    const log = await nginx.stop();
    const name = `recording of ${interfaceName}`;
    checks.report(`${name}: ${log.length} requests in nginx's log`, [
      ...differences(end.exchanges, log),
      ...badEnd(end),
    ]);
    checks.report(
      `${name}: analyze gives the exchanges that came out live`,
      unequal(end.exchanges, replayed(file)),
    );
    const seen = byTshark(file);
    checks.report(`${name}: tshark finds the same requests and responses`, [
      ...(seen.requests === log.length ? [] : [`${seen.requests} requests, ${log.length} in the log`]),
      ...(seen.responses === log.length ? [] : [`${seen.responses} responses, ${log.length} in the log`]),
    ]);
    const tcpdumpLines = run('tcpdump', '-n', '-r', file).split('\n').length - 1;
    checks.report(`${name}: tcpdump reads all ${seen.packets} packets`, [
      ...(tcpdumpLines === seen.packets ? [] : [`it reads ${tcpdumpLines}`]),
    ]);
    checks.report(
      `${name}: the packets that tcpdump recorded beside it, at the same times`,
      unlikeTcpdump(file, beside),
    );
  }
}

/** Time in nanoseconds, TCP numbers and size of each TCP packet of port 8000. */
function tcpPackets(file) {
  const fields = ['frame.time_epoch', 'tcp.srcport', 'tcp.seq_raw', 'tcp.ack_raw', 'tcp.flags', 'tcp.len'];
  const words = fields.flatMap((field) => ['-e', field]);
  const filter = ['-Y', 'tcp.port == 8000', '-o', 'tcp.relative_sequence_numbers:FALSE'];
  const lines = run('tshark', '-r', file, '-n', ...filter, '-T', 'fields', ...words)
    .split('\n')
    .slice(0, -1);
  return lines.map((line) => {
    const [time, ...rest] = line.split('\t');
    return { time, packet: rest.join(' ') };
  });
}

function unlikeTcpdump(file, beside) {
  const ours = tcpPackets(file);
  const theirs = tcpPackets(beside);
  const problems =
    ours.length === theirs.length ? [] : [`${ours.length} packets, tcpdump has ${theirs.length}`];
  // The order of packets that two processors saw at once may differ between two sockets.
  const times = new Map();
  for (const { packet, time } of theirs) times.set(packet, [...(times.get(packet) ?? []), time]);
  const missing = ours.filter(({ packet }) => !times.has(packet));
  if (missing.length > 0)
    problems.push(`${missing.length} that tcpdump has not, such as ${missing[0].packet}`);
  const elsewhen = (ns) =>
    ours.filter(
      ({ packet, time }) => times.has(packet) && !times.get(packet).some((other) => near(time, other, ns)),
    );
  const say = (packets) =>
    problems.push(`${packets.length} at other times: ${packets[0].time}, ${times.get(packets[0].packet)}`);
  const [late, far] = [elsewhen(USUAL_NS), elsewhen(LONGEST_NS)];
  if (late.length > ours.length * SELDOM) say(late);
  else if (far.length > 0) say(far);
  return problems;
}

/**
 * The kernel stamps a packet for the first of its sockets, or for each. Seldom something else takes the processor between the
 * two: seen with one packet of 1,685, 165 µs.
 */
const USUAL_NS = 100_000n;
const LONGEST_NS = 50_000_000n;
const SELDOM = 0.01;

function near(one, other, withinNs) {
  const [[second, fraction], [otherSecond, otherFraction]] = [one.split('.'), other.split('.')];
  const ns =
    (BigInt(second) - BigInt(otherSecond)) * 1_000_000_000n + BigInt(fraction) - BigInt(otherFraction);
  return ns < withinNs && ns > -withinNs;
}

/** -C, -G and -W: several files, each whole, together the recording. */
async function rotation({ lab, checks }) {
  for (const [name, words] of [
    ['-C 1', ['-C', '1']],
    ['-G 1', ['-G', '1']],
  ]) {
    const hosts = twoHosts(lab);
    const nginx = await startNginx(lab, hosts.server);
    const folder = path.join(lab.folder, `rotation${words[0]}`);
    run('mkdir', folder);
    const file = path.join(folder, words[0] === '-G' ? 'trace-%s.pcapng' : 'trace.pcapng');
    const capture = await startCapture(hosts.client, ['-i', 'eth0', '-w', file, ...words]);
    const plan = { host: hosts.address, connections: 1, requests: 30, kinds: ['large', 'page'], pauseMs: 80 };
    await ask(hosts.client, plan);
    const end = await capture.stop();
    const log = await nginx.stop();
    const files = readdirSync(folder)
      .map((one) => path.join(folder, one))
      .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
    const again = files.length > 0 ? replayed(...files) : [];
    const packets = files.reduce((sum, one) => sum + byTshark(one).packets, 0);
    checks.report(`recording with ${name}: ${files.length} files, ${packets} packets`, [
      ...differences(end.exchanges, log),
      ...badEnd(end),
      ...(files.length > 1 ? [] : ['it did not rotate']),
      ...(again.length === end.exchanges.length
        ? []
        : [`${again.length} of ${end.exchanges.length} exchanges again`]),
      ...differences(again, log),
    ]);
  }
}

/** A SQLite file every two seconds, and the process killed without notice. */
async function sealed({ lab, checks }) {
  const hosts = twoHosts(lab);
  const nginx = await startNginx(lab, hosts.server);
  const folder = path.join(lab.folder, 'sealed');
  run('mkdir', folder);
  const words = ['-i', 'eth0', '-o', path.join(folder, 'live.sqlite'), '--rotate', '2s'];
  const capture = await startCapture(hosts.client, words);
  const plan = {
    host: hosts.address,
    connections: 4,
    together: 4,
    requests: 300,
    kinds: ['small'],
    pauseMs: 20,
  };
  const asked = ask(hosts.client, plan);
  await sleep(5500);
  capture.child.kill('SIGKILL');
  await capture.ended;
  await asked;
  const log = await nginx.stop();
  const files = readdirSync(folder).filter((name) => name.endsWith('.sqlite'));
  const problems =
    files.length >= 2 ? [] : [`only ${files.length} files after 5.5 s: ${readdirSync(folder).join(' ')}`];
  const kept = [];
  for (const name of files) {
    const file = path.join(folder, name);
    try {
      const sound = run('sqlite3', file, 'PRAGMA integrity_check').trim();
      if (sound !== 'ok') problems.push(`${name}: ${sound}`);
      const records = recordsOf(run(process.execPath, WIRELENS, 'analyze', file, '--format', 'json'));
      const count = Number(run('sqlite3', file, 'SELECT count(*) FROM exchanges'));
      if (count !== records.length) problems.push(`${name}: ${count} rows, ${records.length} exchanges`);
      kept.push(...records);
    } catch (error) {
      problems.push(`${name}: ${error.message}`);
    }
  }
  const targets = new Set(kept.map(({ target }) => target));
  if (targets.size !== kept.length) problems.push('an exchange is in two files');
  // All that ended three seconds before the kill lies in files sealed since: 4 s of the 5.5 s, less what is slack.
  const begin = Math.min(...log.map(({ time }) => time));
  const early = log.filter(({ time }) => time < begin + 2);
  const lost = early.filter(({ request }) => !targets.has(request.split(' ')[1]));
  if (lost.length > 0)
    problems.push(`${lost.length} of ${early.length} exchanges of the first two seconds are lost`);
  checks.report(`-o --rotate 2s, killed: ${kept.length} exchanges in ${files.length} sealed files`, problems);
}

/** The recording up to a kill is readable as far as it goes. */
async function killed({ lab, checks }) {
  const hosts = twoHosts(lab);
  const nginx = await startNginx(lab, hosts.server);
  const file = lab.file('killed.pcapng');
  const capture = await startCapture(hosts.client, ['-i', 'eth0', '-w', file]);
  await mixed(hosts.client, hosts.address, { tag: 'before' });
  await sleep(1500);
  const asked = mixed(hosts.client, hosts.address, { tag: 'during' });
  capture.child.kill('SIGKILL');
  await capture.ended;
  await asked;
  const log = await nginx.stop();
  const bytes = readFileSync(file).length;
  const again = replayed(file).filter(({ target }) => target.includes('/before'));
  checks.report(
    `-w, killed: what was recorded a second before is in the file of ${bytes} bytes`,
    differences(
      again,
      log.filter(({ request }) => request.includes('/before')),
    ),
  );
}

export const scenarios = [
  { name: 'recording', run: recording },
  { name: 'rotation', run: rotation },
  { name: 'sealed', run: sealed },
  { name: 'killed', run: killed },
];
