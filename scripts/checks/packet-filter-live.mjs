// Filters attached to packet sockets, in a network namespace of their own: a socket must give the packets that
// `accepts` picks out of everything, and with expressions those that tcpdump takes on the same interface.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLive } from '../../dist/capture/live/open-live.js';
import { compileFilter } from '../../dist/capture/packet-filter/compile-filter.js';
import { LIMITS } from '../../dist/model/limits.js';
import { Checks } from './checks.mjs';

const FIXTURES = [
  'wrapped-vlan', 'wrapped-qinq', 'wrapped-mpls', 'wrapped-pppoe', 'wrapped-gre', 'wrapped-geneve', 'wrapped-vxlan',
  'fragments-ipv4', 'fragments-ipv6', 'mixed-traffic', 'retransmitted', 'vxlan-overlay',
]; // biome-ignore format: one list
const EXPRESSIONS = [
  'tcp port 80', 'tcp and not port 80', 'vlan', 'vlan and tcp port 80', 'not vlan', 'vlan 7', 'vlan 42 and tcp', 'vlan and vlan and tcp port 80',
  'tcp port 80 or (vlan and tcp port 80)', 'vlan and len > 100', 'vlan and greater 100 and ip[8] > 10', 'udp port 4789', 'ip6 and tcp', 'ip[6:2] & 0x1fff != 0',
  'tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420', 'mpls', 'inbound', 'ether proto 0x8100', 'greater 200',
]; // biome-ignore format: one list
const OPTIONS = [
  { ports: [80] }, { ports: [80, 4789], hosts: ['10.0.0.1'] }, { hosts: ['10.0.0.1', '2001:db8::a00:1'] }, { nets: ['10.0.0.0/8'] },
  { nets: ['2001:db8::/32'], ports: [80] }, { hosts: ['10.0.0.2'], expression: 'tcp' }, { ports: [80], expression: 'vlan or ip6' },
]; // biome-ignore format: one list
/** What libpcap refuses or means otherwise on `any`. */
const NOT_ON_ANY = /vlan|mpls|0x8100/;
/** On `any` and behind a tag libpcap counts the bytes that the socket shows, Wirelens those that are recorded. */
const COUNTS_LENGTH = /greater|less|len/;
/** Sees tags that the kernel took off only where it asks for them; in a recorded packet they are in place. */
const asksForTags = (expression) => expression === undefined || /vlan|0x8100/.test(expression);

const INSIDE = process.argv[2] === '--inside';
if (INSIDE) await insideNamespace();
else await outside();

