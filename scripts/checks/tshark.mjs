// Differential check: the exchanges of every fixture as tshark sees them, and packet counts as capinfos sees them.

import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { exchangesOf, goldenFolders } from '../expected-exchanges.mjs';
import { Checks } from './checks.mjs';
import { KNOWN_DIFFERENCES } from './known-differences.mjs';

const FIELDS = ['http.request.method', 'http.request.uri', 'http.host', 'http.response.code'];
const PREFERENCES = ['tcp.reassemble_out_of_order:TRUE', 'tcp.desegment_tcp_streams:TRUE'];

const TEXT = { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] };

/** tshark's fields of each frame with HTTP, in the order of the file. */
function messagesByTshark(file) {
  const args = ['-2', '-n', '-r', file, '--enable-heuristic', 'http_tcp', '-Y', 'http', '-T', 'json'];
  const preferences = PREFERENCES.flatMap((one) => ['-o', one]);
  const output = execFileSync(
    'tshark',
    [...args, ...preferences, ...FIELDS.flatMap((field) => ['-e', field])],
    TEXT,
  );
  return JSON.parse(output).map(({ _source: { layers } }) => layers);
}

/** Multiset of `method target status` as text lines; answers and requests apart, because tshark may not pair them. */
function linesByTshark(file) {
  const requests = [];
  const answers = [];
  for (const layers of messagesByTshark(file)) {
    const methods = layers['http.request.method'] ?? [];
    const hosts = layers['http.host'] ?? [];
    methods.forEach((method, index) => {
      requests.push(
        `${method} ${layers['http.request.uri'][index]} ${hosts.length === methods.length ? hosts[index] : '*'}`,
      );
    });
    for (const status of layers['http.response.code'] ?? [])
      if (Number(status) >= 200 || status === '101') answers.push(status);
  }
  return { requests, answers };
}

function missing(wanted, present, what) {
  const left = [...present];
  const problems = [];
  for (const line of wanted) {
    const index = left.findIndex(
      (other) => other === line || (line.endsWith(' *') && other.startsWith(line.slice(0, -1))),
    );
    if (index < 0) problems.push(`${what}: ${line}`);
    else left.splice(index, 1);
  }
  return { problems, left };
}

function withoutExcused(lines, excused) {
  return lines.filter((line) => !excused.includes(line));
}

/** An upload that was refused before its body was sent: tshark waits for the body and shows nothing. */
function isRefused(one) {
  return one.anomalies?.includes('expect-continue') === true && (one.request.body_bytes ?? 0) === 0;
}

function compare(exchanges, byTshark) {
  const line = (one) => `${one.method} ${one.target} ${one.host}`;
  const requests = exchanges.filter((one) => one.method !== null).map(line);
  const answers = exchanges.filter((one) => one.status !== null).map((one) => String(one.status));
  // tshark may keep silent about messages that are not whole in the capture.
  const cut = exchanges.filter((one) => one.outcome !== 'complete' || isRefused(one));
  const excused = [...cut.map(line), ...cut.map((one) => String(one.status))];
  const first = missing(byTshark.requests, requests, 'only tshark has the request');
  const second = missing(byTshark.answers, answers, 'only tshark has the answer');
  return [
    ...first.problems,
    ...withoutExcused(first.left, excused).map((line) => `only Wirelens has the request: ${line}`),
    ...second.problems,
    ...withoutExcused(second.left, excused).map((line) => `only Wirelens has the answer: ${line}`),
  ];
}

/** Where request and answer are one packet each for both: the time between them must be the same. */
function timeProblems(exchanges, file) {
  const fields = ['http.request_in', 'http.time', 'frame.number'].flatMap((field) => ['-e', field]);
  const args = ['-2', '-n', '-r', file, '--enable-heuristic', 'http_tcp', '-Y', 'http.response && http.time'];
  const output = execFileSync('tshark', [...args, '-T', 'fields', ...fields], TEXT);
  const byPackets = new Map(
    exchanges
      .filter((one) => one.request !== null && one.response !== null && one.send_ms === 0)
      .map((one) => [`${one.request.packet} ${one.response.packet}`, one]),
  );
  const problems = [];
  for (const row of output.split('\n')) {
    const [requestPacket, seconds, answerPacket] = row.split('\t');
    const one = byPackets.get(`${requestPacket} ${answerPacket}`);
    if (one === undefined || seconds.includes(',')) continue;
    const ms = Number(seconds) * 1000;
    if (Math.abs(ms - one.wait_ms) > 0.0015) {
      problems.push(`${one.method} ${one.target}: tshark ${ms} ms, Wirelens waits ${one.wait_ms} ms`);
    }
  }
  return problems;
}

function packetsByWirelens(folder, capture) {
  const args = [
    path.resolve(import.meta.dirname, '../../bin/wirelens.js'),
    'analyze',
    capture,
    '--color',
    'never',
  ];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return Number(/([\d,]+) packets/.exec(stdout + stderr)?.[1]?.replaceAll(',', '') ?? Number.NaN);
}

const checks = new Checks();
if (spawnSync('sh', ['-c', 'command -v tshark && command -v capinfos']).status !== 0) {
  checks.skip('tshark', 'tshark is not installed');
} else {
  for (const { name, folder, capture } of goldenFolders()) {
    const file = path.join(folder, capture);
    const counted = Number(
      /Number of packets:\s+(\d+)/.exec(
        execFileSync('capinfos', ['-c', '-M', file], { encoding: 'utf8' }),
      )?.[1],
    );
    const packets = packetsByWirelens(folder, capture);
    checks.report(
      `packets  ${name}`,
      counted === packets ? [] : [`capinfos ${counted}, Wirelens ${packets}`],
    );
    const exchanges = await exchangesOf(folder, capture);
    const differences = [...compare(exchanges, linesByTshark(file)), ...timeProblems(exchanges, file)];
    const reason = KNOWN_DIFFERENCES[name];
    if (reason === undefined) checks.report(`tshark   ${name}`, differences);
    else if (differences.length > 0) checks.skip(`tshark   ${name}`, reason);
    else checks.report(`tshark   ${name}`, ['agrees now: take it out of known-differences.mjs']);
  }
}
checks.finish();
