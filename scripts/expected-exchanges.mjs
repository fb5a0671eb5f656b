// What a capture's exchanges look like in a golden folder, and how they are made.

import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
export const FIXTURES = path.join(ROOT, 'fixtures');

/** Golden folders: those under fixtures/ that hold a capture, as {name, folder, capture}. */
export function goldenFolders() {
  return readdirSync(FIXTURES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const folder = path.join(FIXTURES, name);
      const capture = readdirSync(folder).find((file) => /^capture\.pcap(ng)?$/.test(file));
      return capture === undefined ? [] : [{ name, folder, capture }];
    });
}

/**
 * Runs Wirelens over the capture of a golden folder. Resolves to its exchanges, in the order of connections and
 * of positions on them. Rejects when it fails otherwise than by an exit code that says the input was damaged.
 */
export function exchangesOf(folder, capture) {
  const args = [path.join(ROOT, 'bin/wirelens.js'), 'analyze', capture, '--format', 'json', '--reveal'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error && error.code !== 3) return reject(new Error(`${folder}: ${stderr || error.message}`));
      const records = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
      records.sort((a, b) => a.connection - b.connection || a.position - b.position || a.id - b.id);
      return resolve(records);
    });
  });
}

/** The exchange without what is null, empty or zero: to be compared with another terse one. */
export function terse(exchange) {
  return JSON.parse(
    JSON.stringify(exchange, (_key, value) => {
      if (value === null || value === 0) return undefined;
      if (typeof value === 'object' && Object.values(value).every((inner) => inner === 0 || inner === null))
        return undefined;
      return value;
    }),
  );
}

/** The text of exchanges.json: an array with one terse exchange on each line, so that a difference shows which ones changed. */
export function expectedText(exchanges) {
  const lines = exchanges.map((exchange) => JSON.stringify(terse(exchange)));
  return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`;
}