async function outside() {
  const checks = new Checks();
  const missing = ['ip', 'tcpreplay', 'tcpdump'].filter(
    (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0,
  );
  const space = `wl-filter-${process.pid}`;
  const far = `${space}-far`;
  if (process.getuid() !== 0) checks.skip('filters on sockets', 'needs root to open packet sockets');
  else if (missing.length > 0) checks.skip('filters on sockets', `${missing.join(' and ')} not installed`);
  else {
    const ip = (...words) => execFileSync('ip', words);
    try {
      for (const one of [space, far]) {
        ip('netns', 'add', one);
        execFileSync('ip', [
          'netns',
          'exec',
          one,
          'sysctl',
          '-qw',
          'net.ipv6.conf.all.disable_ipv6=1',
          'net.ipv6.conf.default.disable_ipv6=1',
        ]);
      }
      ip(
        '-n',
        space,
        'link',
        'add',
        'wl0',
        'mtu',
        '9000',
        'type',
        'veth',
        'peer',
        'name',
        'wl1',
        'mtu',
        '9000',
        'netns',
        far,
      );
      ip('-n', space, 'link', 'set', 'wl0', 'up');
      ip('-n', far, 'link', 'set', 'wl1', 'up');
      const child = spawn(
        'ip',
        ['netns', 'exec', space, process.execPath, import.meta.filename, '--inside'],
        {
          stdio: ['pipe', 'pipe', 'inherit'],
        },
      );
      const ended = new Promise((resolve) => child.on('exit', resolve));
      let text = '';
      child.stdout.on('data', (bytes) => {
        text += bytes;
      });
      while (!text.includes('ready\n') && child.exitCode === null) await sleep(50);
      for (const name of FIXTURES)
        spawnSync('ip', [
          'netns',
          'exec',
          far,
          'tcpreplay',
          '-q',
          '--topspeed',
          '-i',
          'wl1',
          path.resolve(import.meta.dirname, `../../fixtures/${name}/capture.pcap`),
        ]);
      await sleep(1000);
      child.stdin.end();
      await ended;
      if (child.exitCode !== 0) checks.report('the capturing process', [`ended with ${child.exitCode}`]);
      else
        for (const { name, problems } of JSON.parse(text.slice(text.indexOf('ready\n') + 6)))
          checks.report(name, problems);
    } finally {
      // What still runs in there is left over from a capturing process that failed.
      const left = spawnSync('ip', ['netns', 'pids', space], { encoding: 'utf8' }).stdout;
      for (const pid of left.split('\n').filter((line) => line !== '')) process.kill(Number(pid));
      for (const one of [space, far]) spawnSync('ip', ['netns', 'del', one]);
    }
  }
  checks.finish();
}

function isSameForTcpdump(link, expression) {
  if (link === 'cooked') return !NOT_ON_ANY.test(expression) && !COUNTS_LENGTH.test(expression);
  return !(asksForTags(expression) && COUNTS_LENGTH.test(expression));
}

/** Opens a socket for each filter and one for everything, waits for the end of standard input, and compares. */
async function insideNamespace() {
  const wishes = [...EXPRESSIONS.map((expression) => ({ expression })), ...OPTIONS];
  const results = [];
  const runs = [];
  for (const link of ['ethernet', 'cooked']) {
    const name = link === 'ethernet' ? 'wl0' : 'any';
    const all = await capture(name, null);
    for (const wish of wishes) {
      const filter = await compileFilter({ expression: null, ports: [], hosts: [], nets: [], ...wish });
      const program = filter.kernelProgram(link, null, 262_144);
      const own = await capture(name, filter);
      const isExpression = Object.keys(wish).length === 1 && wish.expression !== undefined;
      const byTcpdump =
        isExpression && isSameForTcpdump(link, wish.expression) ? await tcpdump(name, wish.expression) : null;
      runs.push({ link, wish, filter, inKernel: program !== null, own, all, byTcpdump });
    }
  }
  await sleep(1000);
  process.stdout.write('ready\n');
  await new Promise((resolve) => process.stdin.on('end', resolve).resume());
  for (const run of runs) results.push(await compared(run));
  process.stdout.write(JSON.stringify(results));
}

async function compared({ link, wish, filter, inKernel, own, all, byTcpdump }) {
  const packets = await own();
  const everything = await all();
  const problems = [];
  if (!inKernel) problems.push('there is no program for the kernel');
  const text = ({ bytes }) => bytes.toString('hex');
  if (asksForTags(wish.expression)) {
    const wanted = everything.filter(({ bytes, originalBytes, linkType }) =>
      filter.accepts(bytes, 0, bytes.length, originalBytes, linkType),
    );
    if (packets.map(text).join() !== wanted.map(text).join())
      problems.push(`the socket gives ${packets.length} packets, accepts takes ${wanted.length}`);
  }
  if (byTcpdump !== null) {
    const count = await byTcpdump();
    if (count !== packets.length)
      problems.push(`the socket gives ${packets.length} packets, tcpdump ${count}`);
  }
  if (everything.length < 100) problems.push(`only ${everything.length} packets came at all`);
  return { name: `${link.padEnd(8)} ${JSON.stringify(wish)} (${packets.length})`, problems };
}

/** Captures at once; the result stops it, and gives the packets. May be called again. */
async function capture(name, filter) {
  const source = await openLive({
    interfaces: [name],
    driver: 'afpacket',
    clock: { epochSeconds: null },
    limits: LIMITS,
    snaplen: 262_144,
    ringBytes: 4 << 20,
    promiscuous: true,
    filter,
    tickMs: 50,
    onNotice: () => {},
  });
  const packets = [];
  const pump = (async () => {
    do {
      while (source.next()) {
        const { bytes, start, end, originalBytes, linkType } = source.packet;
        packets.push({ bytes: Buffer.from(bytes.subarray(start, end)), originalBytes, linkType });
      }
    } while (await source.more());
    await source.close();
  })();
  return async () => {
    source.stop();
    await pump;
    return packets;
  };
}

/** tcpdump on the same interface; the result ends it, and gives the number of packets that passed its filter. */
async function tcpdump(name, expression) {
  const words = ['-n', '-B', '4096', '-i', name, '-w', '/dev/null', expression];
  const child = spawn('tcpdump', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  const ended = new Promise((resolve) => child.on('exit', resolve));
  await new Promise((resolve, reject) => {
    child.stderr.on('data', (bytes) => {
      text += bytes;
      if (text.includes('listening on')) resolve();
    });
    child.on('exit', () => reject(new Error(text)));
  });
  return async () => {
    child.kill('SIGINT');
    await ended;
    return Number(/(\d+) packets? received by filter/.exec(text)?.[1]);
  };
}
