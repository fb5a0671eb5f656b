// `wirelens capture` in a namespace, from its start to the totals.

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { start, until } from './programs.mjs';

/** Another build can be checked: set WIRELENS to the script that starts it. */
export const WIRELENS = process.env.WIRELENS ?? path.resolve(import.meta.dirname, '../../../bin/wirelens.js');

/** The records of JSON Lines. */
export function recordsOf(text) {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/**
 * Starts `wirelens capture` with these words in the host and waits until it says that it captures. `prefix`: words
 * between `ip netns exec` and Node. Rejects with what it said when it ends before.
 */
export async function startCapture(
  host,
  words,
  { prefix = [], format = ['--format', 'json'], ...options } = {},
) {
  const program = start(
    [...host.in, ...prefix, process.execPath, WIRELENS, 'capture', ...words, ...format],
    options,
  );
  let over = false;
  program.ended.then(
    () => (over = true),
    () => (over = true),
  );
  await until(() => over || program.text('stderr').includes('\n'), `start of capture ${words.join(' ')}`);
  if (over) {
    const { code, stderr } = await program.ended;
    throw new Error(`capture ${words.join(' ')} ended with ${code}: ${stderr.trim()}`);
  }
  return {
    ...program,
    /** Ends it. Resolves to {code, signal, stdout, stderr, exchanges}. */
    async stop(signal = 'SIGINT') {
      program.child.kill(signal);
      const end = await Promise.race([program.ended, sleep(20_000, null)]);
      if (end === null) {
        program.child.kill('SIGKILL');
        throw new Error(`capture ${words.join(' ')} did not end within 20 s of ${signal}`);
      }
      return { ...end, exchanges: format.includes('json') ? recordsOf(end.stdout) : null };
    },
  };
}
