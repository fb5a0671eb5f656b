// What the packets come in on: one interface, several, any, loopback, VLANs, tunnels, bridges.

import path from 'node:path';
import { badEnd, differences, otherWay } from './agreement.mjs';
import { startCapture } from './capture.mjs';
import { exercise } from './exercise.mjs';
import { linkKindMissing, twoHosts } from './namespaces.mjs';
import { startNginx } from './nginx.mjs';
import { start, until } from './programs.mjs';
import { curl, mixed } from './traffic.mjs';

const TAGGED_LINE = path.join(import.meta.dirname, 'tagged_line.py');
const ANY = ['-i', 'any'];

async function plain(t) {
  const hosts = twoHosts(t.lab);
  await exercise(t, 'plain veth, in the client', hosts);
  await exercise(t, 'plain veth, in the server', { ...hosts, at: hosts.server });
}

/** A row comes out when its exchange ends, and not when the capture does or when the next packet comes. */
async function prompt({ lab, checks }) {
  const hosts = twoHosts(lab);
  const nginx = await startNginx(lab, hosts.server);
  const capture = await startCapture(hosts.client, ['-i', 'eth0']);
  const problems = [];
  for (const number of [1, 2, 3]) {
    await curl(hosts.client, `http://${hosts.address}:8000`, [`/small/${number}`]);
    const came = () => capture.text('stdout').includes(`"/small/${number}"`);
    await until(came, `the row of request ${number}`, 5000).catch((error) => problems.push(error.message));
  }
  problems.push(...badEnd(await capture.stop()));
  await nginx.stop();
  checks.report('rows come while the capture goes on', problems);
}

async function any(t) {
  await exercise(t, 'any', { ...twoHosts(t.lab), words: ANY });
}

async function ipv6(t) {
  const hosts = { ...twoHosts(t.lab), address: 'fd09::2' };
  const also = (end) =>
    end.exchanges.every((one) => one.server === '[fd09::2]:8000') ? [] : ['not all came over IPv6'];
  await exercise(t, 'IPv6', { ...hosts, also });
  await exercise(t, 'IPv6 on any', { ...hosts, words: ANY, also });
}

async function offload(t) {
  const hosts = twoHosts(t.lab);
  const traffic = async ({ site }) => {
    await mixed(hosts.client, hosts.address, { scale: 0.1 });
    await curl(hosts.client, `http://${hosts.address}:8000`, ['/huge/1', '/huge/2', '/huge/3']);
    // Without 100 Continue, whose bytes nginx counts as bytes of the body.
    const upload = ['-H', 'Expect:', '-T', path.join(site, 'huge.bin')];
    await curl(hosts.client, `http://${hosts.address}:8000`, ['/upload/1', '/upload/2'], upload);
  };
  await exercise(t, '8 MB up and down, packets up to 64 kB (TSO, GSO)', { ...hosts, traffic });
  for (const host of [hosts.client, hosts.server]) host.withoutOffload('eth0');
  await exercise(t, '8 MB up and down, packets as on the wire', { ...hosts, traffic });
}

/** Two servers behind two interfaces of the client, and a third interface that is not asked for. */
async function two(t) {
  const { lab, checks } = t;
  const client = lab.host('client');
  const server = lab.host('server');
  for (const number of [0, 1, 2]) {
    lab.veth(client, `eth${number}`, server, `eth${number}`);
    client.up(`eth${number}`, `10.9.${number}.1/24`);
    server.up(`eth${number}`, `10.9.${number}.2/24`);
  }
  const traffic = () =>
    Promise.all([0, 1, 2].map((number) => mixed(client, `10.9.${number}.2`, { tag: `if${number}` })));
  const nginx = await startNginx(lab, server);
  const capture = await startCapture(client, ['-i', 'eth0', '-i', 'eth1']);
  await traffic();
  const end = await capture.stop();
  const log = (await nginx.stop()).filter(({ request }) => !request.includes('/if2-'));
  checks.report(`two of three interfaces: ${log.length} requests in nginx's log`, [
    ...differences(end.exchanges, log),
    ...badEnd(end),
  ]);
}

async function loopback(t) {
  const host = t.lab.host('alone');
  const hosts = { client: host, server: host, address: '127.0.0.1' };
  await exercise(t, 'loopback', { ...hosts, words: ['-i', 'lo'] });
  await exercise(t, 'loopback on any', { ...hosts, words: ANY });
  await exercise(t, 'loopback, IPv6', { ...hosts, address: '::1', words: ['-i', 'lo'] });
}

/** Each with the tags it should have had, by `vlans`. */
function tagsMissing(vlans) {
  return (end) => {
    const wrong = end.exchanges.filter((one) => JSON.stringify(one.vlans) !== JSON.stringify(vlans));
    return wrong.length === 0
      ? []
      : [
          `${wrong.length} exchanges have VLANs ${JSON.stringify(wrong[0].vlans)}, not ${JSON.stringify(vlans)}`,
        ];
  };
}

async function vlanInterfaces(t) {
  const missing = linkKindMissing('vlan', 'id', '5');
  if (missing !== null) return t.checks.skip('VLAN interfaces of the kernel', missing);
  const hosts = twoHosts(t.lab);
  for (const [host, number] of [
    [hosts.client, 1],
    [hosts.server, 2],
  ]) {
    host.ip('link', 'add', 'link', 'eth0', 'name', 'eth0.5', 'type', 'vlan', 'id', '5');
    host.up('eth0.5', `10.8.0.${number}/24`);
    host.ip('link', 'add', 'link', 'eth0', 'name', 'outer', 'type', 'vlan', 'proto', '802.1ad', 'id', '6');
    host.up('outer');
    host.ip('link', 'add', 'link', 'outer', 'name', 'inner', 'type', 'vlan', 'id', '7');
    host.up('inner', `10.7.0.${number}/24`);
  }
  const tagged = { ...hosts, address: '10.8.0.2' };
  await exercise(t, 'VLAN, on the parent', { ...tagged, also: tagsMissing([5]) });
  await exercise(t, 'VLAN, on the VLAN interface', { ...tagged, words: ['-i', 'eth0.5'] });
  await exercise(t, 'VLAN, on any', { ...tagged, words: ANY });
  await exercise(t, 'QinQ, on the parent', { ...hosts, address: '10.7.0.2', also: tagsMissing([6, 7]) });
}

