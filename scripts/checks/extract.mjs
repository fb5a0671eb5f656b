// Differential check: what `extract` writes is sound for Wireshark's own tools, which find the same messages in it.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { goldenFolders } from '../expected-exchanges.mjs';
import { Checks } from './checks.mjs';

const WIRELENS = path.resolve(import.meta.dirname, '../../bin/wirelens.js');
const TEXT = { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'] };
const HTTP = ['-2', '-n', '--enable-heuristic', 'http_tcp', '-o', 'tcp.reassemble_out_of_order:TRUE'];

function wirelens(...args) {
  return execFileSync(process.execPath, [WIRELENS, ...args], TEXT);
}

function recordsOf(file) {
  const lines = wirelens('analyze', file, '-f', 'json', '-q').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

function tshark(file, ...args) {
  return spawnSync('tshark', [...HTTP, '-r', file, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
}

/** Requests and answers as tshark sees them, sorted. */
function messages(file) {
  const fields = ['http.request.method', 'http.request.uri', 'http.response.code'];
  const args = ['-Y', 'http', '-T', 'fields', ...fields.flatMap((name) => ['-e', name])];
  const { stdout } = tshark(file, ...args);
  return stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .sort();
}

/** Complaints of tshark that the whole capture does not call for. */
function newComplaints(whole, part) {
  const expert = (file) => {
    const { stdout, stderr } = tshark(file, '-q', '-z', 'expert,error');
    const malformed = tshark(file, '-Y', '_ws.malformed', '-T', 'fields', '-e', 'frame.number').stdout;
    const cut = /cut short|damaged|corrupt/i.test(stderr) ? [stderr.trim()] : [];
    const errors = stdout
      .split('\n')
      .filter((line) => /^\s+\d/.test(line))
      .map((line) => line.trim().replace(/^\d+\s+/, ''));
    return [...cut, ...errors, ...(malformed.trim() === '' ? [] : ['malformed'])];
  };
  const known = expert(whole);
  return expert(part).filter((line) => !known.includes(line));
}

const checks = new Checks();
if (spawnSync('sh', ['-c', 'command -v tshark && command -v capinfos']).status !== 0) {
  checks.skip('extract', 'tshark is not installed');
} else {
  const directory = mkdtempSync(path.join(tmpdir(), 'wirelens-extract-'));
  for (const { name, folder, capture } of goldenFolders()) {
    const whole = path.join(folder, capture);
    const records = recordsOf(whole);
    if (records.length === 0) continue;
    const problems = [];
    const all = path.join(directory, 'all.pcapng');
    wirelens('extract', whole, `1-${records.length}`, '-w', all, '--force', '-q');
    const info = spawnSync('capinfos', ['-M', all], { encoding: 'utf8' });
    if (info.status !== 0) problems.push(`capinfos: ${info.stderr.trim()}`);
    if (
      !/Strict time order:\s+True/.test(info.stdout) &&
      /Strict time order:\s+True/.test(spawnSync('capinfos', [whole], { encoding: 'utf8' }).stdout)
    )
      problems.push('the packets are not in the order of time any more');
    problems.push(...newComplaints(whole, all).map((line) => `tshark on all: ${line}`));
    if (String(messages(all)) !== String(messages(whole))) {
      // Duplicates of a packet seen on two interfaces are left out, and tshark counts each.
      const distinct = (list) => String([...new Set(list)]);
      if (distinct(messages(all)) !== distinct(messages(whole))) problems.push('tshark finds other messages');
    }
    const one =
      records.find(({ outcome, anomalies }) => outcome === 'complete' && anomalies.length === 0) ??
      records[0];
    const single = path.join(directory, 'single.pcapng');
    wirelens('extract', whole, String(one.id), '-w', single, '--force', '-q');
    problems.push(...newComplaints(whole, single).map((line) => `tshark on exchange ${one.id}: ${line}`));
    const comments = tshark(single, '-Y', 'frame.comment', '-T', 'fields', '-e', 'frame.comment').stdout;
    if (!comments.includes(`wirelens exchange ${one.id}:`)) problems.push('tshark shows no comment of ours');
    if (one.outcome === 'complete' && one.status !== null) {
      const seen = messages(single);
      const has = (lines) => lines.some((line) => line.split('\t')[0].split(',').includes(one.method));
      // Some methods are none for tshark, in the whole capture neither.
      if (!has(seen) && has(messages(whole)))
        problems.push(`tshark finds no ${one.method} in exchange ${one.id}`);
    }
    checks.report(`extract  ${name}`, problems);
  }
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
