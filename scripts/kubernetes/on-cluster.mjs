// What the demo asks of the cluster and of the image tools, and how it waits.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '../checks/live/programs.mjs';

export const ROOT = path.resolve(import.meta.dirname, '..', '..');
/** Where cluster.sh keeps everything; the volume of the overlay lies there too. */
export const HOME = '/var/tmp/wirelens-kubernetes';

export const DEMO_IMAGE = 'localhost/wirelens-demo:1';
/** A copy of the manifests, so that the tokens of a try do not lie in the repository. */
export const copy = mkdtempSync(path.join(tmpdir(), 'wirelens-kubernetes-'));

export const cluster = (...words) => run(path.join(ROOT, 'scripts/kubernetes/cluster.sh'), ...words);
export const images = (...words) => run(path.join(ROOT, 'scripts/containers/images.sh'), ...words);
export const kubectl = (...words) => cluster('kubectl', ...words);

export function step(text) {
  console.log(`-- ${text}`);
}

export function copyManifests() {
  for (const folder of ['deploy', 'scripts/kubernetes']) {
    cpSync(path.join(ROOT, folder), path.join(copy, folder), { recursive: true });
  }
  run('env', 'WIRELENS_TLS_NAMES=IP:10.96.0.80', path.join(copy, 'deploy/kubernetes/tokens.sh'), '--tls');
}

export function kustomized(folder) {
  return run('kubectl', 'kustomize', path.join(copy, folder));
}

/** Runs with its output shown. */
export function shown(...words) {
  const done = spawnSync(words[0], words.slice(1), { stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.status !== 0) throw new Error(`${words.join(' ')} ended with ${done.status ?? done.signal}`);
}

/** Runs with a text on its standard input; gives {status, output}, never throws. */
export function given(input, ...words) {
  const done = spawnSync(words[0], words.slice(1), { input, encoding: 'utf8' });
  return { status: done.status, output: `${done.stdout}${done.stderr}`.trim() };
}

export function apply(manifests, ...more) {
  return given(
    manifests,
    path.join(ROOT, 'scripts/kubernetes/cluster.sh'),
    'kubectl',
    'apply',
    ...more,
    '-f',
    '-',
  );
}

/** Waits for a rollout; the cluster starts nothing until its images are there, so a minute is enough. */
export function rolledOut(namespace, what, limit = '90s') {
  kubectl('-n', namespace, 'rollout', 'status', what, `--timeout=${limit}`);
}

/** The one running pod with a label: {name, address}. */
export function podOf(namespace, label) {
  const found = JSON.parse(kubectl('-n', namespace, 'get', 'pods', '-l', label, '-o', 'json')).items.filter(
    ({ metadata, status }) => metadata.deletionTimestamp === undefined && status.phase === 'Running',
  );
  if (found.length !== 1)
    throw new Error(`${found.length} running pods with ${label} in ${namespace}, not one`);
  return { name: found[0].metadata.name, address: found[0].status.podIP };
}

/** What `wirelens query` prints, run in the server's own pod, where the readers' token is. */
export function query(...words) {
  return kubectl(
    ...['-n', 'wirelens', 'exec', 'deployment/wirelens-server', '--', 'wirelens', 'query'],
    ...['--server', 'http://127.0.0.1:8080', '--token-file', '/run/secrets/wirelens/reader-token'],
    ...words,
  );
}

export const rowsOf = (text) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** The rights of a container's first process: {uid, effective (hexadecimal), noNewPrivileges}. */
export function rightsOf(namespace, what, container) {
  const text = kubectl('-n', namespace, 'exec', what, '-c', container, '--', 'cat', '/proc/1/status');
  const value = (name) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(text)?.[1];
  return { uid: value('Uid'), effective: value('CapEff'), noNewPrivileges: value('NoNewPrivs') };
}

/** What helps when something did not come up. */
export function diagnosis() {
  return [
    ['get', 'pods', '-A', '-o', 'wide'],
    ['-n', 'wirelens', 'logs', 'deployment/wirelens-server', '--tail=15'],
    ['-n', 'wirelens', 'logs', 'daemonset/wirelens-agent', '--tail=15'],
  ].flatMap((words) => {
    try {
      return kubectl(...words)
        .trim()
        .split('\n');
    } catch (error) {
      return [error.message];
    }
  });
}
