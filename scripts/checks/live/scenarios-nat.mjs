// Addresses rewritten on the way: the node that rewrites them sees every packet twice, and says every exchange once.

import { otherWay } from './agreement.mjs';
import { exercise } from './exercise.mjs';
import { linkKindMissing, routedHosts, twoHosts } from './namespaces.mjs';
import { installed, succeeds } from './programs.mjs';
import { mixed } from './traffic.mjs';

const ANY = ['-i', 'any'];
/** Interfaces of the router of routedHosts, in the order in which a request passes them. */
const WAY = ['inside', 'outside'];

/** A chain of nftables for the rules given. */
function nat(host, hook, ...rules) {
  const priority = hook === 'prerouting' ? '-100' : '100';
  host.run(
    'nft',
    `add table ip check; add chain ip check ${hook} { type nat hook ${hook} priority ${priority}; }`,
  );
  for (const rule of rules) host.run('nft', `add rule ip check ${hook} ${rule}`);
}

/** The exchanges were seen on these interfaces, in this order, and all of these addresses are in each record. */
function kept(path, ...addresses) {
  return ({ exchanges }) => {
    const lost = addresses.filter((address) =>
      exchanges.some((one) => !JSON.stringify(one).includes(`"${address}`)),
    );
    return [
      ...otherWay(exchanges, path),
      ...lost.map((address) => `${address} is not in every record: ${JSON.stringify(exchanges[0])}`),
    ];
  };
}

async function forwarded(t) {
  const { client, router, server } = routedHosts(t.lab);
  const hosts = { client, server, address: '10.9.2.2', at: router, words: ANY, also: kept(WAY) };
  await exercise(t, 'router, on any', hosts);
  await exercise(t, 'router, on both interfaces', { ...hosts, words: ['-i', 'inside', '-i', 'outside'] });
}

async function dnat(t) {
  if (!installed('nft')) return t.checks.skip('DNAT', 'nftables is not installed');
  const { client, router, server } = routedHosts(t.lab);
  nat(router, 'prerouting', 'ip daddr 10.9.1.254 tcp dport 80 dnat to 10.9.2.2:8000');
  const hosts = { client, server, at: router, words: ANY };
  const traffic = () => mixed(client, '10.9.1.254', { port: 80 });
  const also = kept(WAY, '10.9.1.254:80', '10.9.2.2:8000');
  await exercise(t, 'DNAT by nftables, on any', { ...hosts, traffic, also });
  await exercise(t, 'DNAT by nftables, in the client', { client, server, traffic });
}

async function iptablesDnat(t) {
  const name = 'DNAT by iptables, on any';
  if (!installed('iptables')) return t.checks.skip(name, 'iptables is not installed');
  const { client, router, server } = routedHosts(t.lab);
  const words = ['-t', 'nat', '-A', 'PREROUTING', '-p', 'tcp', '--dport', '80', '-j', 'DNAT'];
  router.run('iptables', ...words, '--to', '10.9.2.2:8000');
  const traffic = () => mixed(client, '10.9.1.254', { port: 80 });
  const also = kept(WAY, '10.9.1.254:80', '10.9.2.2:8000');
  await exercise(t, name, { client, server, at: router, words: ANY, traffic, also });
}

async function snat(t) {
  if (!installed('nft')) return t.checks.skip('SNAT', 'nftables is not installed');
  const { client, router, server } = routedHosts(t.lab);
  // Ports are rewritten too, and two clients behind one address are told apart by them.
  nat(router, 'postrouting', 'oifname "outside" ip protocol tcp snat to 10.9.2.254:20000-40000 random');
  const also = kept(WAY, '10.9.1.1:', '10.9.2.254:');
  await exercise(t, 'SNAT with other ports, on any', {
    client,
    server,
    address: '10.9.2.2',
    at: router,
    words: ANY,
    compare: { ports: false },
    also,
  });
}

/**
 * As on a Kubernetes node: a pod behind a veth and a bridge asks the address of a Service, which becomes that of a pod on
 * another node, and leaves through the NIC with the node's own address. Kubernetes has the bridge call iptables: then the
 * bridge shows the request with the address rewritten already, and the response with the address restored already, so
 * that no pair of addresses there has both directions.
 */
async function node(t) {
  const missing = linkKindMissing('bridge') ?? (installed('nft') ? null : 'nftables is not installed');
  if (missing !== null) return t.checks.skip('a node with bridge, DNAT and masquerade', missing);
  for (const bridgeCalls of [0, 1]) {
    const pod = t.lab.host('pod');
    const host = t.lab.host('node');
    const server = t.lab.host('server');
    t.lab.veth(pod, 'eth0', host, 'veth0');
    t.lab.veth(host, 'nic0', server, 'eth0');
    host.ip('link', 'add', 'cni0', 'type', 'bridge');
    const setting = `net.bridge.bridge-nf-call-iptables=${bridgeCalls}`;
    const name = `a node with bridge, DNAT and masquerade, ${bridgeCalls ? 'bridge calls iptables, ' : ''}on any`;
    if (!succeeds(...host.in, 'sysctl', '-qw', setting) && bridgeCalls === 1) {
      t.checks.skip(name, 'br_netfilter is not loaded');
      continue;
    }
    host.ip('link', 'set', 'veth0', 'master', 'cni0');
    host.up('veth0');
    host.up('cni0', '10.244.0.1/24');
    host.up('nic0', '10.9.2.254/24');
    pod.up('eth0', '10.244.0.5/24');
    pod.ip('route', 'add', 'default', 'via', '10.244.0.1');
    server.up('eth0', '10.9.2.2/24');
    host.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    nat(host, 'prerouting', 'ip daddr 10.96.0.10 tcp dport 80 dnat to 10.9.2.2:8000');
    nat(host, 'postrouting', 'oifname "nic0" masquerade');
    const addresses = ['10.96.0.10:80', '10.9.2.2:8000', '10.244.0.5:', '10.9.2.254:'];
    await exercise(t, name, {
      client: pod,
      server,
      at: host,
      words: ANY,
      traffic: () => mixed(pod, '10.96.0.10', { port: 80 }),
      compare: { ports: false },
      also: kept(['veth0', 'cni0', 'nic0'], ...addresses),
    });
  }
}

/** Many connections at once with the same requests: nothing may be joined that is not one. */
async function alike(t) {
  const hosts = twoHosts(t.lab);
  const traffic = () => mixed(hosts.client, hosts.address, { scale: 2 });
  const also = ({ exchanges }) =>
    otherWay(
      exchanges.map(({ sightings }) => ({ sightings })),
      [],
    );
  await exercise(t, 'connections that look alike stay apart, on any', {
    ...hosts,
    words: ANY,
    traffic,
    also,
  });
}

export const scenarios = [
  { name: 'forwarded', run: forwarded },
  { name: 'dnat', run: dnat },
  { name: 'iptables', run: iptablesDnat },
  { name: 'snat', run: snat },
  { name: 'node', run: node },
  { name: 'alike', run: alike },
];
