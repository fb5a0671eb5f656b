// The manifests as kustomize makes them, before Kubernetes' schema and our own rules. Nothing is applied anywhere.
//
//     node scripts/checks/manifests.mjs

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Checks } from './checks.mjs';
import { installed, run } from './live/programs.mjs';
import { problemsOf } from './manifests/rules.mjs';
import { createSchema, documentsIn } from './manifests/schema.mjs';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const FOLDERS = [
  'deploy/kubernetes/base',
  'deploy/kubernetes/overlays/kind',
  'deploy/kubernetes/overlays/sidecar',
  'deploy/kubernetes/overlays/job',
  'deploy/kubernetes/overlays/encrypted',
  'scripts/kubernetes/overlay',
  'scripts/kubernetes/overlay-tls',
];
const checks = new Checks();
if (installed('kubectl') && installed('openssl')) all();
else checks.skip('manifests in kustomize', 'not installed: kubectl or openssl');
checks.finish();

function all() {
  const copy = mkdtempSync(path.join(tmpdir(), 'wirelens-manifests-'));
  try {
    for (const folder of ['deploy', 'scripts/kubernetes']) {
      cpSync(path.join(ROOT, folder), path.join(copy, folder), { recursive: true });
    }
    noTokens(copy);
    run(path.join(copy, 'deploy/kubernetes/tokens.sh'), '--tls');
    // As docs/kubernetes.md tells who wants the traffic encrypted.
    const encrypted = path.join(copy, 'deploy/kubernetes/overlays/encrypted');
    mkdirSync(encrypted);
    writeFileSync(
      path.join(encrypted, 'kustomization.yaml'),
      'resources: [../../base]\ncomponents: [../../components/tls]\n',
    );
    judge(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Before tokens.sh has run, kustomize refuses: nobody runs with a token that is known. */
function noTokens(copy) {
  const left = ['agent', 'reader'].map((name) => path.join(copy, `deploy/kubernetes/tokens/${name}/token`));
  for (const file of left) rmSync(file, { force: true });
  const { status, stderr } = spawnSync('kubectl', ['kustomize', path.join(copy, FOLDERS[0])], {
    encoding: 'utf8',
  });
  checks.report('without tokens nothing is made', status !== 0 && stderr.includes('token') ? [] : [stderr]);
}

function judge(copy) {
  const schema = createSchema();
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const options = Object.fromEntries(
    ['agent', 'server', 'upload', 'query'].map((name) => [name, optionsOf(name)]),
  );
  const made = new Map();
  for (const folder of FOLDERS) {
    const text = run('kubectl', 'kustomize', path.join(copy, folder));
    made.set(folder, documentsIn(text));
    checks.report(`${folder} keeps to Kubernetes' schema`, made.get(folder).flatMap(schema));
  }
  const base = made.get(FOLDERS[0]);
  for (const [folder, documents] of made) {
    // The examples send to the server of the base.
    const whole = documents.some(({ kind }) => kind === 'DaemonSet') ? documents : [...base, ...documents];
    checks.report(
      `${folder} agrees with itself and with the program`,
      problemsOf(whole, { options, version }),
    );
  }
}

function optionsOf(name) {
  const help = run('node', path.join(ROOT, 'bin/wirelens.js'), name, '--help');
  return new Set(help.match(/--[a-z][a-z-]*/g));
}
