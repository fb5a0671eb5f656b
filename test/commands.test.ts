import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { separateSlow } from '../src/cli/definitions/analyze.ts';
import { createProgram } from '../src/cli/program.ts';
import { commandReference, listedCommands } from '../src/cli/reference.ts';

/* What --help says of the commands is true: examples run, every command has its place, docs/commands.md agrees. */

const ROOT = path.resolve(import.meta.dirname, '..');
const directory = mkdtempSync(path.join(tmpdir(), 'wirelens-examples-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Told apart from ordinary words of a command line. */
const END_OF_CALL = '\u0001end\u0001';

/** A program whose commands do nothing but take their command line. */
function idleProgram(): Command {
  const program = createProgram('0.0.0', () => {});
  for (const command of program.commands) command.action(() => {});
  return program;
}

const commands = listedCommands(idleProgram())
  .map(({ command, group }) => ({ name: command.name(), command, group }))
  .filter(({ name }) => name !== 'help');

function helpOf(name: string): string {
  const section = commandReference(idleProgram()).split(`\n## wirelens ${name}\n`)[1];
  return section?.split('\n## ')[0] ?? '';
}

/** The lines under `Examples:` that call Wirelens. */
function examplesOf(name: string): string[] {
  const [, examples = ''] = helpOf(name).split('\nExamples:\n');
  return (examples.split(/\n\n|\n```/)[0] ?? '').split('\n').filter((line) => /\bwirelens [a-z]/.test(line));
}

/** Calls of `wirelens` in a shell line, as the shell splits them; nothing else is run. */
function callsIn(line: string): string[][] {
  const calls = path.join(directory, 'calls');
  rmSync(calls, { force: true });
  // What it is for stands after two spaces. Nothing is written anywhere, and nothing runs on in the background.
  const purposeCut = line
    .trim()
    .replace(/\s{2,}\S.*$/, '')
    .replace(/\s>\s*\S+/g, '')
    .replaceAll('<(', '$(');
  const script = `
    wirelens() { printf '%s\\n' "$@" '${END_OF_CALL}' >> '${calls}'; }
    npx() { shift 0; "$@"; }
    sudo() { "$@"; }
    tcpdump() { :; }; jq() { :; }; tshark() { :; }; source() { :; }; sort() { :; }; head() { :; }; ssh() { :; }; cat() { :; }; kubectl() { :; }
    cd '${directory}' && ${purposeCut}`;
  spawnSync('/bin/bash', ['-c', script], { env: { PATH: '' }, stdio: 'ignore' });
  let text = '';
  try {
    text = readFileSync(calls, 'utf8');
  } catch {
    return [];
  }
  return text
    .split(`${END_OF_CALL}\n`)
    .slice(0, -1)
    .map((call) => call.split('\n').slice(0, -1));
}

describe('wirelens --help', () => {
  it('has every command under a heading', () => {
    expect(commands.filter(({ group }) => group === '').map(({ name }) => name)).toEqual([]);
    expect(commands.length).toBeGreaterThan(2);
  });

  it.each(commands.map(({ name }) => name))('%s: has two examples or more, which are understood', (name) => {
    const examples = examplesOf(name);
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const example of examples) {
      const calls = callsIn(example);
      expect(calls.length, example).toBeGreaterThan(0);
      for (const call of calls) {
        expect(
          () =>
            idleProgram()
              .configureOutput({ writeErr: () => {} })
              .parse(separateSlow(call), { from: 'user' }),
          example,
        ).not.toThrow();
      }
    }
  });

  it('would notice an example with an option that does not exist', () => {
    const [call] = callsIn("wirelens analyze 'a b.pcap' --no-such-option | jq .");
    expect(call).toEqual(['analyze', 'a b.pcap', '--no-such-option']);
    const program = idleProgram();
    for (const command of program.commands) command.configureOutput({ writeErr: () => {} });
    expect(() => program.parse(call ?? [], { from: 'user' })).toThrow();
  });

  it.each(commands.map(({ name }) => name))('%s: says which exit codes it has', (name) => {
    if (name === 'completion') return;
    expect(helpOf(name)).toMatch(/\nExit codes:\n {2}0 {2}/);
  });
});

describe('docs/commands.md', () => {
  it('is what the commands say; npm run docs writes it', () => {
    const page = readFileSync(path.join(ROOT, 'docs/commands.md'), 'utf8');
    expect(page).toBe(commandReference(createProgram('0.0.0', () => {})));
  });
});
