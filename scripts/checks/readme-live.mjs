// The README's live session, run word for word on the loopback of a network namespace of its own. What differs from
// run to run (times, ports, the first seconds) is masked; everything else must be what the README shows.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Checks } from './checks.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MARK = '<!-- live -->';

/** Commands of the block after MARK, with what the README shows of each. */
function session(text) {
  const lines = text.split('\n');
  const at = lines.indexOf(MARK);
  if (at < 0) throw new Error(`the README has no line ${MARK}`);
  const block = lines.slice(at + 2, lines.indexOf('```', at + 2));
  const steps = [];
  for (const line of block) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: [] });
    else steps.at(-1).shown.push(line);
  }
  return steps;
}

/** Words one by one, with numbers that nobody can foresee as #. Widths of columns follow from those. */
function masked(lines) {
  return lines
    .map((line) =>
      line
        .replace(/\d{2}:\d{2}:\d{2}\.\d+/g, 'TIME')
        .replace(/(\d|…)\S*(?= ?(ns|µs|ms|s|kB)\b)/g, '#')
        .replace(/# (ns|µs|ms|s)\b/g, '# time')
        .replace(/127\.0\.0\S*?:\d{5}\b|127\.0\S*…\S*|\[?::1\]?:\d{5}/g, 'CLIENT')
        .replace(/\b[1-9]\d* packets\b/g, '# packets')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '');
}

const checks = new Checks();
const missing = ['unshare', 'ip', 'curl', 'bash'].filter(
  (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0,
);
if (process.platform !== 'linux' || process.getuid() !== 0)
  checks.skip("the README's live session", 'it needs Linux and root');
else if (missing.length > 0) checks.skip("the README's live session", `not installed: ${missing.join(', ')}`);
else if (spawnSync('unshare', ['--net', 'true']).status !== 0)
  checks.skip("the README's live session", 'this system does not allow a network namespace');
else {
  const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-readme-live-'));
  try {
    const steps = session(readFileSync(path.join(ROOT, 'README.md'), 'utf8'));
    symlinkSync(path.join(ROOT, 'fixtures'), path.join(folder, 'fixtures'));
    // One shell for all: the server of the first line is there for the others.
    const script = [
      'ip link set lo up',
      'sudo() { "$@"; }',
      `npx() { test "$1" = wirelens || return 97; shift; '${process.execPath}' '${path.join(ROOT, 'bin/wirelens.js')}' "$@"; }`,
      ...steps.flatMap(({ command }, index) => [`exec > '${folder}/step-${index}' 2>&1`, command]),
      'kill $(jobs -p) 2> /dev/null',
    ].join('\n');
    writeFileSync(path.join(folder, 'session.sh'), script);
    spawnSync('unshare', ['--net', 'bash', 'session.sh'], {
      cwd: folder,
      env: { ...process.env, COLUMNS: '100', LC_ALL: 'C.UTF-8', NO_COLOR: '1' },
      timeout: 60_000,
      stdio: 'ignore',
    });
    for (const [index, { command, shown }] of steps.entries()) {
      const text = readFileSync(path.join(folder, `step-${index}`), 'utf8');
      if (process.argv.includes('--print')) console.log(`$ ${command}\n${text.trimEnd()}`);
      const came = text.split('\n');
      const [wanted, found] = [masked(shown).sort(), masked(came).sort()];
      checks.report(`README, live: ${command}`, [
        ...wanted.filter((line) => !found.includes(line)).map((line) => `did not come: ${line}`),
        ...found.filter((line) => !wanted.includes(line)).map((line) => `not in the README: ${line}`),
      ]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
checks.finish();
