// The pods of the manifests, run by `podman kube play`: what kustomize makes of the demo's overlay, with the rights, users,
// variables and arguments that stand there. Changed is only what podman cannot do (see playable): it knows no DaemonSets,
// no Secrets as files, and there is no network but one namespace for all.
//
//     node scripts/checks/pods.mjs      needs the image: node scripts/checks/image.mjs --bases

import { chmodSync, chownSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
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
} from './live/containers.mjs';
import { installed, run, until } from './live/programs.mjs';
import { documentsIn } from './manifests/schema.mjs';

const NAME = `wl-pods-${process.pid}`;
const NODE = 'node-of-the-check';
const checks = new Checks();
// Not `ip netns exec`, which puts another /sys over the one with the cgroups.
const podman = (...words) => run('nsenter', `--net=/run/netns/${NAME}`, IMAGES_TOOL, 'podman', ...words);

const reason = whyNot();
if (reason === null) await inNamespace(NAME, all);
else checks.skip('the pods of the manifests in podman', reason);
checks.finish();

function whyNot() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'it needs Linux and root';
  const missing = ['podman', 'runc', 'catatonit', 'ip', 'kubectl'].filter((tool) => !installed(tool));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  const absent = [IMAGE, 'localhost/wirelens-demo:1'].filter(
    (name) => triedPodman('image', 'exists', name).status !== 0,
  );
  return absent.length === 0
    ? null
    : `no image ${absent.join(', ')}; node scripts/checks/image.mjs --bases makes them`;
}

async function all(folder) {
  try {
    await demo(folder);
  } catch (error) {
    checks.report('the pods', [error.stack, ...logs()]);
  } finally {
    for (const name of ['wirelens-server', 'wirelens-agent', 'demo-nginx', 'demo-curl']) {
      triedPodman('pod', 'rm', '--force', '--ignore', '--time=1', `${NAME}-${name}`);
    }
  }
}

function logs() {
  return ['wirelens-server-server', 'wirelens-agent-agent'].flatMap((name) => {
    const { stdout, stderr } = triedPodman('logs', '--tail=8', `${NAME}-${name}`);
    return [name, ...`${stdout}${stderr}`.trim().split('\n')];
  });
}

async function demo(folder) {
  cpSync(path.join(ROOT, 'deploy'), path.join(folder, 'deploy'), { recursive: true });
  run(path.join(folder, 'deploy/kubernetes/tokens.sh'));
  const documents = documentsIn(
    run('kubectl', 'kustomize', path.join(folder, 'deploy/kubernetes/overlays/kind')),
  );
  const play = (name) => {
    const found = documents.find(
      ({ kind, metadata }) => /^(Deployment|DaemonSet)$/.test(kind) && metadata.name === name,
    );
    const file = path.join(folder, `${name}.yaml`);
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(playable(found, documents, folder)));
    podman('kube', 'play', '--network=host', file);
  };
  play('wirelens-server');
  play('demo-nginx');
  await until(() => status(8080) === '200', 'a ready server', 30_000);
  play('wirelens-agent');
  await until(() => status(9101) === '200', 'a ready agent', 30_000);
  rights('wirelens-server-server', { Uid: '10001', CapEff: NO_CAPABILITY });
  rights('wirelens-agent-agent', { Uid: '0', CapEff: NET_RAW_ALONE });

  play('demo-curl');
  const text = await until(
    () => {
      const table = query('--ip', '127.0.0.1', '--where', 'server.port == 80', '--limit', '3');
      return (table.match(/ GET +\/ +200 /g) ?? []).length === 3 ? table : null;
    },
    'GET / 200 in the answer of wirelens query',
    30_000,
  );
  console.log(text.trimEnd());
  checks.report("what the manifests' agent captures is what their server answers", []);
  const agents = JSON.parse(query('--agents', '--format', 'json').trim());
  checks.report(
    'the agent tells node, pod and namespace as the manifest has them',
    agents.pod === `${NAME}-wirelens-agent` && agents.node === NODE && agents.namespace === 'wirelens'
      ? []
      : [JSON.stringify(agents)],
  );
}

/** A pod of a DaemonSet's or Deployment's template, as far as podman can run it. */
function playable(document, documents, folder) {
  const { metadata, spec } = structuredClone(document.spec.template);
  const files = { owner: spec.securityContext?.fsGroup ?? 0 };
  for (const container of spec.containers) {
    // Only another kind of network can have them.
    delete container.ports;
    // It would ask by a curl inside the image; this check asks itself.
    for (const name of ['startupProbe', 'livenessProbe', 'readinessProbe']) delete container[name];
    if (/^(nginx|curlimages)/.test(container.image)) container.image = 'localhost/wirelens-demo:1';
    const facts = { 'spec.nodeName': NODE, 'metadata.namespace': document.metadata.namespace };
    for (const variable of container.env ?? []) {
      const fact = facts[variable.valueFrom?.fieldRef.fieldPath];
      if (fact !== undefined) {
        delete variable.valueFrom;
        variable.value = fact;
      }
      variable.value = variable.value?.replace(/[a-z-]+\.(wirelens|demo)\.svc/, '127.0.0.1');
    }
  }
  spec.volumes = (spec.volumes ?? []).map((volume) => {
    if (volume.emptyDir !== undefined) return { name: volume.name, emptyDir: {} };
    const place = path.join(folder, document.metadata.name, volume.name);
    mkdirSync(place, { recursive: true });
    for (const [name, bytes] of filesOf(volume, documents)) {
      writeFileSync(path.join(place, name), bytes);
      chownSync(path.join(place, name), files.owner, files.owner);
      chmodSync(path.join(place, name), 0o400);
    }
    chownSync(place, files.owner, files.owner);
    return { name: volume.name, hostPath: { path: place, type: 'Directory' } };
  });
  spec.hostNetwork = true;
  spec.restartPolicy = 'Never';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name: `${NAME}-${document.metadata.name}` },
    spec,
  };
}

/** [name, bytes] of what Secrets put into a volume. */
function filesOf(volume, documents) {
  const sources = volume.projected?.sources ?? [volume];
  return sources.flatMap(({ secret }) => {
    if (secret === undefined) return [];
    const { data } = documents.find(
      ({ kind, metadata }) => kind === 'Secret' && metadata.name === (secret.secretName ?? secret.name),
    );
    const items = secret.items ?? Object.keys(data).map((key) => ({ key, path: key }));
    return items.map((item) => [item.path, Buffer.from(data[item.key], 'base64')]);
  });
}

function status(port) {
  return httpStatus(NAME, `http://127.0.0.1:${port}/readyz`);
}

function query(...words) {
  return podman(
    ...['exec', `${NAME}-wirelens-server-server`, 'wirelens', 'query', '--server=http://127.0.0.1:8080'],
    ...['--token-file=/run/secrets/wirelens/reader-token', ...words],
  );
}

function rights(container, wanted) {
  const text = podman('exec', `${NAME}-${container}`, 'cat', '/proc/1/status');
  checks.report(`${container} has the rights that its manifest gives`, rightsProblems(text, wanted));
}
