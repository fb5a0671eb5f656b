// Builds deploy/Dockerfile with buildah and runs the image with podman: the server as the image's user on a read-only
// file system and without any capability, the agent as user 0 with NET_RAW alone. In a network namespace made here.
//
//     node scripts/checks/image.mjs [--bases] [--built]
//         --bases: make the base images too, if they are missing (a minute)
//         --built: take the image that is there

import { chmodSync, chownSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Checks } from './checks.mjs';
import {
  httpStatus,
  IMAGE,
  IMAGES_TOOL,
  inNamespace,
  NET_RAW_ALONE,
  NO_CAPABILITY,
  ROOT,
  rightsProblems,
  triedPodman,
  VERSION,
} from './live/containers.mjs';
import { endPrograms, installed, run, start, until } from './live/programs.mjs';

/** Of the image's file systems together; it was 263 MB when this was written, 77 of them Debian, 95 node and 70 DuckDB. */
const IMAGE_BYTES = 290e6;
const { values } = parseArgs({
  options: { bases: { type: 'boolean', default: false }, built: { type: 'boolean', default: false } },
});
const NAME = `wl-image-${process.pid}`;
const CONFINED = [
  '--read-only',
  '--cap-drop=all',
  '--security-opt=no-new-privileges',
  `--network=ns:/run/netns/${NAME}`,
];
/** A web server in a line, for the traffic. */
const WEB =
  "require('node:http').createServer((_, answer) => answer.end('hello')).listen(8000, '127.0.0.1', () => console.log('ready'))";
const checks = new Checks();
const images = (...words) => run(IMAGES_TOOL, ...words);
const podman = (...words) => images('podman', ...words);

const reason = whyNot();
if (reason === null) await inNamespace(NAME, all);
else checks.skip('the image', reason);
checks.finish();

function whyNot() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'it needs Linux and root';
  const missing = ['buildah', 'podman', 'runc', 'debootstrap', 'ip', 'curl'].filter(
    (tool) => !installed(tool),
  );
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  if (values.bases) {
    try {
      images('bases');
    } catch (error) {
      return `the base images cannot be made: ${lastLineOf(error.message)}`;
    }
  } else if (triedPodman('image', 'exists', 'localhost/wirelens-build-base').status !== 0)
    return 'there are no base images; --bases makes them';
  const { status, stderr } = triedPodman(
    'run',
    '--rm',
    '--network=none',
    'localhost/wirelens-runtime-base',
    'true',
  );
  return status === 0 ? null : `containers cannot be run here: ${lastLineOf(stderr)}`;
}

function lastLineOf(text) {
  return text.trimEnd().split('\n').at(-1);
}

async function all(folder) {
  try {
    if (!values.built) images('build');
    itself(folder);
    await together(folder);
  } catch (error) {
    checks.report('the image', [error.stack]);
  } finally {
    for (const role of ['server', 'agent'])
      triedPodman('rm', '--force', '--ignore', '--time=1', `${NAME}-${role}`);
    endPrograms();
  }
}

/** What can be seen without a second container. */
function itself(folder) {
  const bytes = Number(podman('image', 'inspect', '--format', '{{.Size}}', IMAGE));
  checks.report(
    `the image is small (${(bytes / 1e6).toFixed(0)} MB)`,
    bytes < IMAGE_BYTES ? [] : [`${bytes} bytes, and not below ${IMAGE_BYTES}`],
  );
  const once = ['run', '--rm', ...CONFINED.slice(0, 3), '--network=none', '--tmpfs=/tmp'];
  const said = podman(...once, IMAGE, '--version').trim();
  checks.report('it runs wirelens', said === VERSION ? [] : [said]);
  const user = podman(...once, '--entrypoint=id', IMAGE, '-u').trim();
  checks.report('it is not root unless asked', user === '10001' ? [] : [user]);

  // What prune.mjs left is enough for everything that is loaded late.
  copyFileSync(path.join(ROOT, 'fixtures/nginx-keep-alive/capture.pcap'), path.join(folder, 'capture.pcap'));
  const script = [
    'wirelens analyze /captures/capture.pcap -o /tmp/one.sqlite',
    'wirelens show /tmp/one.sqlite 1',
    'wirelens export /tmp/one.sqlite -f parquet > /tmp/one.parquet',
    'test -s /tmp/one.parquet',
    'wirelens capture --port 80 -d',
    "wirelens capture -d 'tcp port 80 and host 10.0.0.1'",
  ].join(' && ');
  const mounted = [...once, `--volume=${folder}:/captures:ro`, '--entrypoint=sh'];
  const done = triedPodman(...mounted, IMAGE, '-c', script);
  checks.report(
    'everything that is loaded late is in it',
    done.status === 0 ? [] : done.stderr.trimEnd().split('\n'),
  );
}

