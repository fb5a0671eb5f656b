// Programs that a check starts: nothing stays behind, and what they said is kept.

import { spawn, spawnSync } from 'node:child_process';

const running = new Set();

/** Ends what is still running. Called when the script ends, for whatever reason. */
export function endPrograms() {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
}

/** Runs to the end and gives what was printed; throws with the program's words when it fails. */
export function run(command, ...args) {
  const done = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (done.status !== 0)
    throw new Error(
      `${command} ${args.join(' ')}: ${done.error?.message ?? (done.stderr.trim() || done.status)}`,
    );
  return done.stdout;
}

/** Whether it runs to a good end. */
export function succeeds(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

export function installed(tool) {
  return succeeds('sh', '-c', `command -v ${tool}`);
}

/**
 * Starts a program. `said` grows; `ended` resolves to {code, signal, stdout, stderr}. With `stdio` of `spawn`, what is
 * not a pipe is not kept.
 */
export function start(words, options = {}) {
  const [command, ...args] = words;
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  running.add(child);
  const said = { stdout: [], stderr: [] };
  for (const name of ['stdout', 'stderr']) child[name]?.on('data', (bytes) => said[name].push(bytes));
  const text = (name) => Buffer.concat(said[name]).toString('utf8');
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal, stdout: text('stdout'), stderr: text('stderr') });
    });
  });
  // Who does not wait for the end must not be ended by it.
  ended.catch(() => {});
  return { child, ended, text, words };
}

/** Runs to the end beside this script; rejects when it fails. Resolves to its standard output. */
export async function runAside(words, options) {
  const { code, signal, stdout, stderr } = await start(words, options).ended;
  if (code !== 0) throw new Error(`${words.join(' ')}: ${stderr.trim() || signal || `exit ${code}`}`);
  return stdout;
}

/** Waits until `met` gives something true, at most `limitMs`; throws `what` otherwise. Resolves to what it gave. */
export async function until(met, what, limitMs = 10_000) {
  for (const endMs = Date.now() + limitMs; ; ) {
    const found = await met();
    if (found) return found;
    if (Date.now() > endMs) throw new Error(`${what} did not happen in ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
