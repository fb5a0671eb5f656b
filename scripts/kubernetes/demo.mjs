// The demo of deploy/ on a real Kubernetes: builds the image, brings a cluster of one node up (cluster.sh), lets its API
// server judge every manifest, applies the base with nginx and curl, and asks `wirelens query` what the DaemonSet's agent
// has seen. Then the sidecar and the Job. Opt-in and as root: it installs packages of Debian, and the first time it
// compiles Kubernetes for 6 minutes.
//
//     node scripts/kubernetes/demo.mjs [--keep | --dry-run]
//         --keep: leave the cluster up, for looking around
//         --dry-run: only ask the API server whether it takes the manifests; neither image nor node

import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Checks } from '../checks/checks.mjs';
import { until } from '../checks/live/programs.mjs';
import { encrypted, job, sidecar } from './examples.mjs';
import {
  apply,
  cluster,
  copy,
  copyManifests,
  DEMO_IMAGE,
  diagnosis,
  HOME,
  images,
  kubectl,
  kustomized,
  podOf,
  query,
  ROOT,
  rightsOf,
  rolledOut,
  rowsOf,
  shown,
  step,
} from './on-cluster.mjs';

const { values } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, 'dry-run': { type: 'boolean', default: false } },
});
const NET_RAW_ALONE = '0000000000002000';
const NOTHING = '0000000000000000';
const checks = new Checks();

if (process.platform === 'linux' && process.getuid() === 0) {
  try {
    copyManifests();
    if (values['dry-run']) {
      cluster('api');
      manifestsAreTaken();
    } else {
      prepare();
      manifestsAreTaken();
      await demo();
      await sidecar(checks);
      await job(checks);
      await encrypted(checks);
    }
  } catch (error) {
    checks.report('the demo', [error.message, ...diagnosis()]);
  } finally {
    if (!values.keep) cluster('down');
    rmSync(copy, { recursive: true, force: true });
  }
} else checks.skip('the demo on Kubernetes', 'it needs Linux and root');
checks.finish();

function prepare() {
  step('packages, and the programs of Kubernetes (the first time about 6 minutes)');
  const install = 'apt-get install -y -qq --no-install-recommends buildah podman runc debootstrap';
  shown('env', 'DEBIAN_FRONTEND=noninteractive', ...install.split(' '));
  shown(path.join(ROOT, 'scripts/kubernetes/cluster.sh'), 'build');
  step('the image');
  images('build');
  step('the cluster');
  cluster('up');
  const wirelens = /image: (localhost\/wirelens:\S+)/.exec(kustomized('deploy/kubernetes/base'))[1];
  for (const name of [wirelens, DEMO_IMAGE]) {
    const archive = path.join(copy, 'image.tar');
    images('archive', name, archive);
    cluster('import', archive);
    rmSync(archive);
  }
  // Volumes of this kind do not take the pod's group.
  for (const name of ['server-data', 'captures']) {
    const folder = path.join(HOME, name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o750 });
    chownSync(folder, 10001, 10001);
  }
  // The agent's spool, as places.yaml has it.
  rmSync(path.join(HOME, 'agent'), { recursive: true, force: true });
}

/** What the API server says without storing anything. It knows every field, and refuses others. */
function manifestsAreTaken() {
  step('every manifest before the API server');
  for (const name of ['wirelens', 'demo', 'sidecar-example']) kubectl('create', 'namespace', name);
  const encrypted = path.join(copy, 'deploy/kubernetes/overlays/encrypted');
  mkdirSync(encrypted);
  writeFileSync(
    path.join(encrypted, 'kustomization.yaml'),
    'resources: [../../base]\ncomponents: [../../components/tls]\n',
  );
  const folders = ['base', 'overlays/kind', 'overlays/sidecar', 'overlays/job', 'overlays/encrypted'];
  for (const folder of folders.map((name) => `deploy/kubernetes/${name}`)) {
    const { status, output } = apply(kustomized(folder), '--dry-run=server', '--validate=strict');
    checks.report(`${folder} is taken by the API server`, status === 0 ? [] : output.split('\n'));
  }
  const wrong = kustomized('deploy/kubernetes/base').replace('hostNetwork: true', 'hostNetwrok: true');
  checks.report(
    'a misspelt field is refused by it',
    apply(wrong, '--dry-run=server', '--validate=strict').status === 0 ? ['it took hostNetwrok'] : [],
  );
}