/** Tagged frames on a cable, put there by a program: shows the tags that the kernel takes off and those it leaves. */
async function vlanOnTheWire(t) {
  for (const { name, tags, vlans } of [
    { name: 'VLAN', tags: '8100:5', vlans: [5] },
    { name: 'QinQ', tags: '88a8:6,8100:7', vlans: [6, 7] },
  ]) {
    const client = t.lab.host('client');
    const server = t.lab.host('server');
    const trunk = t.lab.host('trunk');
    t.lab.veth(client, 'eth0', trunk, 'port0');
    t.lab.veth(server, 'eth0', trunk, 'port1');
    t.lab.veth(trunk, 'trunk0', trunk, 'trunk1');
    for (const end of ['trunk0', 'trunk1']) trunk.ip('link', 'set', end, 'mtu', '1600');
    for (const end of ['port0', 'port1', 'trunk0', 'trunk1']) trunk.up(end);
    client.up('eth0', '10.9.0.1/24');
    server.up('eth0', '10.9.0.2/24');
    for (const host of [client, server]) host.withoutOffload('eth0');
    const words = ['python3', TAGGED_LINE, 'port0', 'trunk0', 'port1', 'trunk1', '--tags', tags];
    const line = start([...trunk.in, ...words]);
    await until(
      () => line.text('stdout').includes('ready'),
      `start of tagged_line.py ${line.text('stderr')}`,
    );
    // Less of it, since each packet goes through that program twice.
    const traffic = () => mixed(client, '10.9.0.2', { scale: 0.3 });
    const hosts = { client, server, at: trunk, traffic };
    const also = tagsMissing(vlans);
    await exercise(t, `${name} on a cable`, { ...hosts, words: ['-i', 'trunk1'], also });
    await exercise(t, `${name} on a cable, with a filter`, {
      ...hosts,
      words: ['-i', 'trunk1', '--port', '8000', '--host', '10.9.0.1'],
      also,
    });
    await exercise(t, `${name} on a cable, on any`, { ...hosts, words: ANY });
  }
}

async function vxlan(t) {
  const missing = linkKindMissing('vxlan', 'id', '42', 'dstport', '4789');
  if (missing !== null) return t.checks.skip('VXLAN', missing);
  const hosts = twoHosts(t.lab);
  for (const [host, own, other] of [
    [hosts.client, 1, 2],
    [hosts.server, 2, 1],
  ]) {
    const ends = ['local', `10.9.0.${own}`, 'remote', `10.9.0.${other}`];
    host.ip('link', 'add', 'vx0', 'type', 'vxlan', 'id', '42', ...ends, 'dstport', '4789');
    host.up('vx0', `10.8.0.${own}/24`);
  }
  const inside = { ...hosts, address: '10.8.0.2' };
  const tunnelled = (end) => {
    const wrong = end.exchanges.filter(
      ({ tunnels }) => JSON.stringify(tunnels) !== '[{"kind":"vxlan","id":42}]',
    );
    return wrong.length === 0 ? [] : [`${wrong.length} have tunnels ${JSON.stringify(wrong[0].tunnels)}`];
  };
  await exercise(t, 'VXLAN, on the outer interface', { ...inside, also: tunnelled });
  await exercise(t, 'VXLAN, on the inner interface', { ...inside, words: ['-i', 'vx0'] });
  await exercise(t, 'VXLAN, on any', { ...inside, words: ANY });
}

async function bridge(t) {
  const missing = linkKindMissing('bridge');
  if (missing !== null) return t.checks.skip('bridge', missing);
  const { lab } = t;
  const client = lab.host('client');
  const server = lab.host('server');
  const middle = lab.host('bridge');
  lab.veth(client, 'eth0', middle, 'port0');
  lab.veth(server, 'eth0', middle, 'port1');
  middle.ip('link', 'add', 'br0', 'type', 'bridge');
  for (const port of ['port0', 'port1']) middle.ip('link', 'set', port, 'master', 'br0');
  for (const port of ['port0', 'port1', 'br0']) middle.up(port);
  client.up('eth0', '10.9.0.1/24');
  server.up('eth0', '10.9.0.2/24');
  const also = ({ exchanges }) => otherWay(exchanges, ['port0', 'port1']);
  const hosts = { client, server, address: '10.9.0.2', at: middle, also };
  await exercise(t, 'bridge, on any', { ...hosts, words: ANY });
  await exercise(t, 'bridge, on both ports', { ...hosts, words: ['-i', 'port0', '-i', 'port1'] });
}

export const scenarios = [
  { name: 'plain', run: plain },
  { name: 'prompt', run: prompt },
  { name: 'any', run: any },
  { name: 'two', run: two },
  { name: 'ipv6', run: ipv6 },
  { name: 'loopback', run: loopback },
  { name: 'offload', run: offload },
  { name: 'vlan', run: vlanInterfaces },
  { name: 'vlan-wire', run: vlanOnTheWire },
  { name: 'vxlan', run: vxlan },
  { name: 'bridge', run: bridge },
];
