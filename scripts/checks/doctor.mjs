// The commands that `wirelens doctor` gives for a better capture are understood by tcpdump, for every fixture.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { goldenFolders } from '../expected-exchanges.mjs';
import { Checks } from './checks.mjs';

const WIRELENS = path.resolve(import.meta.dirname, '../../bin/wirelens.js');

/** What is wrong with the command for the capture; nothing when tcpdump compiles its filter. */
function problemsOf(file) {
  const args = [WIRELENS, 'doctor', file, '--format', 'json'];
  const doctor = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (doctor.status !== 0) return [`doctor ended with ${doctor.status}: ${doctor.stderr}`];
  const { command } = JSON.parse(doctor.stdout).better.at(-1);
  const filter = /'([^']*)'$/.exec(command)?.[1];
  if (filter === undefined) return [`no filter in: ${command}`];
  // -d compiles the filter and prints it, without capturing.
  const compiled = spawnSync('tcpdump', ['-y', 'EN10MB', '-d', filter], { encoding: 'utf8' });
  return compiled.status === 0 && compiled.stdout !== '' ? [] : [`${filter}: ${compiled.stderr}`];
}

const checks = new Checks();
if (spawnSync('tcpdump', ['--version']).error !== undefined) {
  checks.skip('doctor', 'tcpdump is not installed');
} else {
  for (const { name, folder, capture } of goldenFolders()) {
    checks.report(`doctor   ${name}`, problemsOf(path.join(folder, capture)));
  }
}
checks.finish();
