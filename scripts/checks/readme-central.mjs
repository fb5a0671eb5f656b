// The README's session of server, agent and query, run word for word on the loopback of a network namespace of its own.
// What differs from run to run is masked; everything else must be what the README shows.
//
//     node scripts/checks/readme-central.mjs [--print] [FILE instead of README.md]

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Checks } from './checks.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MARK = '<!-- central -->';
const PROGRAM = process.env.WIRELENS ?? path.join(ROOT, 'bin/wirelens.js');

/** Commands of the block after MARK, with what the README shows of each. */
function session(text) {
  const lines = text.split('\n');
  const at = lines.indexOf(MARK);
  if (at < 0) throw new Error(`there is no line ${MARK}`);
  const steps = [];
  for (const line of lines.slice(at + 2, lines.indexOf('```', at + 2))) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: [] });
    else steps.at(-1).shown.push(line);
  }
  return steps;
}

/** Words, with what nobody can foresee as #. Widths of columns follow from those. */
function masked(lines) {
  return lines
    .map((line) =>
      line
        // With a date where rows are not all of today.
        .replace(/((\d{4}-)?\d{2}-\d{2}[T ])?\d{2}:\d{2}:\d{2}(\.\d+)?Z?/g, 'TIME')
        .replace(/127\.0\.0\.1:\d{5}\b|127\.0\S*…\S*/g, 'CLIENT')
        // Compressed, and zlib differs from one Node to the next.
        .replace(/(?<=\(1 batch, )\d+(?= B\))/g, '#')
        .replace(/\d+(\.\d+)?(?= ?(ns|µs|ms|s|kB|MB|\/s)\b)/g, '#')
        .replace(/# ?(ns|µs|ms|s)\b/g, '# time')
        .replace(/\b\d+\.\d+(?!\.|:|\d)/g, '#')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '');
}

const checks = new Checks();
const name = "the README's session of server, agent and query";
const tools = ['unshare', 'ip', 'curl', 'bash', 'jq'];
const missing = tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
if (process.platform !== 'linux' || process.getuid() !== 0) checks.skip(name, 'it needs Linux and root');
else if (missing.length > 0) checks.skip(name, `not installed: ${missing.join(', ')}`);
else if (spawnSync('unshare', ['--net', 'true']).status !== 0)
  checks.skip(name, 'this system does not allow a network namespace');
else {
  const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-readme-central-'));
  try {
    run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
checks.finish();

function run(folder) {
  const file = process.argv.slice(2).find((word) => !word.startsWith('-')) ?? path.join(ROOT, 'README.md');
  const steps = session(readFileSync(file, 'utf8'));
  symlinkSync(path.join(ROOT, 'fixtures'), path.join(folder, 'fixtures'));
  // One shell for all: server and agent of the first lines are there for the others. They
  // end with their namespace of processes.
  const script = [
    'ip link set lo up',
    'sudo() { "$@"; }',
    `npx() { test "$1" = wirelens || return 97; shift; exec_wirelens "$@"; }`,
    `exec_wirelens() { '${process.execPath}' '${PROGRAM}' "$@"; }`,
    ...steps.flatMap(({ command }, index) => [`exec > '${folder}/step-${index}' 2>&1`, command]),
  ].join('\n');
  writeFileSync(path.join(folder, 'session.sh'), script);
  const done = spawnSync(
    'unshare',
    ['--net', '--pid', '--fork', '--kill-child', '--mount-proc', 'bash', 'session.sh'],
    {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        WIRELENS_SPOOL: path.join(folder, 'spool'),
        COLUMNS: '100',
        LC_ALL: 'C.UTF-8',
        NO_COLOR: '1',
      },
      timeout: 150_000,
      stdio: 'ignore',
    },
  );
  if (done.error !== undefined) checks.report(name, [done.error.message]);
  for (const [index, { command, shown }] of steps.entries()) {
    const text = readFileSync(path.join(folder, `step-${index}`), 'utf8');
    if (process.argv.includes('--print')) console.log(`$ ${command}\n${text.trimEnd()}`);
    const [wanted, found] = [masked(shown).sort(), masked(text.split('\n')).sort()];
    checks.report(`README: ${command}`, [
      ...wanted.filter((line) => !found.includes(line)).map((line) => `did not come: ${line}`),
      ...found.filter((line) => !wanted.includes(line)).map((line) => `not in the README: ${line}`),
    ]);
  }
  for (const log of ['server.log', 'agent.log'])
    if (process.argv.includes('--print')) console.log(readFileSync(path.join(folder, log), 'utf8'));
}
