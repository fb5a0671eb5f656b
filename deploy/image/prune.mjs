// Removes from installed packages what no program reads at run time: type declarations, source maps, documents, tests,
// examples, and the builds of sql.js that Wirelens does not load. Licence files stay.
//
//     node prune.mjs FOLDER…

import { readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';

/** Folders of a package, beside its package.json, that are for its authors. */
const FOLDERS = new Set([
  '.github',
  'benchmark',
  'benchmarks',
  'doc',
  'docs',
  'example',
  'examples',
  'test',
  'tests',
]);
const FILES = /\.(?:[cm]?ts|map|md|markdown|tsbuildinfo)$/i;
const LICENCE = /^(?:licen[cs]e|copying|notice)/i;
/** The WebAssembly build and its loader: see src/store/engine.ts. */
const SQL_JS = new Set(['sql-wasm.js', 'sql-wasm.wasm']);

let bytes = 0;
for (const folder of process.argv.slice(2)) prune(path.resolve(folder));
console.log(`removed ${(bytes / 1e6).toFixed(1)} MB`);

function prune(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  const isPackage = entries.some(({ name }) => name === 'package.json');
  for (const entry of entries) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (isPackage && FOLDERS.has(entry.name)) remove(file);
      else prune(file);
    } else if (entry.isFile() && isSuperfluous(file)) remove(file);
  }
}

function isSuperfluous(file) {
  const name = path.basename(file);
  if (/[/\\]sql\.js[/\\]dist$/.test(path.dirname(file))) return !SQL_JS.has(name);
  return FILES.test(name) && !LICENCE.test(name);
}

function remove(file) {
  bytes += sizeOf(file);
  rmSync(file, { recursive: true });
}

function sizeOf(file) {
  const facts = statSync(file);
  if (!facts.isDirectory()) return facts.size;
  return readdirSync(file).reduce((sum, name) => sum + sizeOf(path.join(file, name)), 0);
}
