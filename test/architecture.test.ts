import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..');
const SOURCE = path.join(ROOT, 'src');

/**
 * Which part of src may import which, beside itself. A part is a folder of src or a file that lies in it directly.
 * Arrows go one way: stages know the model, the pipeline joins stages, the command line composes.
 */
const ALLOWED: Record<string, readonly string[]> = {
  model: [],
  capture: ['model'],
  decode: ['model'],
  match: ['model'],
  filter: ['model'],
  transfer: ['model', 'export'],
  store: ['model', 'filter', 'transfer'],
  metrics: ['model'],
  client: ['model'],
  agent: ['model', 'transfer', 'client', 'metrics'],
  server: ['model', 'store', 'transfer', 'filter', 'metrics'],
  report: ['model'],
  export: ['model'],
  stat: ['model', 'filter', 'report'],
  diff: ['model', 'filter', 'report', 'stat'],
  assert: ['model', 'filter', 'report', 'stat'],
  show: ['model', 'report', 'filter'],
  watch: ['model', 'report', 'filter', 'show'],
  doctor: ['model', 'report', 'decode', 'pipeline.ts'],
  extract: ['model', 'report', 'export', 'pipeline.ts'],
  redact: ['model', 'report', 'export', 'decode', 'pipeline.ts'],
  workers: ['model', 'capture', 'filter', 'report', 'pipeline.ts'],
  'pipeline.ts': ['model', 'capture', 'decode', 'match'],
  cli: [
    'model',
    'capture',
    'decode',
    'match',
    'filter',
    'store',
    'report',
    'export',
    'stat',
    'diff',
    'assert',
    'show',
    'watch',
    'doctor',
    'extract',
    'redact',
    'transfer',
    'metrics',
    'client',
    'agent',
    'server',
    'workers',
    'pipeline.ts',
  ],
};
/** The pipeline takes a packet source as given, and who looks at packets is called by it: only types are named. */
const TYPES_ONLY = new Set([
  'pipeline.ts -> capture',
  'doctor -> pipeline.ts',
  'extract -> pipeline.ts',
  'redact -> pipeline.ts',
]);

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => path.join(folder, name));
}

function partOf(file: string): string {
  return path.relative(SOURCE, file).split(path.sep)[0] as string;
}

const IMPORT =
  /(?:^|[;\s])(import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|new URL\(\s*['"]([^'"]+)['"]/gm;

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  return [...text.matchAll(IMPORT)].map((found) => ({
    file,
    target: (found[3] ?? found[4] ?? found[5]) as string,
    typeOnly: found[2] !== undefined,
  }));
}

/** The sentence about a forbidden arrow, or null when the import is fine. */
function complaint({ file, target, typeOnly }: Import): string | null {
  if (!target.startsWith('.')) return null;
  const from = partOf(file);
  const resolved = path.resolve(path.dirname(file), target);
  const where = path.relative(ROOT, file);
  if (path.relative(SOURCE, resolved).startsWith('..')) {
    return where.startsWith(`src${path.sep}cli`) && resolved.endsWith('package.json')
      ? null
      : `${where}: ${from} must not import ${target}, which is outside src`;
  }
  const to = partOf(resolved).replace(/\.js$/, '.ts');
  if (from === to) return null;
  if (!(ALLOWED[from] ?? []).includes(to)) return `${where}: ${from} must not import ${to} (${target})`;
  if (TYPES_ONLY.has(`${from} -> ${to}`) && !typeOnly)
    return `${where}: ${from} may import only types of ${to}`;
  return null;
}

describe('arrows between the parts of src', () => {
  const files = sourceFiles(SOURCE);
  const imports = files.flatMap(importsOf);

  it('looks at the whole program', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(imports.length).toBeGreaterThan(files.length);
  });

  it('knows every part', () => {
    expect([...new Set(files.map(partOf))].filter((part) => !(part in ALLOWED))).toEqual([]);
  });

  it('finds no forbidden arrow', () => {
    expect(imports.map(complaint).filter((sentence) => sentence !== null)).toEqual([]);
  });

  it('would notice one', () => {
    const arrow = (from: string, target: string, typeOnly = false): string | null =>
      complaint({ file: path.join(SOURCE, from), target, typeOnly });
    expect(arrow('store/sqlite.ts', '../decode/tcp.ts')).toContain('store must not import decode');
    expect(arrow('model/exchange.ts', '../match/http.ts')).toContain('model must not import match');
    expect(arrow('pipeline.ts', './cli/main.ts')).toContain('pipeline.ts must not import cli');
    expect(arrow('pipeline.ts', './capture/open.ts')).toContain('only types');
    expect(arrow('pipeline.ts', './capture/open.ts', true)).toBeNull();
    expect(arrow('cli/main.ts', '../pipeline.ts')).toBeNull();
    expect(arrow('match/http.ts', '../../fixtures/build/packets.ts')).toContain('outside src');
  });

  it('has no folder for odds and ends', () => {
    const folders = new Set(
      files.flatMap((file) => path.relative(SOURCE, path.dirname(file)).split(path.sep)),
    );
    expect([...folders].filter((name) => /^(utils?|common|helpers?|misc|shared)$/.test(name))).toEqual([]);
  });
});
