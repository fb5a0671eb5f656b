// Differential check: a filter must choose the packets of every fixture that tcpdump chooses with the same expression.
// --host, --net and --port must choose those that tcpdump chooses with what they stand for.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openCaptures } from '../../dist/capture/open.js';
import { compileFilter } from '../../dist/capture/packet-filter/compile-filter.js';
import { LIMITS } from '../../dist/model/limits.js';
import { goldenFolders } from '../expected-exchanges.mjs';
import { Checks } from './checks.mjs';

const EXPRESSIONS = [
  'tcp', 'udp', 'ip', 'ip6', 'arp', 'icmp or icmp6', 'port 80', 'tcp port 8080', 'not port 80', 'portrange 1-1023',
  'src port 80 and tcp', 'dst port 80', 'host 10.0.0.1', 'src host 10.0.0.2', 'net 10.0.0.0/8', 'net 10.20.1', 'dst net 2001:db8::/32',
  'ip6 host 2001:db8::a00:1', 'host 10.0.0.1 and port 80', 'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0', 'tcp[13] & 4 != 0',
  'tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420', 'tcp[2:2] % 2 = 0', 'ip[6:2] & 0x1fff != 0', 'ip proto 47 or proto 4', 'less 100', 'greater 600',
  'len > 66 and not udp', 'tcp and (ip[2:2] - ((ip[0] & 0xf) << 2)) > 200', 'ip[8] / 2 > 31', 'vlan', 'vlan and tcp port 80', 'vlan 42 or tcp port 80',
  'vlan and vlan and tcp', 'ether host 02:00:00:00:00:01', 'ether proto 0x0800', 'mpls', 'pppoes and ip', 'udp port 4789', 'gre', 'tcp[4:4] > 0x80000000',
  'ip[0] & 0xf != 5', 'broadcast or multicast', 'inbound', 'ifindex 2',
]; // biome-ignore format: one list

/** Fixtures that differ in their link types and headers; the others are TCP over Ethernet once more. */
const FIXTURES =
  /^(wrapped-.*|fragments-.*|mixed-traffic|vxlan-overlay|kubernetes-.*|any-interface|two-interfaces|nginx-(ipv6|snaplen|keep-alive)|offload-.*|web-shop|endings)$/;

/** Options and what they stand for in packets that are not wrapped. */
const OPTIONS = [
  [{ hosts: ['10.0.0.1'] }, 'ip host 10.0.0.1'],
  [
    { hosts: ['10.0.0.1', '2001:db8::a00:2', '10.0.0.9'] },
    'ip host 10.0.0.1 or ip6 host 2001:db8::a00:2 or ip host 10.0.0.9',
  ],
  [{ nets: ['10.0.0.0/8'] }, 'ip net 10.0.0.0/8'],
  [
    { nets: ['10.0.0.0/30', '10.20', '2001:db8::/31'] },
    'ip net 10.0.0.0/30 or ip net 10.20 or ip6 net 2001:db8::/31',
  ],
  [{ nets: ['::/0'] }, 'ip6'],
  [{ hosts: ['10.0.0.2'], nets: ['10.0.0.1/32'] }, 'ip host 10.0.0.2 and ip host 10.0.0.1'],
];

const PORTS = [
  [{ ports: [80] }, 'port 80'],
  [{ ports: [80, 8080, 53] }, 'port 80 or port 8080 or port 53'],
  [{ ports: [80], hosts: ['10.0.0.1'] }, 'ip host 10.0.0.1 and port 80'],
  [
    { ports: [80], nets: ['10.0.0.0/30', '2001::/16'] },
    '(ip net 10.0.0.0/30 or ip6 net 2001::/16) and port 80',
  ],
];
/** What passes with --port because ports may be in it that are not seen: wrapped packets and later fragments. */
const UNSEEN =
  /^(wrapped-(erspan|geneve|gre|gtp|ipip|mpls|pppoe|qinq|vlan|vxlan)|vxlan-overlay|kubernetes-node|fragments-.*|mixed-traffic)$/;

const NONE = { expression: null, ports: [], hosts: [], nets: [] };

async function packetsOf(file) {
  const source = await openCaptures([file], { clock: { epochSeconds: null }, limits: LIMITS });
  const packets = [];
  do {
    while (source.next()) {
      const { bytes, start, end, originalBytes, linkType } = source.packet;
      packets.push({ bytes: bytes.slice(start, end), originalBytes, linkType });
    }
  } while (await source.more());
  await source.close();
  return packets;
}

/** The chosen packets as text, or the sentence why there are none. */
async function byWirelens(packets, wishes) {
  try {
    const filter = await compileFilter({ ...NONE, ...wishes });
    return packets
      .filter(({ bytes, originalBytes, linkType }) =>
        filter.accepts(bytes, 0, bytes.length, originalBytes, linkType),
      )
      .map(asText);
  } catch (error) {
    if (error.name !== 'UserError') throw error;
    return error.message;
  }
}

function asText({ bytes, originalBytes }) {
  return `${originalBytes} ${Buffer.from(bytes).toString('hex')}`;
}

async function byTcpdump(file, expression, work) {
  const { status, stdout, stderr } = spawnSync('tcpdump', ['-n', '-r', file, '-w', '-', expression], {
    maxBuffer: 1 << 28,
  });
  if (status !== 0) return `${stderr}`.trim();
  const copy = path.join(work, 'chosen.pcap');
  writeFileSync(copy, stdout);
  return (await packetsOf(copy)).map(asText);
}

function differences(ours, theirs, what) {
  // tcpdump refuses what no packet of the link type can match, which is no mistake where there are several.
  if (typeof theirs === 'string') {
    const isNone = typeof ours === 'string' || ours.length === 0;
    // Wirelens looks for tags and labels in cooked packets too.
    return isNone || /no (VLAN|MPLS) support/.test(theirs)
      ? []
      : [`${what}: tcpdump says ${theirs}, Wirelens takes ${ours.length}`];
  }
  if (typeof ours === 'string') return [`${what}: only Wirelens says ${ours}`];
  return ours.join('\n') === theirs.join('\n')
    ? []
    : [`${what}: tcpdump takes ${theirs.length}, Wirelens ${ours.length}`];
}

const checks = new Checks();
if (spawnSync('sh', ['-c', 'command -v tcpdump']).status !== 0) {
  checks.skip('packet filters', 'tcpdump is not installed');
} else {
  const work = mkdtempSync(path.join(tmpdir(), 'wirelens-packet-filter-'));
  let chosen = 0;
  try {
    for (const { name, folder, capture } of goldenFolders()) {
      if (!FIXTURES.test(name)) continue;
      const file = path.join(folder, capture);
      const packets = await packetsOf(file);
      const problems = [];
      const compare = async (wishes, expression) => {
        const theirs = await byTcpdump(file, expression, work);
        if (Array.isArray(theirs)) chosen += theirs.length;
        problems.push(...differences(await byWirelens(packets, wishes), theirs, JSON.stringify(wishes)));
      };
      for (const expression of EXPRESSIONS) await compare({ expression }, expression);
      if (!/qinq|vlan|mpls|pppoe/.test(name))
        for (const [wishes, expression] of OPTIONS) await compare(wishes, expression);
      if (!UNSEEN.test(name)) for (const [wishes, expression] of PORTS) await compare(wishes, expression);
      checks.report(`filter   ${name}`, problems);
    }
    checks.report('packets were chosen at all', chosen > 10_000 ? [] : [`only ${chosen}`]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
checks.finish();