async function together(folder) {
  const tokens = path.join(folder, 'tokens');
  mkdirSync(tokens);
  for (const who of ['agent', 'reader']) {
    const file = path.join(tokens, who);
    writeFileSync(file, `${who}-${process.pid}-token-of-a-check`, { mode: 0o400 });
    chownSync(file, who === 'agent' ? 0 : 10001, 10001);
    chmodSync(file, 0o440);
  }
  for (const role of ['data', 'spool']) mkdirSync(path.join(folder, role));
  chownSync(path.join(folder, 'data'), 10001, 10001);

  const web = start(['ip', 'netns', 'exec', NAME, process.execPath, '-e', WEB]);
  await until(() => web.text('stdout').includes('ready'), 'the web server');
  podman(
    ...['run', '--detach', `--name=${NAME}-server`, ...CONFINED, '--tmpfs=/tmp'],
    ...[`--volume=${folder}/data:/var/lib/wirelens`, `--volume=${tokens}:/run/secrets/wirelens:ro`, IMAGE],
    ...['server', '--listen=0.0.0.0:8080', '--data=/var/lib/wirelens/data'],
    ...['--agent-token-file=/run/secrets/wirelens/agent', '--reader-token-file=/run/secrets/wirelens/reader'],
  );
  await until(() => httpStatus(NAME, 'http://127.0.0.1:8080/readyz') === '200', 'a ready server', 30_000);
  rights('server', { Uid: '10001', CapEff: NO_CAPABILITY });

  podman(
    ...['run', '--detach', `--name=${NAME}-agent`, '--user=0:0', '--cap-add=NET_RAW', ...CONFINED],
    ...[
      '--env=WIRELENS_SERVER=http://127.0.0.1:8080',
      '--env=WIRELENS_TOKEN_FILE=/run/secrets/wirelens/agent',
    ],
    ...[
      '--env=WIRELENS_SPOOL=/var/lib/wirelens/spool',
      '--env=WIRELENS_INTERFACE=lo',
      '--env=NODE_NAME=node-of-the-check',
    ],
    ...[
      `--volume=${folder}/spool:/var/lib/wirelens`,
      `--volume=${tokens}:/run/secrets/wirelens:ro`,
      IMAGE,
      'agent',
    ],
  );
  await until(() => httpStatus(NAME, 'http://127.0.0.1:9101/readyz') === '200', 'a ready agent', 30_000);
  rights('agent', { Uid: '0', CapEff: NET_RAW_ALONE });

  for (const page of ['one', 'two', 'three']) httpStatus(NAME, `http://127.0.0.1:8000/${page}`);
  const rows = await until(
    () => {
      const found = askRows('--where', 'server.port == 8000');
      return found.length >= 3 ? found : null;
    },
    'three exchanges at the server',
    20_000,
  );
  const seen = rows.map(({ method, path: asked, status }) => `${method} ${asked} ${status}`).sort();
  const wanted = ['GET /one 200', 'GET /three 200', 'GET /two 200'];
  checks.report('what the agent captures is what the server answers', same(seen, wanted) ? [] : seen);

  for (const role of ['agent', 'server']) {
    podman('stop', '--time=20', `${NAME}-${role}`);
    const code = podman('inspect', '--format', '{{.State.ExitCode}}', `${NAME}-${role}`).trim();
    checks.report(
      `the ${role} ends by itself on SIGTERM`,
      code === '0' ? [] : [`exit code ${code}`, podman('logs', `${NAME}-${role}`)],
    );
  }
  const refused = triedPodman(
    'run',
    '--rm',
    '--user=0:0',
    ...CONFINED,
    '--tmpfs=/tmp',
    IMAGE,
    'agent',
    '--server=http://127.0.0.1:8080',
    '--spool=/tmp/spool',
    '-i',
    'lo',
  );
  checks.report(
    'without NET_RAW the agent says what it lacks',
    refused.status !== 0 && /CAP_NET_RAW/.test(refused.stderr)
      ? []
      : [`exit ${refused.status}`, refused.stderr],
  );
}

function askRows(...words) {
  const reader = [
    '--server=http://127.0.0.1:8080',
    '--token-file=/run/secrets/wirelens/reader',
    '--format=json',
  ];
  return podman('exec', `${NAME}-server`, 'wirelens', 'query', ...reader, ...words)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

function rights(role, wanted) {
  const text = podman('exec', `${NAME}-${role}`, 'cat', '/proc/1/status');
  checks.report(`the ${role} has the rights that it needs and no others`, rightsProblems(text, wanted));
}

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
