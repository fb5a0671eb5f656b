// The completion scripts in the shells that they are for: what is offered at a few places of a command line.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Checks } from './checks.mjs';

const WIRELENS = path.resolve(import.meta.dirname, '../../bin/wirelens.js');
const directory = mkdtempSync(path.join(tmpdir(), 'wirelens-completion-'));
writeFileSync(path.join(directory, 'trace one.pcap'), '');

/** What must be offered after a beginning, and what must not. */
const CASES = [
  ['wirelens an', ['analyze'], ['sql']],
  ['wirelens analyze --form', ['--format'], ['--port']],
  ['wirelens analyze --format j', ['json'], ['table']],
  ['wirelens analyze --where stat', ['status'], ['host']],
  ['wirelens stat --by route,met', ['route,method'], ['route,host']],
  ['wirelens completion z', ['zsh'], ['bash']],
  ['wirelens help doc', ['doctor'], ['sql']],
  ['wirelens capture -i l', ['lo'], ['any', 'trace one.pcap']],
  ['wirelens capture por', ['port', 'portrange'], ['host']],
  ['wirelens doctor tra', ['trace one.pcap'], []],
];

/** What bash would show, one a line: the function is called as readline does. */
function offeredByBash(script, line) {
  const program = `
    source '${script}'
    COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    compopt() { :; }
    _wirelens 2>&1; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', program], { cwd: directory, encoding: 'utf8' });
}

function offeredByFish(script, line) {
  const program = `source '${script}'; complete -C '${line}'`;
  const text = execFileSync('fish', ['--no-config', '-c', program], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory },
  });
  return text.replace(/\t.*$/gm, '').replaceAll('\\ ', ' ');
}

/**
 * zsh completes only in a line that is being edited, so one is edited in a terminal of its own. It tells when it begins to
 * edit and when it has completed: keys that come earlier may be taken otherwise.
 */
function offeredByZsh(script, line) {
  const program = `
    zmodload zsh/zpty
    zpty z zsh -f -i
    zpty -w z 'PS1=; unsetopt zle_bracketed_paste; cd ${directory}; autoload -Uz compinit; compinit -u -D; source ${script}'
    zpty -w z 'list() { compadd -O offers "$@"; print -rl -- $offers; builtin compadd "$@" }; compadd() { local -a offers; [[ \${@[1]} == -[OAD] ]] || { builtin compadd -O offers "$@"; print -rl -- "<\${(@)^offers}>" }; builtin compadd "$@" }'
    zpty -w z 'complete() { zle expand-or-complete; print -r -- " $BUFFER COMPLE""TED" }; zle -N complete; bindkey "^I" complete'
    zpty -w z 'begin() { print REA""DY }; zle -N zle-line-init begin'
    zpty -r -m z out '*READY*'
    zpty -n -w z "$1"$'\\t'
    zpty -r -m z out '*COMPLETED*'
    print -r -- "$out"`;
  return execFileSync('zsh', ['-f', '-c', program, 'zsh', line], {
    cwd: directory,
    encoding: 'utf8',
    timeout: 60_000,
  });
}

const SHELLS = { bash: offeredByBash, zsh: offeredByZsh, fish: offeredByFish };

/** Offered words as a set of texts; zsh prints them in angle brackets, and a single one into the line. */
function wordsIn(shell, text) {
  if (shell !== 'zsh') return new Set(text.split('\n').map((piece) => piece.trim().split(':')[0]));
  const offers = [...text.matchAll(/<([^<>\r\n]+)>/g)].map(([, word]) => word.replaceAll('\\ ', ' '));
  return new Set([...offers, ...text.split(/\s+/)]);
}

const checks = new Checks();
for (const [shell, offered] of Object.entries(SHELLS)) {
  if (spawnSync(shell, ['--version']).error !== undefined) {
    checks.skip(`completion ${shell}`, `${shell} is not installed`);
    continue;
  }
  const script = path.join(directory, `wirelens.${shell}`);
  writeFileSync(script, execFileSync(process.execPath, [WIRELENS, 'completion', shell]));
  for (const [line, wanted, unwanted] of CASES) {
    const words = wordsIn(shell, offered(script, line));
    // zsh offers what comes after the comma.
    const has = (word) => words.has(word) || (shell === 'zsh' && words.has(word.replace(/^.*,/, '')));
    checks.report(`completion ${shell}: ${line}`, [
      ...wanted
        .filter((word) => !has(word))
        .map((word) => `${word} is not offered among ${[...words].slice(0, 20).join(' ')}`),
      ...unwanted.filter((word) => has(word)).map((word) => `${word} is offered`),
    ]);
  }
}
rmSync(directory, { recursive: true, force: true });
checks.finish();
