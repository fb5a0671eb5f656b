// Too much for the ring: the kernel drops, and that is counted, shown and marked.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { badEnd } from './agreement.mjs';
import { recordsOf, startCapture, WIRELENS } from './capture.mjs';
import { twoHosts } from './namespaces.mjs';
import { startNginx } from './nginx.mjs';
import { run, until } from './programs.mjs';
import { ask } from './traffic.mjs';

/** The numbers of the totals on standard error, by the word after them, as tcpdump words them. */
export function totalsOf(stderr) {
  const number = (pattern) => {
    const found = pattern.exec(stderr)?.[1];
    return found === undefined ? null : Number(found.replaceAll(/\D/g, ''));
  };
  return {
    captured: number(/([\d.,' ]*\d) packets? captured/),
    received: number(/([\d.,' ]*\d) packets? received/),
    dropped: number(/([\d.,' ]*\d) packets? dropped/),
  };
}

/** The process stands still for a second while connections go on, with a ring of 256 KiB. */
async function stopped({ lab, checks }) {
  const hosts = twoHosts(lab);
  const nginx = await startNginx(lab, hosts.server);
  const file = lab.file('dropped.pcapng');
  const capture = await startCapture(hosts.client, ['-i', 'eth0', '--buffer', '256KiB', '-w', file]);
  const plan = {
    host: hosts.address,
    together: 4,
    connections: 4,
    requests: 400,
    kinds: ['page'],
    pauseMs: 3,
  };
  const asked = ask(hosts.client, { ...plan, lastingMs: 2800 });
  await until(nginx.hasAnswered, 'a first answer');
  await sleep(500);
  const stoppedSeconds = Date.now() / 1000;
  capture.child.kill('SIGSTOP');
  await sleep(1000);
  capture.child.kill('SIGCONT');
  await asked;
  await sleep(300);
  const end = await capture.stop();
  const log = await nginx.stop();
  const totals = totalsOf(end.stderr);
  checks.report(`a ring that overflows: ${JSON.stringify(totals)}`, [
    ...badEnd(end),
    ...(totals.dropped > 0 ? [] : [`no drops are shown: ${end.stderr}`]),
    ...(totals.received === totals.captured + totals.dropped ? [] : ['received is not captured + dropped']),
  ]);
  const marked = end.exchanges.filter(({ anomalies }) => anomalies.includes('packets-dropped'));
  const hurt = end.exchanges.filter(
    ({ outcome, anomalies }) =>
      outcome !== 'complete' || anomalies.includes('gap-in-body') || anomalies.includes('gap-in-head'),
  );
  const unmarked = hurt.filter(({ anomalies }) => !anomalies.includes('packets-dropped'));
  checks.report(`a ring that overflows: ${marked.length} exchanges say so, ${hurt.length} are not whole`, [
    ...(marked.length > 0 ? [] : ['none is marked']),
    ...(marked.length < end.exchanges.length / 2
      ? []
      : [`${marked.length} of ${end.exchanges.length} are marked`]),
    ...unmarked.map(
      (one) => `${one.target ?? 'without request'}: ${one.outcome}, ${one.anomalies.join(' ')}`,
    ),
  ]);
  const seen = new Set(end.exchanges.map(({ target }) => target));
  const first = log.filter(({ time }) => time < stoppedSeconds);
  const late = log.slice(-200);
  const lostOf = (list) => list.filter(({ request }) => !seen.has(request.split(' ')[1])).length;
  checks.report('a ring that overflows: what came before and after is there', [
    ...(first.length > 0 ? [] : ['nothing came before']),
    ...(lostOf(first) === 0 ? [] : [`${lostOf(first)} of ${first.length} before it are missing`]),
    ...(lostOf(late) === 0 ? [] : [`${lostOf(late)} of the last ${late.length} are missing`]),
  ]);
  const statistics = interfaceStatistics(readFileSync(file));
  checks.report('a ring that overflows: the replay of the recording gives the same exchanges, marked alike', [
    ...unlike(end.exchanges, replayOf(file)),
  ]);
  checks.report('a ring that overflows: the recording tells of the drops', [
    ...(byTshark(file) === totals.captured ? [] : [`${byTshark(file)} packets in it`]),
    ...(statistics.dropped === totals.dropped ? [] : [`drops: ${statistics.dropped} in it`]),
    ...(statistics.received === totals.received ? [] : [`received: ${statistics.received} in it`]),
  ]);
}

/** What an analysis of the recording says. */
function replayOf(file) {
  return recordsOf(run(process.execPath, WIRELENS, 'analyze', file, '--format', 'json'));
}

/** What is not the same in both: which exchanges there are, how they ended, and how they are marked. */
function unlike(live, replay) {
  const shortOf = (list) =>
    list.map(({ id, target, status, outcome, anomalies }) =>
      JSON.stringify([id, target, status, outcome, [...anomalies].sort()]),
    );
  const [one, other] = [shortOf(live), shortOf(replay)];
  const only = (list, rest) => list.filter((text) => !new Set(rest).has(text));
  return [
    ...only(one, other).map((text) => `only live: ${text}`),
    ...only(other, one).map((text) => `only in the replay: ${text}`),
  ].slice(0, 10);
}

/** Number of packets. */
function byTshark(file) {
  return run('tshark', '-r', file, '-n', '-T', 'fields', '-e', 'frame.number').split('\n').length - 1;
}

/**
 * isb_ifrecv and isb_ifdrop of the last Interface Statistics Block of a little-endian pcapng file (IETF pcapng draft,
 * section 4.6): no tool here shows them.
 */
function interfaceStatistics(bytes) {
  const found = { received: null, dropped: null };
  for (let at = 0; at + 12 <= bytes.length; at += bytes.readUInt32LE(at + 4)) {
    if (bytes.readUInt32LE(at) !== 5) continue;
    const end = at + bytes.readUInt32LE(at + 4) - 4;
    for (let option = at + 20; option + 4 <= end; ) {
      const [code, length] = [bytes.readUInt16LE(option), bytes.readUInt16LE(option + 2)];
      if (code === 4) found.received = Number(bytes.readBigUInt64LE(option + 4));
      if (code === 5) found.dropped = Number(bytes.readBigUInt64LE(option + 4));
      option += 4 + Math.ceil(length / 4) * 4;
    }
  }
  return found;
}

export const scenarios = [{ name: 'drops', run: stopped }];
