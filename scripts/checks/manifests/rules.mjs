// What must hold in our manifests beyond Kubernetes' own schema: between them, and between them and the program.

const OWN_IMAGE = /^localhost\/wirelens:/;
const STATUS_PATHS = new Set(['/healthz', '/readyz']);
const ROLES = ['agent', 'server', 'upload', 'query'];
/** Variables besides the agent's, which has one for each option. */
const VARIABLES = {
  server: ['WIRELENS_AGENT_TOKEN', 'WIRELENS_READER_TOKEN'],
  upload: ['WIRELENS_SERVER', 'WIRELENS_TOKEN'],
  query: ['WIRELENS_SERVER', 'WIRELENS_TOKEN'],
};

/** {document, pod, container, place} of each container in the documents. */
export function* containersOf(documents) {
  for (const document of documents) {
    const pod = document.spec?.template?.spec;
    if (pod === undefined) continue;
    for (const container of [...(pod.initContainers ?? []), ...(pod.containers ?? [])]) {
      yield {
        document,
        pod,
        container,
        place: `${document.kind} ${document.metadata.name}/${container.name}`,
      };
    }
  }
}

/**
 * Sentences about what does not hold; empty: all is well. `documents`: whole objects as they would be applied.
 * `options`: option names of each subcommand (`{agent: Set(['--server', …])}`). `version`: of package.json.
 */
export function problemsOf(documents, { options, version }) {
  const problems = [];
  for (const found of containersOf(documents)) {
    problems.push(...volumeProblems(found), ...resourceProblems(found));
    if (!OWN_IMAGE.test(found.container.image)) continue;
    problems.push(
      ...rightsProblems(found),
      ...probeProblems(found),
      ...imageProblems(found, version),
      ...optionProblems(found, options),
    );
  }
  problems.push(...serviceProblems(documents), ...addressProblems(documents), ...secretProblems(documents));
  return problems;
}

function rightsProblems({ pod, container, place }) {
  const problems = [];
  const own = container.securityContext ?? {};
  const need = (holds, sentence) => holds || problems.push(`${place} ${sentence}`);
  need(own.privileged !== true, 'is privileged');
  need(own.allowPrivilegeEscalation === false, 'may gain rights (allowPrivilegeEscalation)');
  need(own.readOnlyRootFilesystem === true, 'may write to its root file system');
  need(JSON.stringify(own.capabilities?.drop) === '["ALL"]', 'does not drop all capabilities');
  const role = roleOf(container);
  const added = own.capabilities?.add ?? [];
  need(
    added.every((name) => name === 'NET_RAW'),
    `adds ${added.join(', ')}, and only NET_RAW is needed`,
  );
  const user = own.runAsUser ?? pod.securityContext?.runAsUser;
  if (role === 'agent') {
    need(added.length === 1, 'captures and lacks NET_RAW');
    need(user === 0, 'is an agent that is not user 0, so that it would have no capability');
  } else {
    need(added.length === 0, `adds ${added.join(', ')} and captures nothing`);
    need(pod.hostNetwork !== true, 'is on the host network and captures nothing');
    need(user === 10001 && pod.securityContext?.runAsNonRoot === true, 'is not the user 10001 of the image');
  }
  const seccomp = own.seccompProfile ?? pod.securityContext?.seccompProfile;
  need(seccomp?.type === 'RuntimeDefault', 'has no seccomp profile');
  need(pod.automountServiceAccountToken === false, 'is given a token of Kubernetes that it does not use');
  need(pod.hostPID !== true && pod.hostIPC !== true, 'sees processes of the host');
  need(
    pod.hostNetwork !== true || pod.dnsPolicy === 'ClusterFirstWithHostNet',
    'cannot resolve names of the cluster',
  );
  return problems;
}

function volumeProblems({ pod, container, place }) {
  const volumes = new Set((pod.volumes ?? []).map(({ name }) => name));
  const mounted = (pod.initContainers ?? [])
    .concat(pod.containers)
    .flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name));
  return [
    ...(container.volumeMounts ?? [])
      .filter(({ name }) => !volumes.has(name))
      .map(({ name }) => `${place} mounts ${name}, which is no volume of the pod`),
    ...[...volumes]
      .filter((name) => !mounted.includes(name))
      .map((name) => `${place}: nobody mounts the volume ${name}`),
  ];
}

