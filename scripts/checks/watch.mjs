// The live table of `wirelens capture` in a real terminal emulator (tmux), fed through standard input with a capture
// whose exchanges are known: what it shows, what its keys do, and that the terminal is as before when it ends, is
// stopped or is killed.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Checks } from './checks.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const WIRELENS = path.join(ROOT, 'bin/wirelens.js');
const CAPTURE = path.join(ROOT, 'fixtures/web-shop/capture.pcapng');
const EXCHANGES = JSON.parse(readFileSync(path.join(ROOT, 'fixtures/web-shop/exchanges.json'), 'utf8'));
const PATIENCE_MS = 15_000;
const LOOK_MS = 50;

/** What comes out at once: the others wait for what may still come on their connections. */
const ENDED = EXCHANGES.filter(({ outcome }) => outcome === 'complete');
const SLOWEST = ENDED.reduce((a, b) => ((b.total_ms ?? 0) > (a.total_ms ?? 0) ? b : a));
const FAILED = ENDED.filter(({ status }) => status >= 500);

/** A server of its own for each terminal: one that is ending takes no new session. */
let terminals = 0;

function tmux(...words) {
  const socket = `wirelens-check-${process.pid}-${terminals}`;
  const { status, stdout, stderr } = spawnSync('tmux', ['-L', socket, '-f', '/dev/null', ...words], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  if (status !== 0) throw new Error(`tmux ${words[0]}: ${stderr.trim()}`);
  return stdout;
}

/** A shell in a terminal of its own. */
class Terminal {
  constructor(columns, rows, { colors = false } = {}) {
    this.columns = columns;
    terminals += 1;
    const shell = `${colors ? '' : 'NO_COLOR=1 '}LC_ALL=C.UTF-8 PS1='ready$ ' exec bash --norc --noprofile`;
    tmux('new-session', '-d', '-s', 'main', '-x', String(columns), '-y', String(rows), shell);
  }

  screen(styled = false) {
    return tmux('capture-pane', '-p', ...(styled ? ['-e'] : []), '-t', 'main');
  }

  rows() {
    return this.screen()
      .split('\n')
      .filter((line) => /^[> ] \d\d:\d\d:\d\d/.test(line));
  }

  press(...keys) {
    tmux('send-keys', '-t', 'main', ...keys);
  }

  type(text) {
    tmux('send-keys', '-t', 'main', '-l', text);
  }

  run(command) {
    this.type(command);
    this.press('Enter');
  }

  /** A table over the known exchanges; the capture then stays silent. */
  async watch() {
    this.run('stty -g > /dev/null; before=$(stty -g); clear');
    // The shell does not wait for what feeds the capture.
    const input = `<(cat '${CAPTURE}'; exec sleep 60)`;
    this.run(`'${process.execPath}' '${WIRELENS}' capture - < ${input}; echo "code $?"`);
    await this.until(`${ENDED.length} exchanges`, () => this.screen().includes(` ${ENDED.length} exchanges`));
  }

  async until(what, holds) {
    const end = Date.now() + PATIENCE_MS;
    while (!holds()) {
      if (Date.now() > end) throw new Error(`waited in vain for ${what}; the screen:\n${this.screen()}`);
      await sleep(LOOK_MS);
    }
  }

  get isAlternate() {
    return tmux('display-message', '-p', '-t', 'main', '#{alternate_on}').trim() === '1';
  }

  get cursorShown() {
    return tmux('display-message', '-p', '-t', 'main', '#{cursor_flag}').trim() === '1';
  }

  /** Sentences about what is not as it was before. */
  async leftovers() {
    const problems = [];
    await this.until('the normal screen', () => !this.isAlternate);
    if (!this.cursorShown) problems.push('the cursor is hidden');
    this.run('clear; [ "$before" = "$(stty -g)" ] && echo modes-are-the-same || echo modes-differ');
    await this.until('an answer of the shell', () => /^modes-/m.test(this.screen()));
    if (/^modes-differ/m.test(this.screen())) problems.push('the terminal is in another mode');
    return problems;
  }

  close() {
    tmux('kill-server');
  }
}

const checks = new Checks();
const directory = mkdtempSync(path.join(tmpdir(), 'wirelens-watch-'));

async function check(name, columns, rows, options, run) {
  const problems = [];
  let terminal = null;
  try {
    terminal = new Terminal(columns, rows, options);
    await run(terminal, problems);
  } catch (error) {
    problems.push(error.message);
  } finally {
    try {
      terminal?.close();
    } catch {
      // It has ended by itself.
    }
  }
  checks.report(`watch    ${name}`, problems);
}

/** Number of the process of Wirelens that the shell of the session has started. */
function processIn(session) {
  const pane = tmux('display-message', '-p', '-t', session, '#{pane_pid}').trim();
  const { stdout } = spawnSync('ps', ['-o', 'pid=,args=', '--ppid', pane], { encoding: 'utf8' });
  const line = stdout.split('\n').find((one) => one.includes('wirelens.js'));
  return Number.parseInt(line, 10);
}

/** The line of an exchange as the table must begin it. */
function isRowOf(line, { method, status }) {
  return line.includes(` ${method} `) && line.includes(` ${status} `);
}

async function table(terminal, problems) {
  await terminal.watch();
  const last = ENDED[ENDED.length - 1];
  await terminal.until('the newest row', () => terminal.rows().some((line) => line.startsWith('> ')));
  const selected = terminal.rows().find((line) => line.startsWith('> '));
  if (selected === undefined || !isRowOf(selected, last)) problems.push(`the newest row is ${selected}`);
  if (!terminal.isAlternate) problems.push('it is not on the alternate screen');
  for (const line of terminal.screen().split('\n'))
    if ([...line].length > terminal.columns) problems.push(`wider than the screen: ${line}`);

  terminal.press('s');
  await terminal.until('slowest first', () => terminal.screen().includes('slowest first'));
  const first = terminal.rows()[0] ?? '';
  if (!isRowOf(first, SLOWEST)) problems.push(`the slowest row is ${first}`);

  terminal.press('Enter');
  await terminal.until('the detail', () =>
    new RegExp(`exchange +${SLOWEST.id}$`, 'm').test(terminal.screen()),
  );
  if (!terminal.screen().includes(SLOWEST.client)) problems.push('the detail does not name the client');
  terminal.press('Escape');
  await terminal.until('the list', () => terminal.rows().length > 0);

  terminal.press('0');
  terminal.press('/');
  terminal.type('status >= 5xy');
  terminal.press('Enter');
  await terminal.until('a caret', () => /^ +\^+$/m.test(terminal.screen()));
  terminal.press('C-u');
  terminal.type('status >= 500');
  terminal.press('Enter');
  const count = `of ${FAILED.length}, following`;
  await terminal.until(count, () => terminal.screen().includes(count));
  if (!terminal.rows().every((line) => / 5\d\d /.test(line)))
    problems.push('rows that do not pass the filter');
  terminal.press('q');
  await terminal.until('the shell', () => /^code 0/m.test(terminal.screen()));
  if (!/^\d+ exchanges on \d+ connections/m.test(terminal.screen())) problems.push('no totals at the end');
  problems.push(...(await terminal.leftovers()));
}

async function stopped(terminal, problems) {
  await terminal.watch();
  terminal.press('C-z');
  await terminal.until('the shell', () => terminal.screen().includes('Stopped'));
  if (terminal.isAlternate || !terminal.cursorShown) problems.push('the screen was not given back');
  terminal.run('clear; stty -a | grep -o -- "-\\?icanon"');
  await terminal.until('an answer of stty', () => /^-?icanon/m.test(terminal.screen()));
  if (/^-icanon/m.test(terminal.screen())) problems.push('the terminal was left in raw mode');
  terminal.run('fg');
  await terminal.until('the table', () => terminal.isAlternate && terminal.rows().length > 0);
  terminal.press('q');
  problems.push(...(await terminal.leftovers()));
}

async function killed(terminal, problems) {
  await terminal.watch();
  process.kill(processIn('main'), 'SIGTERM');
  problems.push(...(await terminal.leftovers()));
}

async function resized(terminal, problems) {
  await terminal.watch();
  tmux('resize-window', '-t', 'main', '-x', '60', '-y', '10');
  await terminal.until('five rows', () => terminal.rows().length === 5);
  tmux('resize-window', '-t', 'main', '-x', '160', '-y', '40');
  await terminal.until('further columns', () => / 7 client .* outcome/.test(terminal.screen()));
  terminal.press('C-c');
  problems.push(...(await terminal.leftovers()));
}

async function colored(terminal, problems) {
  await terminal.watch();
  terminal.press('e');
  await terminal.until('errors', () => terminal.screen().includes('errors only'));
  if (!terminal.screen(true).includes('\x1b[31m5')) problems.push('5xx is not red');
  terminal.press('q');
  problems.push(...(await terminal.leftovers()));
}

/** Input that ends: what came can still be looked at, and what is written is complete. */
async function ended(terminal, problems) {
  const file = path.join(directory, 'ended.sqlite');
  const command = `'${process.execPath}' '${WIRELENS}'`;
  terminal.run('before=$(stty -g); clear');
  terminal.run(`cat '${CAPTURE}' | ${command} capture - -o '${file}'; echo "code $?"`);
  await terminal.until('the end of the input', () => terminal.screen().includes('standard input has ended'));
  const count = `${EXCHANGES.length} of ${EXCHANGES.length}`;
  await terminal.until(count, () => terminal.screen().includes(count));
  const { stdout } = spawnSync('sqlite3', [file, 'SELECT count(*) FROM exchanges'], { encoding: 'utf8' });
  if (stdout.trim() !== String(EXCHANGES.length)) problems.push(`the file holds ${stdout.trim()} exchanges`);
  terminal.press('s');
  await terminal.until('slowest first', () => terminal.screen().includes('slowest first'));
  terminal.press('q');
  await terminal.until('the shell', () => /^code 0/m.test(terminal.screen()));
  if (!/^\d+ exchanges on \d+ connections/m.test(terminal.screen())) problems.push('no totals at the end');
  if (!terminal.screen().includes('ended.sqlite')) problems.push('the file is not told at the end');

  terminal.run(`clear; ${command} capture - < '${CAPTURE}'; echo "code $?"`);
  await terminal.until('the end of the input', () => terminal.screen().includes('standard input has ended'));
  process.kill(processIn('main'), 'SIGTERM');
  await terminal.until('the shell', () => /^code 0/m.test(terminal.screen()));
  if (!/^\d+ exchanges on \d+ connections/m.test(terminal.screen())) problems.push('no totals after SIGTERM');

  terminal.run(`clear; ${command} capture - -c 100 < '${CAPTURE}'; echo "code $?"`);
  await terminal.until('the end after 100 packets', () => /^code 0/m.test(terminal.screen()));
  problems.push(...(await terminal.leftovers()));
}

async function piped(terminal, problems) {
  terminal.run(
    `'${process.execPath}' '${WIRELENS}' capture - < '${CAPTURE}' 2> /dev/null | cat -v | tail -n 4; echo don"e"`,
  );
  await terminal.until('the end', () => /^done/m.test(terminal.screen()));
  if (terminal.screen().includes('^[')) problems.push('escape sequences in a pipe');
  if (!terminal.screen().includes('/healthz')) problems.push('no rows in a pipe');
}

if (spawnSync('tmux', ['-V']).error !== undefined) {
  checks.skip('watch', 'tmux is not installed');
} else {
  await check('table, detail, filter at 80x24', 80, 24, {}, table);
  await check('table, detail, filter at 200x50', 200, 50, {}, table);
  await check('colours', 100, 24, { colors: true }, colored);
  await check('Ctrl-Z and fg', 80, 24, {}, stopped);
  await check('SIGTERM', 80, 24, {}, killed);
  await check('input that ends', 100, 24, {}, ended);
  await check('another size', 80, 24, {}, resized);
  await check('plain rows in a pipe', 200, 24, {}, piped);
}
rmSync(directory, { recursive: true, force: true });
checks.finish();
