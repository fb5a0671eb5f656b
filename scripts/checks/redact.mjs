// Redacted copies of all fixtures as tshark sees them: the same packets, times, lengths and HTTP, checksums right
// where they were right and wrong where they were wrong, nothing malformed that was not so before.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { goldenFolders } from '../expected-exchanges.mjs';
import { Checks } from './checks.mjs';

const WIRELENS = path.resolve(import.meta.dirname, '../../bin/wirelens.js');
const TEXT = { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] };
/** Checksums are looked at; bodies are not unpacked, for filler cannot be. */
const PREFERENCES = [
  'ip.check_checksum:TRUE',
  'tcp.check_checksum:TRUE',
  'udp.check_checksum:TRUE',
  'http.decompress_body:FALSE',
];
const SAME = [
  'frame.time_epoch',
  'frame.len',
  'frame.cap_len',
  'eth.type',
  'vlan.id',
  'ip.proto',
  'ip.len',
  'ip.id',
  'ipv6.plen',
  'tcp.srcport',
  'tcp.dstport',
  'tcp.seq_raw',
  'tcp.ack_raw',
  'tcp.len',
  'tcp.flags',
  'tcp.window_size_value',
  'udp.srcport',
  'udp.length',
  'vxlan.vni',
  'gre.key',
];
const CHECKSUMS = ['ip.checksum.status', 'tcp.checksum.status', 'udp.checksum.status'];
/** Of tshark's values of `*.checksum.status`. */
const [BAD, GOOD] = ['0', '1'];
/**
 * A checksum that offloading left half made stays so, and then the sum of the new addresses is right by chance in one
 * packet of 65,536. Two of them in one of our captures is rarer than any run will see.
 */
const RIGHT_BY_CHANCE = 1;
const HTTP = ['http.request.method', 'http.response.code', 'http.content_length_header'];
const MALFORMED = ['_ws.malformed', 'frame.protocols'];
/** Payloads whose dissectors may call filler malformed. */
const PAYLOAD = /:(http|data|tls|websocket|http2|dns|json|png|image|xml|media)/;
/** tshark looks for HTTP by itself where bytes are lost or framing is broken, and nothing is left to be found. */
const TSHARK_FINDS_MORE_OR_LESS = new Set([
  'lossy-mirror',
  'lost-packets',
  'mid-stream',
  'network-disorder',
  'smuggling-shapes',
]);

/** Rows of fields, one for each packet. */
function rows(file) {
  const args = ['-n', '-r', file, '-T', 'fields', '-E', 'separator=|'];
  for (const preference of PREFERENCES) args.push('-o', preference);
  for (const field of [...CHECKSUMS, ...SAME, ...HTTP, ...MALFORMED]) args.push('-e', field);
  return execFileSync('tshark', args, TEXT)
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('|'));
}

function problemsOf(name, capture, copy) {
  const [before, after] = [rows(capture), rows(copy)];
  if (before.length !== after.length) return [`${before.length} packets before, ${after.length} after`];
  const compared = CHECKSUMS.length + SAME.length + (TSHARK_FINDS_MORE_OR_LESS.has(name) ? 0 : HTTP.length);
  const problems = [];
  let becameRight = 0;
  before.forEach((was, index) => {
    const is = after[index];
    for (let at = 0; at < CHECKSUMS.length; at++) {
      if (was[at] !== BAD || is[at] !== GOOD || becameRight === RIGHT_BY_CHANCE) continue;
      becameRight++;
      is[at] = BAD;
    }
    const [wasShown, isShown] = [was, is].map((row) => row.slice(0, compared).join('|'));
    if (wasShown !== isShown) problems.push(`packet ${index + 1}: ${wasShown} became ${isShown}`);
    const [isMalformed, protocols] = is.slice(-2);
    if (isMalformed !== '' && was.at(-2) === '' && !PAYLOAD.test(protocols))
      problems.push(`packet ${index + 1} is malformed in the copy: ${protocols}`);
  });
  return problems;
}

const checks = new Checks();
const directory = mkdtempSync(path.join(tmpdir(), 'wirelens-redact-'));
try {
  if (spawnSync('tshark', ['--version']).error !== undefined)
    checks.skip('redacted fixtures', 'tshark is not installed');
  else {
    for (const { name, folder, capture: file } of goldenFolders()) {
      const capture = path.join(folder, file);
      const copy = path.join(directory, `${name}.pcapng`);
      const run = spawnSync(process.execPath, [WIRELENS, 'redact', capture, '-w', copy], {
        encoding: 'utf8',
      });
      const isWritten = run.status === 0 || run.status === 3;
      checks.report(
        `redacted ${name}`,
        isWritten ? problemsOf(name, capture, copy) : [`exit code ${run.status}: ${run.stderr}`],
      );
    }
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
checks.finish();
