import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SHOP = path.join(ROOT, 'fixtures/web-shop/capture.pcapng');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'wirelens-stat-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function wirelens(...args: string[]): { stdout: string; stderr: string; status: number | null } {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [path.join(ROOT, 'bin/wirelens.js'), ...args],
    { encoding: 'utf8', env: { ...process.env, COLUMNS: '100', LC_ALL: 'C.UTF-8' } },
  );
  return { stdout, stderr, status };
}

interface Row {
  readonly route: string;
  readonly total_ms: number | null;
  readonly wait_ms: number | null;
  readonly status: number | null;
}

describe('wirelens stat', () => {
  it('has the percentiles that the rows of analyze have', () => {
    const rows = wirelens('analyze', SHOP, '--format', 'json', '-q')
      .stdout.trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row);
    for (const metric of ['total', 'wait'] as const) {
      const asked = ['--by', 'route,status', '--metric', metric, '--percentiles', '1,50,75,99.9'];
      const found = JSON.parse(wirelens('stat', SHOP, ...asked, '--format', 'json').stdout);
      const groups = new Map<string, Row[]>();
      for (const row of rows) {
        const key = JSON.stringify({ route: row.route, status: row.status });
        groups.set(key, [...(groups.get(key) ?? []), row]);
      }
      expect(found.groups).toHaveLength(groups.size);
      for (const group of found.groups) {
        const members = groups.get(JSON.stringify(group.group)) ?? [];
        const values = members
          .map((row) => row[`${metric}_ms`])
          .filter((value) => value !== null)
          .sort((a, b) => a - b);
        const smallest = (percent: number): number | null =>
          values.find((_, at) => 100 * (at + 1) >= percent * values.length) ?? null;
        expect(group).toMatchObject({
          count: members.length,
          measured: values.length,
          p1_ms: smallest(1),
          p50_ms: smallest(50),
          p75_ms: smallest(75),
          'p99.9_ms': smallest(99.9),
          max_ms: values.at(-1) ?? null,
        });
      }
      expect(found.total.count).toBe(rows.length);
    }
  });

  it('says the same of a SQLite file', () => {
    const store = path.join(folder, 'shop.sqlite');
    expect(wirelens('analyze', SHOP, '-q', '-o', store).status).toBe(0);
    for (const args of [
      ['--slow', '--every', '1s', '--format', 'json'],
      ['--by', 'client,error', '--big-response', '--format', 'csv'],
      ['--routes'],
    ]) {
      const ofCapture = wirelens('stat', SHOP, ...args);
      expect(ofCapture.stdout.length).toBeGreaterThan(100);
      expect(wirelens('stat', store, ...args)).toEqual(ofCapture);
    }
  });

  it('reads the dictionary that it prints', () => {
    const dictionary = path.join(folder, 'routes.txt');
    writeFileSync(dictionary, wirelens('stat', SHOP, '--routes', '--route-budget', '2').stdout);
    const asked = ['--by', 'host,route', '--format', 'csv'];
    const learned = wirelens('stat', SHOP, ...asked, '--route-budget', '2').stdout;
    expect(learned).toContain('{slug}');
    expect(wirelens('stat', SHOP, ...asked, '--routes-file', dictionary).stdout).toBe(learned);
    writeFileSync(dictionary, '/fine\nnot a template\n');
    const { stderr, status } = wirelens('stat', SHOP, '--routes-file', dictionary);
    expect(status).toBe(1);
    expect(stderr).toContain('line 2');
  });

  it('takes a capture after --slow, and a duration', () => {
    const slow = wirelens('stat', '--slow', SHOP, '--limit', '2');
    expect(slow.status).toBe(0);
    // The request without an answer waited longest; the longest answer took 903 ms.
    expect(slow.stdout).toMatch(/Slowest exchanges.*\n.*id.*\n *261 .*>1\.95 s.*\n *222 .*903 ms/);
    expect(wirelens('stat', SHOP, '--slow', '1s').stdout).not.toContain(' 222 ');
  });

  it.each([
    [['--by', 'rout'], 'did you mean route?'],
    [['--sort', 'cuont'], 'did you mean count?'],
    [['--every', '0s'], '--every'],
    [['--routes', '--by', 'host'], '--by is about groups'],
    [['--plain-routes', '--route-budget', '3'], '--plain-routes learns nothing'],
  ])('refuses %j', (args, message) => {
    const { stderr, stdout, status } = wirelens('stat', SHOP, ...args);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toContain(message);
  });
});