async function demo() {
  step('base, nginx and curl');
  const { status, output } = apply(kustomized('scripts/kubernetes/overlay'));
  checks.report('the demo is applied', status === 0 ? [] : output.split('\n'));
  // curl waits until everything is there that it should be seen by.
  kubectl('-n', 'demo', 'scale', 'deployment/demo-curl', '--replicas=0');
  rolledOut('wirelens', 'deployment/wirelens-server');
  rolledOut('demo', 'deployment/demo-nginx');
  cluster('route');
  rolledOut('wirelens', 'daemonset/wirelens-agent');
  rights();

  const nginx = podOf('demo', 'app=demo-nginx');
  kubectl('-n', 'demo', 'scale', 'deployment/demo-curl', '--replicas=1');
  rolledOut('demo', 'deployment/demo-curl');
  const curl = podOf('demo', 'app=demo-curl');
  const table = await until(
    () => {
      const text = query('--ip', curl.address, '--limit', '5');
      return / GET +\/ +200 /.test(text) ? text : null;
    },
    'GET / 200 in the answer of wirelens query',
    60_000,
  );
  console.log(`$ wirelens query --ip ${curl.address} --limit 5\n${table.trimEnd()}`);
  checks.report('wirelens query lists GET / 200 of the pod', []);

  step('the server is replaced while curl goes on');
  kubectl('-n', 'wirelens', 'rollout', 'restart', 'deployment/wirelens-server');
  rolledOut('wirelens', 'deployment/wirelens-server');
  cluster('route');
  await pause(4000);
  kubectl('-n', 'demo', 'scale', 'deployment/demo-curl', '--replicas=0');
  await pause(4000);
  await compare(nginx, curl);
}

/** nginx's log and the server's answer: the same requests, each once, seen by the one agent. */
async function compare(nginx, curl) {
  const log = kubectl('-n', 'demo', 'exec', nginx.name, '--', 'cat', '/var/log/nginx/access.log')
    .trim()
    .split('\n');
  const rows = await until(
    () => {
      const found = rowsOf(query('--ip', curl.address, '--format', 'json', '--limit', '2000'));
      return found.length >= log.length ? found : null;
    },
    `an answer with the ${log.length} requests of nginx's log`,
    30_000,
  );
  const problems = [];
  if (rows.length !== log.length)
    problems.push(`nginx answered ${log.length} requests, the server has ${rows.length}`);
  for (const row of rows) {
    if (row.method !== 'GET' || row.path !== '/' || row.status !== 200) problems.push(JSON.stringify(row));
  }
  checks.report(
    `all ${log.length} requests of nginx's log are there once, over a restart of the server`,
    problems,
  );

  const agents = rowsOf(query('--agents', '--format', 'json'));
  const pod = podOf('wirelens', 'app.kubernetes.io/component=agent');
  checks.report(
    'the agent of the DaemonSet is the only one that reported',
    agents.length === 1 &&
      agents[0].node === 'localhost' &&
      agents[0].pod === pod.name &&
      agents[0].namespace === 'wirelens'
      ? []
      : agents.map((agent) => JSON.stringify(agent)),
  );
}

function rights() {
  const agent = rightsOf('wirelens', 'daemonset/wirelens-agent', 'agent');
  checks.report(
    'the agent has NET_RAW and nothing else',
    agent.effective === NET_RAW_ALONE && agent.noNewPrivileges === '1' ? [] : [JSON.stringify(agent)],
  );
  const server = rightsOf('wirelens', 'deployment/wirelens-server', 'server');
  checks.report(
    'the server is not root and has no capability',
    server.uid === '10001' && server.effective === NOTHING && server.noNewPrivileges === '1'
      ? []
      : [JSON.stringify(server)],
  );
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
