// Containers of a check: podman as scripts/containers/images.sh sets it up, in a network namespace made here.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from './programs.mjs';

export const ROOT = path.resolve(import.meta.dirname, '..', '..', '..');
/** `images.sh podman WORDS…` is podman. */
export const IMAGES_TOOL = path.join(ROOT, 'scripts/containers/images.sh');
export const { version: VERSION } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
/** What `images.sh build` makes. */
export const IMAGE = `localhost/wirelens:${VERSION}`;
/** Sets of capabilities as /proc/PID/status has them. */
export const NO_CAPABILITY = '0000000000000000';
export const NET_RAW_ALONE = '0000000000002000';

/** {status, stdout, stderr} of podman, whatever came of it. */
export function triedPodman(...words) {
  return spawnSync(IMAGES_TOOL, ['podman', ...words], { encoding: 'utf8' });
}

/**
 * Calls `use(folder)` while there is a network namespace `name` with its loopback up, and a folder that any user may
 * read. Both are gone afterwards; what was started in them is ended by `use`.
 */
export async function inNamespace(name, use) {
  const folder = mkdtempSync(path.join(tmpdir(), `${name}-`));
  chmodSync(folder, 0o755);
  try {
    run('ip', 'netns', 'add', name);
    run('ip', '-n', name, 'link', 'set', 'lo', 'up');
    await use(folder);
  } finally {
    spawnSync('ip', ['netns', 'delete', name]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The status code of a GET inside namespace `name`, in digits; `000` where nobody answered within 5 s. */
export function httpStatus(name, url) {
  const curl = ['curl', '-s', '-m', '5', '-o', '/dev/null', '-w', '%{http_code}', url];
  return spawnSync('ip', ['netns', 'exec', name, ...curl], { encoding: 'utf8' }).stdout;
}

/**
 * What a process may that it should not, or the other way round, in sentences. `statusText` is its /proc/PID/status,
 * `wanted` the values that lines of it must begin with; that it can gain no privileges is wanted always.
 */
export function rightsProblems(statusText, wanted) {
  return Object.entries({ ...wanted, NoNewPrivs: '1' }).flatMap(([name, value]) => {
    const found = new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(statusText)?.[1];
    return found === value ? [] : [`${name} is ${found}, not ${value}`];
  });
}
