import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..');
const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.git', 'data']);

function files(folder = ROOT): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? files(file) : entry.isFile() ? [file] : [];
  });
}

describe('the repository', () => {
  const texts = files().filter(
    (file) => !/\.(pcap|pcapng|gz|zst|sqlite|png)$/.test(file) && statSync(file).size < 5e6,
  );

  // Spelled in pieces so that this file does not find itself.
  const REGISTRIES = new RegExp(
    ['registry', 'npmjs', 'org'].join('\\.') +
      '|' +
      ['registry', 'yarnpkg', 'com'].join('\\.') +
      '|npm-?registry\\.',
  );

  it('names no package registry, so that everyone installs from their own', () => {
    expect(texts.length).toBeGreaterThan(20);
    const naming = texts.filter((file) => REGISTRIES.test(readFileSync(file, 'utf8')));
    expect(naming.map((file) => path.relative(ROOT, file))).toEqual([]);
  });

  it('has no download address in its lock file, but every integrity hash', () => {
    const lock = readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8');
    expect(lock).not.toContain('"resolved": "http');
    const { packages } = JSON.parse(lock) as { packages: Record<string, { integrity?: string }> };
    const bare = Object.entries(packages).filter(
      ([name, entry]) => name !== '' && entry.integrity === undefined,
    );
    expect(bare.map(([name]) => name)).toEqual([]);
  });
});
