// Hosts for a check: network namespaces with veth pairs between them. All names begin with wl-check-<pid>, and all of
// them are removed, also after a failure or Ctrl-C.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { endPrograms, run } from './programs.mjs';

const PREFIX = `wl-check-${process.pid}`;
const labs = new Set();
let number = 0;

process.on('exit', () => {
  endPrograms();
  for (const lab of labs) lab.remove();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

/** One network namespace. `in` are the words before a command that is to run in it. */
class Host {
  constructor(name) {
    this.name = name;
    this.in = ['ip', 'netns', 'exec', name];
  }

  run(...words) {
    return run(...this.in, ...words);
  }

  ip(...words) {
    return run('ip', '-n', this.name, ...words);
  }

  /** Brings an interface up with these addresses (`10.9.0.1/24`, `fd09::1/64`). */
  up(name, ...addresses) {
    this.ip('link', 'set', name, 'up');
    for (const address of addresses)
      this.ip('address', 'add', address, 'dev', name, ...(address.includes(':') ? ['nodad'] : []));
  }

  /** Segments and checksums as they would be on a wire. */
  withoutOffload(name) {
    this.run('ethtool', '-K', name, 'tso', 'off', 'gso', 'off', 'gro', 'off', 'tx', 'off');
  }
}

/** The hosts of one scenario, and a folder for its files. */
export class Lab {
  #hosts = [];
  #children = [];
  folder = mkdtempSync(path.join(tmpdir(), 'wirelens-live-check-'));

  constructor() {
    labs.add(this);
  }

  host(part) {
    const host = new Host(`${PREFIX}-${++number}-${part}`);
    run('ip', 'netns', 'add', host.name);
    this.#hosts.push(host);
    host.up('lo');
    return host;
  }

  /** A cable: interface `oneName` of host `one` and `otherName` of `other`. */
  veth(one, oneName, other, otherName) {
    one.ip('link', 'add', oneName, 'type', 'veth', 'peer', 'name', otherName, 'netns', other.name);
  }

  file(name) {
    return path.join(this.folder, name);
  }

  /** A process outside the namespaces that ends with the laboratory. */
  attach(child) {
    this.#children.push(child);
  }

  remove() {
    if (!labs.delete(this)) return;
    for (const child of this.#children) child.kill('SIGKILL');
    for (const { name } of this.#hosts) {
      // Whoever is in a namespace of ours was started by us.
      const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
      for (const pid of stdout.split('\n').filter((line) => line !== '')) {
        try {
          process.kill(Number(pid), 'SIGKILL');
        } catch {
          // It has ended by itself.
        }
      }
      spawnSync('ip', ['netns', 'delete', name]);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * Client 10.9.0.1, fd09::1 and server 10.9.0.2, fd09::2 at the two ends of a cable; eth0 in both. `quiet`: without
 * addresses, so that neither sends anything by itself.
 */
export function twoHosts(lab, { quiet = false } = {}) {
  const client = lab.host('client');
  const server = lab.host('server');
  lab.veth(client, 'eth0', server, 'eth0');
  if (quiet) for (const host of [client, server]) host.ip('link', 'set', 'eth0', 'addrgenmode', 'none');
  client.up('eth0', ...(quiet ? [] : ['10.9.0.1/24', 'fd09::1/64']));
  server.up('eth0', ...(quiet ? [] : ['10.9.0.2/24', 'fd09::2/64']));
  return { client, server, address: '10.9.0.2' };
}

/** Client 10.9.1.1 and server 10.9.2.2 with a router between them: 10.9.1.254 at `inside`, 10.9.2.254 at `outside`. */
export function routedHosts(lab) {
  const client = lab.host('client');
  const router = lab.host('router');
  const server = lab.host('server');
  lab.veth(client, 'eth0', router, 'inside');
  lab.veth(server, 'eth0', router, 'outside');
  client.up('eth0', '10.9.1.1/24');
  server.up('eth0', '10.9.2.2/24');
  router.up('inside', '10.9.1.254/24');
  router.up('outside', '10.9.2.254/24');
  client.ip('route', 'add', 'default', 'via', '10.9.1.254');
  server.ip('route', 'add', 'default', 'via', '10.9.2.254');
  router.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  return { client, router, server };
}

/** Whether this kernel has a kind of link, tried out in a namespace: `vlan`, `vxlan`, `bridge`. */
export function linkKindMissing(kind, ...words) {
  return tried((host) => {
    host.ip('link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth1');
    host.ip('link', 'add', ...(kind === 'vlan' ? ['link', 'veth0'] : []), 'probe', 'type', kind, ...words);
  });
}

export function netemMissing() {
  return tried((host) => run('tc', '-n', host.name, 'qdisc', 'add', 'dev', 'lo', 'root', 'netem'));
}

/** null, or why it did not work, in one line. */
function tried(attempt) {
  const lab = new Lab();
  try {
    attempt(lab.host('probe'));
    return null;
  } catch (error) {
    return error.message.split('\n')[0];
  } finally {
    lab.remove();
  }
}