function resourceProblems({ container, place }) {
  const { requests = {}, limits = {} } = container.resources ?? {};
  const missing = ['cpu', 'memory'].filter((name) => requests[name] === undefined);
  return [
    ...missing.map((name) => `${place} requests no ${name}`),
    ...(limits.memory === undefined ? [`${place} has no limit of memory`] : []),
    ...(bytesOf(requests.memory) > bytesOf(limits.memory)
      ? [`${place} requests more memory than its limit`]
      : []),
  ];
}

function bytesOf(quantity = '0') {
  const [, number, unit] = /^(\d+)(Ki|Mi|Gi)$/.exec(quantity) ?? [null, Number.NaN, ''];
  return number * { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }[unit];
}

/** Where a container's HTTP is: of the server by --listen, of the agent by WIRELENS_STATUS_LISTEN. */
function listenOf(container) {
  const flag = (container.args ?? []).find((word) => word.startsWith('--listen='));
  return flag?.slice('--listen='.length) ?? variable(container, 'WIRELENS_STATUS_LISTEN') ?? '';
}

function probeProblems({ document, pod, container, place }) {
  const problems = [];
  const [host, port] = listenOf(container).split(':');
  const role = roleOf(container);
  if (role === 'server' || role === 'agent') {
    if (container.livenessProbe === undefined) problems.push(`${place} is never found to hang`);
    if (role === 'server' && container.readinessProbe === undefined)
      problems.push(`${place} gets requests before it is ready`);
  }
  for (const name of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
    const probe = container[name]?.httpGet;
    if (probe === undefined) continue;
    if (!STATUS_PATHS.has(probe.path))
      problems.push(`${place}: ${name} asks for ${probe.path}, which nobody answers`);
    if (name === 'livenessProbe' && probe.path === '/readyz')
      problems.push(`${place} is killed for not being ready`);
    const asked = container.ports?.find((known) => known.name === probe.port)?.containerPort ?? probe.port;
    if (String(asked) !== port)
      problems.push(`${place}: ${name} asks port ${asked}, and it listens on ${port}`);
    // The kubelet asks the pod's own address unless a host is said.
    const reached = host === '0.0.0.0' || (probe.host === host && pod.hostNetwork === true);
    if (!reached) problems.push(`${place}: ${name} cannot reach ${host}`);
    const encrypted = (container.args ?? []).some((word) => word.startsWith('--tls-cert='));
    if (encrypted !== (probe.scheme === 'HTTPS'))
      problems.push(`${place}: ${name} and --tls-cert do not agree`);
  }
  const stop = (container.args ?? []).find((word) => word.startsWith('--stop-timeout='))?.split('=')[1];
  const graceSeconds = document.spec.template.spec.terminationGracePeriodSeconds ?? 30;
  if (stop !== undefined && Number.parseInt(stop, 10) >= graceSeconds) {
    problems.push(`${place} is killed after ${graceSeconds} s and wants to stop for ${stop}`);
  }
  return problems;
}

function imageProblems({ container, place }, version) {
  const wanted = `localhost/wirelens:${version}`;
  return container.image === wanted ? [] : [`${place} runs ${container.image}, and this is ${wanted}`];
}

/** The subcommand that runs, also behind `sh -c`. */
export function roleOf(container) {
  const words = [...(container.command ?? []), ...(container.args ?? [])].join(' ');
  return (
    ROLES.find(
      (role) => words === role || words.startsWith(`${role} `) || words.includes(`wirelens ${role} `),
    ) ?? null
  );
}

