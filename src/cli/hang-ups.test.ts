import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-hang-ups-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Sends the process SIGHUP while the parser of command lines is loaded: long before any command runs. */
const EARLY = path.join(folder, 'early.cjs');
writeFileSync(
  EARLY,
  `const { Module } = require('node:module');
   const load = Module._extensions['.js'];
   let sent = false;
   Module._extensions['.js'] = (module, file) => {
     if (!sent && file.includes('commander')) {
       sent = true;
       process.stderr.write('hung up\\n');
       process.kill(process.pid, 'SIGHUP');
     }
     load(module, file);
   };`,
);
const WIRELENS = path.resolve(import.meta.dirname, '../../bin/wirelens.js');

async function run(
  args: readonly string[],
  until: string,
): Promise<{ signal: NodeJS.Signals | null; stderr: string }> {
  const child = spawn(process.execPath, ['--require', EARLY, WIRELENS, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += String(bytes);
    if (stderr.includes(until)) child.kill('SIGTERM');
  });
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { signal, stderr };
}

describe('SIGHUP while a program starts', () => {
  it('does not end a server, which reads its tokens again as soon as it has read them', async () => {
    const again = 'were read again';
    const args = ['server', '--listen', '127.0.0.1:0', '--data', path.join(folder, 'data')];
    const { signal, stderr } = await run(args, again);
    expect(stderr).toContain('hung up');
    expect(signal).toBeNull();
    expect(stderr).toContain(again);
  });

  it('does not end an agent', async () => {
    const { signal, stderr } = await run(['agent', '--print-config'], 'nothing to wait for');
    expect(stderr).toContain('hung up');
    expect(signal).toBeNull();
  });

  it('ends what nobody tells of new tokens', async () => {
    const { signal } = await run(['fields'], 'nothing to wait for');
    expect(signal).toBe('SIGHUP');
  });
});
