// `wirelens assert --format junit` is XML for Python's parser, and its TAP is what it should be line by line, for
// every fixture: whatever its traffic holds, and rules that it breaks.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { goldenFolders } from '../expected-exchanges.mjs';
import { Checks } from './checks.mjs';

const WIRELENS = path.resolve(import.meta.dirname, '../../bin/wirelens.js');

/** Every exchange breaks the first rule, so that all of their texts are printed. */
const RULES = `version: 1
rules:
  - name: "<nothing> & 'nobody' # at all"
    none: id > 0
    allow_empty: true
  - name: by target
    by: [method, host, target]
    expect: count < 1
    allow_empty: true
  - name: soft
    severity: warning
    none: id > 0
    allow_empty: true
`;

/** Counts what a JUnit file holds; anything that is not well-formed is an exception. */
const PYTHON = `
import json, sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
cases = root.findall('./testsuite/testcase')
print(json.dumps([len(cases), sum(c.find('failure') is not None for c in cases), sum(c.find('skipped') is not None for c in cases), int(root.get('tests')), int(root.get('failures')), int(root.get('skipped'))]))
`;

function run(rules, file, format) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [WIRELENS, 'assert', rules, file, '-q', '--format', format],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

function problemsOf(rules, file) {
  const junit = run(rules, file, 'junit');
  const json = run(rules, file, 'json');
  if (json.stdout === '') return [`exit code ${json.status}: ${json.stderr}`];
  const { failed, warnings } = JSON.parse(json.stdout);
  const python = spawnSync('python3', ['-c', PYTHON], { input: junit.stdout, encoding: 'utf8' });
  if (python.status !== 0) return [`python3: ${python.stderr.trim().split('\n').pop()}`];
  const problems = [];
  const counts = JSON.stringify([3, failed, warnings, 3, failed, warnings]);
  if (JSON.stringify(JSON.parse(python.stdout)) !== counts)
    problems.push(`junit counts ${python.stdout.trim()}, not ${counts}`);
  const wanted = failed > 0 ? [5] : [0, 3];
  if (!wanted.includes(junit.status)) problems.push(`exit code ${junit.status} with ${failed} failed`);
  const tap = run(rules, file, 'tap').stdout.split('\n');
  const points = tap.filter((line) => /^(not )?ok \d+ - /.test(line));
  if (points.length !== 3) problems.push(`${points.length} test points in TAP`);
  const odd = tap
    .slice(2, -1)
    .filter((line) => !/^(?:(?:not )?ok \d+ - | {2}(?:---|\.\.\.)$| {2}[a-z]+:| {4}- ")/.test(line));
  return [...problems, ...odd.map((line) => `not TAP: ${line}`)];
}

const checks = new Checks();
if (spawnSync('python3', ['--version']).error !== undefined) {
  checks.skip('assert', 'python3 is not installed');
} else {
  const directory = mkdtempSync(path.join(tmpdir(), 'wirelens-assert-'));
  const rules = path.join(directory, 'rules.yaml');
  writeFileSync(rules, RULES);
  for (const { name, folder, capture } of goldenFolders())
    checks.report(`assert   ${name}`, problemsOf(rules, path.join(folder, capture)));
  rmSync(directory, { recursive: true });
}
checks.finish();