function optionProblems({ container, place }, options) {
  const role = roleOf(container);
  if (role === null) return [`${place} runs no command of Wirelens that is known here`];
  const known = options[role];
  const words = [...(container.command ?? []), ...(container.args ?? [])].join(' ');
  const flags = words.match(/--[a-z][a-z-]*/g) ?? [];
  const variables = (container.env ?? [])
    .map(({ name }) => name)
    .filter((name) => name.startsWith('WIRELENS_'));
  return [
    ...flags
      .filter((flag) => !known.has(flag))
      .map((flag) => `${place} uses ${flag}, which wirelens ${role} does not know`),
    ...variables
      .filter((name) => !(VARIABLES[role]?.includes(name) ?? known.has(optionOf(name))))
      .map((name) => `${place} sets ${name}, which wirelens ${role} does not read`),
  ];
}

function optionOf(name) {
  return `--${name.slice('WIRELENS_'.length).toLowerCase().replaceAll('_', '-')}`;
}

function variable(container, wanted) {
  return container.env?.find(({ name }) => name === wanted)?.value;
}

function serviceProblems(documents) {
  const problems = [];
  for (const service of documents.filter(({ kind }) => kind === 'Service')) {
    const { name, namespace } = service.metadata;
    const backing = [...containersOf(documents)].filter(({ document }) => {
      const labels = document.spec.template.metadata?.labels ?? {};
      return (
        document.metadata.namespace === namespace &&
        Object.entries(service.spec.selector).every(([label, value]) => labels[label] === value)
      );
    });
    if (backing.length === 0) problems.push(`Service ${name} selects no pod`);
    for (const { targetPort } of service.spec.ports) {
      const ports = backing.flatMap(({ container }) => container.ports ?? []);
      if (!ports.some((port) => port.name === targetPort || port.containerPort === targetPort)) {
        problems.push(`Service ${name} leads to port ${targetPort}, which no pod of it has`);
      }
    }
  }
  return problems;
}

/** WIRELENS_SERVER names the Service of the server, where that is among the documents. */
function addressProblems(documents) {
  const service = documents.find(
    ({ kind, metadata }) => kind === 'Service' && metadata.name === 'wirelens-server',
  );
  if (service === undefined) return [];
  const name = service.spec.clusterIP ?? `wirelens-server.${service.metadata.namespace ?? 'wirelens'}.svc`;
  const wanted = `${name}:${service.spec.ports[0].port}`;
  const encrypted = [...containersOf(documents)].some(({ container }) =>
    container.args?.some((word) => word.startsWith('--tls-cert=')),
  );
  return [...containersOf(documents)].flatMap(({ container, place }) => {
    const address = variable(container, 'WIRELENS_SERVER');
    if (address === undefined) return [];
    const expected = `${encrypted ? 'https' : 'http'}://${wanted}`;
    return address === expected ? [] : [`${place} sends to ${address}, and the server is ${expected}`];
  });
}

/** Every Secret and ConfigMap that is mounted is among the documents, with the keys that are taken from it. */
function secretProblems(documents) {
  const keysOf = (kind, name, namespace) => {
    const found = documents.find(
      (document) =>
        document.kind === kind &&
        document.metadata.name === name &&
        document.metadata.namespace === namespace,
    );
    return found === undefined ? null : Object.keys({ ...found.data, ...found.stringData });
  };
  return documents.flatMap((document) =>
    (document.spec?.template?.spec?.volumes ?? []).flatMap((volume) =>
      sourcesOf(volume).flatMap(({ kind, name, items }) => {
        const keys = keysOf(kind, name, document.metadata.namespace);
        if (keys === null)
          return [`${document.kind} ${document.metadata.name} mounts ${kind} ${name}, which is not there`];
        return items.filter((key) => !keys.includes(key)).map((key) => `${kind} ${name} has no key ${key}`);
      }),
    ),
  );
}

function sourcesOf(volume) {
  const projected = volume.projected?.sources ?? [];
  return [...projected, volume].flatMap(({ secret, configMap }) => [
    ...(secret
      ? [
          {
            kind: 'Secret',
            name: secret.secretName ?? secret.name,
            items: (secret.items ?? []).map(({ key }) => key),
          },
        ]
      : []),
    ...(configMap
      ? [{ kind: 'ConfigMap', name: configMap.name, items: (configMap.items ?? []).map(({ key }) => key) }]
      : []),
  ]);
}
