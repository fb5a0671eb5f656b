import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const WIRELENS = join(ROOT, 'bin/wirelens.js');
const FILE = join(ROOT, 'fixtures/web-shop/capture.pcapng');

/** `wirelens stat` with the capture on standard input, which stays open until so many lines of JSON have come. */
async function statOfStream(looks: number, ...options: string[]) {
  const child = spawn(process.execPath, [WIRELENS, 'stat', '-', ...options], { stdio: 'pipe' });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (bytes) => {
      said[name] += bytes;
    });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  child.stdin.write(readFileSync(FILE));
  for (let wait = 0; wait < 200 && said.stdout.split('"by"').length <= looks; wait++) await sleep(50);
  child.stdin.end();
  return { code: await ended, ...said };
}

const statOfFile = (...options: string[]): string =>
  spawnSync(process.execPath, [WIRELENS, 'stat', FILE, ...options], { encoding: 'utf8' }).stdout;

function complaint(...args: string[]): string {
  const { status, stderr } = spawnSync(process.execPath, [WIRELENS, 'stat', ...args], { encoding: 'utf8' });
  expect(status).toBe(2);
  return stderr.split('\n')[0];
}

describe('stat of packets as they come', () => {
  const question = ['--by', 'host,route,status', '--slow', '--every', '1s', '--format', 'json'];

  it('gives a line for every look, and the last is what stat says of the whole capture', async () => {
    const { code, stdout, stderr } = await statOfStream(2, '--refresh', '100ms', ...question);
    expect(code).toBe(0);
    expect(stderr).toContain('261 requests');
    const looks = stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    expect(looks.length).toBeGreaterThan(2);
    const whole = JSON.parse(statOfFile(...question));
    expect(looks[looks.length - 1]).toEqual(whole);
    const counts = looks.map((look) => look.total.count);
    expect([...counts].sort((a, b) => a - b)).toEqual(counts);
  });

  it('takes standard input without --refresh as a capture like any other', async () => {
    const { stdout } = await statOfStream(0, '--by', 'method', '--format', 'csv');
    expect(stdout).toBe(statOfFile('--by', 'method', '--format', 'csv'));
  });

  it('says which options need live packets', () => {
    expect(complaint(FILE, '--refresh', '1s')).toMatch(/--refresh is about packets as they come/);
    expect(complaint(FILE, '--duration', '1s')).toMatch(/--duration is about packets as they come/);
    expect(complaint('-i', 'lo', '-r', FILE)).toMatch(/-r names a capture, and -i captures now/);
    expect(complaint('-i', 'lo', '--routes')).toMatch(/--routes prints a dictionary/);
    expect(complaint('-i', 'lo', '--refresh', '1ms')).toMatch(/100ms or more/);
  });
});
