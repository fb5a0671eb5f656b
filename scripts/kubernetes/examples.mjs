// The other ways to use Wirelens in Kubernetes, on the cluster on which the demo runs.

import { cpSync } from 'node:fs';
import path from 'node:path';
import { run, until } from '../checks/live/programs.mjs';
import {
  apply,
  cluster,
  DEMO_IMAGE,
  HOME,
  kubectl,
  kustomized,
  podOf,
  query,
  ROOT,
  rolledOut,
  rowsOf,
  step,
} from './on-cluster.mjs';

/** The examples name things that this cluster does not have: names of Services, and nginx's own image. */
function here(manifests) {
  const service = JSON.parse(kubectl('-n', 'wirelens', 'get', 'service', 'wirelens-server', '-o', 'json'));
  return manifests
    .replaceAll('http://wirelens-server.wirelens.svc:8080', `http://${service.spec.clusterIP}:8080`)
    .replaceAll(/image: nginx:\S+/g, `image: ${DEMO_IMAGE}`);
}

export async function sidecar(checks) {
  step('the sidecar example');
  const { status, output } = apply(here(kustomized('deploy/kubernetes/overlays/sidecar')));
  if (status !== 0) return checks.report('the sidecar example is applied', output.split('\n'));
  rolledOut('sidecar-example', 'deployment/application');
  const pod = podOf('sidecar-example', 'app=application');
  // The application may be ready before the agent beside it is.
  await until(
    () => rowsOf(query('--agents', '--format', 'json')).some(({ agent }) => agent === pod.name) || null,
    "the sidecar's first heartbeat",
    30_000,
  );
  run('curl', '-sS', '-m', '5', `http://${pod.address}/?from=outside`);
  const asked = ['--ip', pod.address, '--where', 'query == "from=outside"', '--format', 'json'];
  // The DaemonSet's agent sees the pod's end of the cable, too: one exchange, two observers.
  const observers = await until(
    () => {
      const [row] = rowsOf(query(...asked, '--agent', pod.name));
      if (row === undefined) return null;
      const [exchange] = rowsOf(query('--id', row.uid, '--format', 'json'));
      return exchange.observations.length > 1 ? exchange.observations.map(({ agent }) => agent) : null;
    },
    'an exchange with two observations',
    30_000,
  );
  const rows = rowsOf(query(...asked));
  checks.report(
    'the sidecar and the DaemonSet see one and the same exchange',
    rows.length === 1 && observers.length === 2 && observers.includes(pod.name)
      ? []
      : [`${rows.length} exchanges, observed by ${observers.join(', ')}`],
  );
}

export async function job(checks) {
  step('the Job example');
  cpSync(path.join(ROOT, 'fixtures/nginx-keep-alive/capture.pcap'), path.join(HOME, 'captures/a.pcap'));
  const manifests = `${here(kustomized('deploy/kubernetes/overlays/job')).replace(
    '  accessModes:',
    '  storageClassName: ""\n  volumeName: wirelens-captures\n  accessModes:',
  )}\n---\n${volume('wirelens-captures', path.join(HOME, 'captures'))}`;
  const { status, output } = apply(manifests);
  if (status !== 0) return checks.report('the Job example is applied', output.split('\n'));
  kubectl('-n', 'wirelens', 'wait', '--for=condition=complete', 'job/wirelens-upload', '--timeout=60s');
  console.log(kubectl('-n', 'wirelens', 'logs', 'job/wirelens-upload').trimEnd());
  checks.report('the Job uploads a capture', []);
}

/** The same with the component tls, over what runs already. */
export async function encrypted(checks) {
  step('the same, encrypted');
  const { status, output } = apply(kustomized('scripts/kubernetes/overlay-tls'));
  if (status !== 0) return checks.report('the component tls is applied', output.split('\n'));
  rolledOut('wirelens', 'deployment/wirelens-server');
  cluster('route');
  rolledOut('wirelens', 'daemonset/wirelens-agent');
  kubectl('-n', 'demo', 'scale', 'deployment/demo-curl', '--replicas=1');
  rolledOut('demo', 'deployment/demo-curl');
  const curl = podOf('demo', 'app=demo-curl');
  const ask = () =>
    kubectl(
      ...[
        '-n',
        'wirelens',
        'exec',
        'deployment/wirelens-server',
        '--',
        'wirelens',
        'query',
        '--ip',
        curl.address,
      ],
      ...['--server', 'https://localhost:8080', '--tls-ca', '/run/secrets/tls/ca.crt', '--format', 'json'],
      ...['--token-file', '/run/secrets/wirelens/reader-token', '--limit', '3'],
    );
  const rows = await until(
    () => {
      const found = rowsOf(ask());
      return found.length === 3 ? found : null;
    },
    'exchanges over TLS',
    60_000,
  );
  checks.report(
    'agent and readers reach the server over TLS',
    rows.every(({ status }) => status === 200) ? [] : rows,
  );
}

function volume(name, folder) {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: { storage: '10Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: '',
      hostPath: { path: folder, type: 'Directory' },
    },
  });
}
