// Differential check: what `extract` writes is sound for Wireshark's own tools, which find the same messages in it.

import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { goldenFolders } from '../expected-exchanges.mjs';
import { Checks } from './checks.mjs';

const WIRELENS = path.resolve(import.meta.dirname, '../../bin/wirelens.js');
const TEXT = { encoding: 'utf8', maxBuffer: 1 << 28 };
const HTTP = ['-2', '-n', '--enable-heuristic', 'http_tcp', '-o', 'tcp.reassemble_out_of_order:TRUE'];
/** Of a packet, in this order. */
const FIELDS = [
  'http.request.method',
  'http.request.uri',
  'http.response.code',
  '_ws.malformed',
  'frame.comment',
];
const run = promisify(execFile);

async function wirelens(...args) {
  const { stdout } = await run(process.execPath, [WIRELENS, ...args], TEXT);
  return stdout;
}

async function recordsOf(file) {
  const lines = (await wirelens('analyze', file, '-f', 'json', '-q')).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

/** What a tool says of a capture that it may not like. */
function said(command, ...args) {
  return run(command, args, TEXT).catch((error) => error);
}

/** All that tshark sees in a capture: messages, sorted; complaints; comments. */
async function seenIn(file) {
  const fields = FIELDS.flatMap((name) => ['-e', name]);
  const { stdout, stderr } = await said(
    'tshark',
    ...HTTP,
    ...['-r', file, '-T', 'fields', '-E', 'separator=/t', ...fields, '-z', 'expert,error'],
  );
  const seen = { messages: [], complaints: [], comments: [] };
  let isMalformed = false;
  for (const line of stdout.split('\n')) {
    // Rows of the table of complaints are indented, and it comes last.
    if (/^\s+\d/.test(line) && !line.includes('\t')) {
      seen.complaints.push(line.trim().replace(/^\d+\s+/, ''));
      continue;
    }
    const values = line.split('\t');
    if (values.length < FIELDS.length) continue;
    const message = values.slice(0, 3);
    if (message.some((value) => value !== '')) seen.messages.push(message.join('\t'));
    if (values[3] !== '') isMalformed = true;
    if (values[4] !== '') seen.comments.push(values[4]);
  }
  if (isMalformed) seen.complaints.push('malformed');
  if (/cut short|damaged|corrupt/i.test(stderr)) seen.complaints.push(stderr.trim());
  seen.messages.sort();
  return seen;
}

/** Complaints that the whole capture does not call for. */
const newComplaints = (whole, part) => part.complaints.filter((line) => !whole.complaints.includes(line));

/** Problems of what `extract` writes of one capture; null: there is nothing to extract. */
async function problemsOf(whole, directory) {
  const records = await recordsOf(whole);
  if (records.length === 0) return null;
  const problems = [];
  const all = path.join(directory, 'all.pcapng');
  await wirelens('extract', whole, `1-${records.length}`, '-w', all, '--force', '-q');
  const info = await said('capinfos', '-M', all);
  if (info.code !== undefined) problems.push(`capinfos: ${info.stderr.trim()}`);
  if (
    !/Strict time order:\s+True/.test(info.stdout) &&
    /Strict time order:\s+True/.test((await said('capinfos', whole)).stdout)
  )
    problems.push('the packets are not in the order of time any more');
  const [inWhole, inAll] = [await seenIn(whole), await seenIn(all)];
  problems.push(...newComplaints(inWhole, inAll).map((line) => `tshark on all: ${line}`));
  // Duplicates of a packet seen on two interfaces are left out, and tshark counts each.
  const distinct = (list) => String([...new Set(list)]);
  if (distinct(inAll.messages) !== distinct(inWhole.messages)) problems.push('tshark finds other messages');
  const one =
    records.find(({ outcome, anomalies }) => outcome === 'complete' && anomalies.length === 0) ?? records[0];
  const single = path.join(directory, 'single.pcapng');
  await wirelens('extract', whole, String(one.id), '-w', single, '--force', '-q');
  const inSingle = await seenIn(single);
  problems.push(...newComplaints(inWhole, inSingle).map((line) => `tshark on exchange ${one.id}: ${line}`));
  if (!inSingle.comments.some((text) => text.includes(`wirelens exchange ${one.id}:`)))
    problems.push('tshark shows no comment of ours');
  if (one.outcome === 'complete' && one.status !== null) {
    const has = ({ messages }) =>
      messages.some((line) => line.split('\t')[0].split(',').includes(one.method));
    // Some methods are none for tshark, in the whole capture neither.
    if (!has(inSingle) && has(inWhole)) problems.push(`tshark finds no ${one.method} in exchange ${one.id}`);
  }
  return problems;
}

const checks = new Checks();
if (spawnSync('sh', ['-c', 'command -v tshark && command -v capinfos']).status !== 0) {
  checks.skip('extract', 'tshark is not installed');
} else {
  const directory = mkdtempSync(path.join(tmpdir(), 'wirelens-extract-'));
  const left = goldenFolders();
  const work = async (_, worker) => {
    const own = path.join(directory, String(worker));
    mkdirSync(own);
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const problems = await problemsOf(path.join(next.folder, next.capture), own);
      if (problems !== null) checks.report(`extract  ${next.name}`, problems);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const piped = spawnSync(
    'sh',
    [
      '-c',
      `"$0" "$1" extract "$2" 1 -w - -q | tshark -r - 2>/dev/null | wc -l`,
      process.execPath,
      WIRELENS,
      path.resolve(import.meta.dirname, '../../fixtures/slow-phases/capture.pcap'),
    ],
    { encoding: 'utf8' },
  );
  checks.report(
    'extract into a pipe',
    piped.stdout.trim() === '10' ? [] : [`tshark reads ${piped.stdout.trim()} packets instead of 10`],
  );
  rmSync(directory, { recursive: true, force: true });
}
checks.finish();
