import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  containersOf,
  type KubernetesObject,
  problemsOf,
  roleOf,
} from '../scripts/checks/manifests/rules.mjs';
import { createSchema, documentsIn } from '../scripts/checks/manifests/schema.mjs';
import { agentSettings } from '../src/cli/agent/agent-settings.ts';
import { effectiveSettings } from '../src/cli/agent/configuration.ts';
import { parseBuffer } from '../src/cli/live/live-option-values.ts';
import { createProgram } from '../src/cli/program.ts';

/* What stands under deploy/: manifests against Kubernetes' schema, against each other and against the command line. */

const ROOT = path.resolve(import.meta.dirname, '..');
const read = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };
const work = mkdtempSync(path.join(tmpdir(), 'wirelens-deploy-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const FOLDERS = ['base', 'overlays/kind', 'overlays/sidecar', 'overlays/job'].map(
  (name) => `deploy/kubernetes/${name}`,
);

/** Whole objects of a folder; parts that change objects of the base are left to scripts/checks/manifests.mjs. */
function objectsOf(folder: string): KubernetesObject[] {
  const [kustomization] = documentsIn(read(`${folder}/kustomization.yaml`));
  const names = (kustomization!.resources as string[]).filter((name) => name.endsWith('.yaml'));
  return names.flatMap((name) => documentsIn(read(`${folder}/${name}`)));
}

/** The Secrets that kustomize makes of files, by name and key. */
function madeSecrets(): KubernetesObject[] {
  return ['agent', 'reader'].flatMap((who) => {
    const [kustomization] = documentsIn(read(`deploy/kubernetes/tokens/${who}/kustomization.yaml`));
    return (kustomization!.secretGenerator as { name: string; files: string[] }[]).map(({ name, files }) => ({
      kind: 'Secret',
      metadata: { name },
      data: Object.fromEntries(files.map((file) => [file.split('=')[0], ''])),
    }));
  });
}

/** Bytes of `20Gi` or `256Mi`. */
function bytesOf(quantity: string): number {
  const [, number, unit] = /^(\d+)(Mi|Gi)$/.exec(quantity)!;
  return Number(number) * (unit === 'Gi' ? 2 ** 30 : 2 ** 20);
}

function optionsOf(name: string): Set<string> {
  const command = createProgram(version, () => {}).commands.find((known) => known.name() === name);
  return new Set(command?.options.map(({ long }) => long ?? ''));
}

const options = Object.fromEntries(
  ['agent', 'server', 'upload', 'query'].map((name) => [name, optionsOf(name)]),
);
const all = FOLDERS.flatMap(objectsOf);
const problems = (documents: readonly KubernetesObject[]) =>
  problemsOf([...documents, ...madeSecrets()], { options, version });

describe('the manifests', () => {
  const schema = createSchema();

  it("keep to Kubernetes' own schema", () => {
    expect(all.length).toBeGreaterThan(15);
    expect(all.flatMap(schema)).toEqual([]);
  });

  it('agree with each other and with the options of the commands', () => {
    expect(problems(all)).toEqual([]);
    expect(
      [...containersOf(all)].map(({ container }) => roleOf(container)).filter((role) => role !== null),
    ).toEqual(['server', 'agent', 'agent', 'upload']);
  });

  it('give agents settings that they take, within the memory and the space that the pod has', () => {
    const agents = [...containersOf(all)].filter(({ container }) => roleOf(container) === 'agent');
    expect(agents.length).toBe(2);
    for (const { container, pod, place } of agents) {
      const variables = container.env as { name: string; value?: string }[];
      // What the downward API fills in.
      const env = Object.fromEntries(variables.map(({ name, value }) => [name, value ?? `the ${name}`]));
      const settings = effectiveSettings({ flags: {}, env, file: new Map() });
      const taken = agentSettings(settings, env);
      expect(taken.tokenFile, place).toBe('/run/secrets/wirelens/token');
      expect(taken.identity, place).toMatchObject({
        node: 'the NODE_NAME',
        pod: 'the POD_NAME',
        namespace: 'the POD_NAMESPACE',
      });
      // Memory of the process, and as much again as the kernel's ring takes beside it.
      const ringBytes = parseBuffer(settings.get('buffer')!.words as string);
      expect(taken.maxMemoryBytes + ringBytes, place).toBeLessThan(
        bytesOf(container.resources.limits.memory),
      );
      const grace = (pod.terminationGracePeriodSeconds ?? 30) * 1000;
      expect(taken.stopTimeoutMs, place).toBeLessThan(grace);
      const spool = pod.volumes.find(({ name }: { name: string }) => name === 'spool');
      if (spool.emptyDir !== undefined)
        expect(taken.spoolLimitBytes, place).toBeLessThan(bytesOf(spool.emptyDir.sizeLimit));
      const mount = container.volumeMounts.find(({ name }: { name: string }) => name === 'spool');
      expect(taken.spoolDirectory.startsWith(`${mount.mountPath}/`), place).toBe(true);
    }
  });

  it('give the server a command line that it takes, and less to keep than its volume holds', () => {
    const found = [...containersOf(all)].find(({ container }) => roleOf(container) === 'server')!;
    const program = createProgram(version, () => {});
    const command = program.commands.find((known) => known.name() === 'server')!.action(() => {});
    program.parse(found.container.args, { from: 'user' });
    const claim = all.find(
      ({ kind, metadata }) => kind === 'PersistentVolumeClaim' && metadata.name === 'wirelens-server-data',
    )!;
    expect(command.opts().keepSize).toBe(16 * 2 ** 30);
    expect(command.opts().keepSize).toBeLessThan(bytesOf(claim.spec.resources.requests.storage));
  });

  // Each change breaks one promise; the rule that keeps it must name it.
  const agent = (documents: KubernetesObject[]) =>
    documents.find(({ kind }) => kind === 'DaemonSet')!.spec.template.spec;
  const CHANGES: [what: string, says: RegExp, change: (documents: KubernetesObject[]) => void][] = [
    [
      'a second capability',
      /adds NET_RAW, NET_ADMIN/,
      (all) => agent(all).containers[0].securityContext.capabilities.add.push('NET_ADMIN'),
    ],
    [
      'a privileged agent',
      /is privileged/,
      (all) => {
        agent(all).containers[0].securityContext.privileged = true;
      },
    ],
    [
      'an agent that is not root',
      /is not user 0/,
      (all) => {
        agent(all).securityContext.runAsUser = 10001;
      },
    ],
    [
      'an unknown setting',
      /WIRELENS_SNOOZE, which wirelens agent does not read/,
      (all) => agent(all).containers[0].env.push({ name: 'WIRELENS_SNOOZE', value: '1' }),
    ],
    [
      'another port of the probes',
      /asks port 9102/,
      (all) => {
        agent(all).containers[0].livenessProbe.httpGet.port = 9102;
      },
    ],
    [
      'a probe from outside',
      /cannot reach 127.0.0.1/,
      (all) => {
        delete agent(all).containers[0].readinessProbe.httpGet.host;
      },
    ],
    [
      'a Secret that is not made',
      /mounts Secret other, which is not there/,
      (all) => {
        agent(all).volumes[1].secret.secretName = 'other';
      },
    ],
    [
      'another server',
      /sends to http:\/\/elsewhere/,
      (all) => {
        agent(all).containers[0].env[0].value = 'http://elsewhere:8080';
      },
    ],
    [
      'an old image',
      /runs localhost\/wirelens:0.0.1/,
      (all) => {
        agent(all).containers[0].image = 'localhost/wirelens:0.0.1';
      },
    ],
    [
      'a volume that is not there',
      /mounts nowhere/,
      (all) => agent(all).containers[0].volumeMounts.push({ name: 'nowhere', mountPath: '/x' }),
    ],
    [
      'no limit of memory',
      /no limit of memory/,
      (all) => {
        delete agent(all).containers[0].resources.limits.memory;
      },
    ],
  ];
  it.each(CHANGES)('are refused with %s', (_what, says, change) => {
    const changed = structuredClone(all);
    change(changed);
    expect(problems(changed).join('\n')).toMatch(says);
  });

  it('are refused with a misspelt field', () => {
    const changed = structuredClone(all);
    agent(changed).hostNetwrok = true;
    expect(changed.flatMap(schema).join('\n')).toMatch(
      /DaemonSet wirelens-agent\/spec\/template\/spec .*hostNetwrok/,
    );
  });

  it('carry no token, and git leaves those that are drawn alone', () => {
    expect(all.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    const drawn = ['tokens/agent/token', 'tokens/reader/token', 'components/tls/server/tls.key.pem'].map(
      (name) => `deploy/kubernetes/${name}`,
    );
    const { stdout } = spawnSync('git', ['check-ignore', '--no-index', ...drawn], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(stdout.trim().split('\n')).toEqual(drawn);
  });
});

describe('tokens.sh', () => {
  it('draws tokens that only their owner can read, and keeps them the second time', () => {
    const folder = path.join(work, 'kubernetes');
    for (const who of ['agent', 'reader']) mkdirSync(path.join(folder, 'tokens', who), { recursive: true });
    const draw = () => {
      const { status, stderr } = spawnSync(
        path.join(ROOT, 'deploy/kubernetes/tokens.sh'),
        ['--folder', folder],
        { encoding: 'utf8' },
      );
      expect(stderr).toBe('');
      expect(status).toBe(0);
      return ['agent', 'reader'].map((who) =>
        readFileSync(path.join(folder, 'tokens', who, 'token'), 'utf8'),
      );
    };
    const [agent, reader] = draw();
    expect(agent).toMatch(/^[0-9a-f]{64}$/);
    expect(reader).toMatch(/^[0-9a-f]{64}$/);
    expect(agent).not.toBe(reader);
    expect(statSync(path.join(folder, 'tokens/agent/token')).mode & 0o777).toBe(0o600);
    expect(draw()).toEqual([agent, reader]);
  });
});

describe('the Dockerfile', () => {
  const text = read('deploy/Dockerfile');

  it('is of this version, and runs as the user whom the manifests name', () => {
    expect(/^ARG VERSION=(.*)$/m.exec(text)?.[1]).toBe(version);
    const users = all
      .flatMap(({ spec }) => spec?.template?.spec?.securityContext?.runAsUser ?? [])
      .filter((user) => user !== 0);
    expect(new Set(users)).toEqual(new Set([Number(/^USER (\d+):/m.exec(text)?.[1])]));
  });

  it('copies only what is there and what .dockerignore lets through', () => {
    const letThrough = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) =>
      names!.split(' '),
    );
    expect(copied.length).toBeGreaterThan(5);
    for (const name of copied) {
      expect(existsSync(path.join(ROOT, name)), name).toBe(true);
      expect(
        letThrough.some((kept) => name === kept || name.startsWith(`${kept}/`)),
        name,
      ).toBe(true);
    }
  });
});

describe('prune.mjs', () => {
  it('removes what nothing reads at run time, and keeps programs and licences', () => {
    const folder = path.join(work, 'modules');
    const put = (name: string) => {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), 'x');
    };
    const kept = [
      '@scope/one/package.json',
      '@scope/one/LICENSE.md',
      '@scope/one/lib/index.js',
      // Only beside a package.json is `test` the tests of a package.
      '@scope/one/lib/test/index.js',
      '@scope/one/native.node',
      'sql.js/package.json',
      'sql.js/dist/sql-wasm.js',
      'sql.js/dist/sql-wasm.wasm',
    ];
    const removed = [
      '@scope/one/README.md',
      '@scope/one/lib/index.d.ts',
      '@scope/one/lib/index.js.map',
      '@scope/one/test/one.js',
      '@scope/one/docs/more.html',
      'sql.js/dist/sql-asm.js',
      'sql.js/dist/sql-wasm-debug.wasm',
    ];
    for (const name of [...kept, ...removed]) put(name);
    const { status } = spawnSync(process.execPath, [path.join(ROOT, 'deploy/image/prune.mjs'), folder]);
    expect(status).toBe(0);
    const left = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(path.join(folder, name)).isFile())
      .sort();
    expect(left).toEqual(kept.toSorted());
  });
});
