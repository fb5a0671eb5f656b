// Runs a program to its end and says what it took.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

const TIME = '/usr/bin/time';
/** GNU time gives peak memory and CPU time; without it only the wall clock is known. */
export const timeInstalled = existsSync(TIME);

/** {wallMs, cpuMs, peakBytes} (null: unknown). Rejects when the program fails. Output is thrown away. */
export function measure(command, args) {
  const words = timeInstalled ? [TIME, '-f', '\n@ %U %S %M', command, ...args] : [command, ...args];
  return new Promise((resolve, reject) => {
    const startedNs = process.hrtime.bigint();
    const child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (bytes) => {
      said = (said + bytes).slice(-2000);
    });
    child.on('error', reject);
    child.on('close', (status) => {
      const wallMs = Number(process.hrtime.bigint() - startedNs) / 1e6;
      if (status !== 0)
        return reject(new Error(`${command} ${args.join(' ')}: exit ${status}\n${said.trim()}`));
      const found = /@ ([\d.]+) ([\d.]+) (\d+)\s*$/.exec(said);
      return resolve({
        wallMs,
        cpuMs: found === null ? null : (Number(found[1]) + Number(found[2])) * 1000,
        peakBytes: found === null ? null : Number(found[3]) * 1024,
      });
    });
  });
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Medians of {wallMs, cpuMs, peakBytes}; null where unknown. */
export function medians(runs) {
  const of = (name) => (runs.some((run) => run[name] === null) ? null : median(runs.map((run) => run[name])));
  return { wallMs: of('wallMs'), cpuMs: of('cpuMs'), peakBytes: of('peakBytes') };
}
