import type { RunRecord } from '../model/sink.ts';
import type { Evidence } from './evidence.ts';
import type { Finding, FindingCode } from './finding.ts';

/** Ports that a capture filter names; with more, all TCP is captured. */
const FILTER_PORTS = 8;
/** KiB of kernel buffer asked for: tcpdump's own default is 2 MiB. */
const BUFFER_KIB = { usual: 16_384, afterDrops: 131_072 } as const;
/** Larger captures are cut into a ring of files of so many MB. */
const RING = { fileMegabytes: 1_000, files: 20, fromBytes: 500e6 } as const;
const LOOPBACK = /^(127\.|::1$)/;

/** Commands that take a better capture, in the order in which they are run; with what each is for. */
export interface Recapture {
  readonly commands: readonly { readonly command: string; readonly purpose: string }[];
}

/** The exact commands for the next capture, from what was wrong with this one. */
export function recapture(evidence: Evidence, findings: readonly Finding[]): Recapture {
  const { run } = evidence;
  const has = (code: FindingCode): boolean => findings.some((one) => one.code === code);
  const device = deviceOf(run, evidence);
  const commands: { command: string; purpose: string }[] = [];
  if (device === null) {
    commands.push({
      command: 'tcpdump -D',
      purpose: 'tells the interfaces; the one meant replaces eth0 below',
    });
  }
  const name = device ?? 'eth0';
  if (has('segmentation-offload') && name !== 'any' && name !== 'lo') {
    commands.push({
      command: `ethtool -K ${name} gro off lro off tso off gso off`,
      purpose: 'for exact times: packets as they are on the wire (switch it on again afterwards)',
    });
  }
  const lossy = has('kernel-drops') || has('packets-missing');
  const parts = ['tcpdump', `-i ${shellWord(name)}`, '-n', '-s 0'];
  parts.push(`-B ${lossy ? BUFFER_KIB.afterDrops : BUFFER_KIB.usual}`);
  parts.push('--time-stamp-precision=nano');
  const bytes = run.captures.reduce((total, { capturedBytes }) => total + capturedBytes, 0);
  if (bytes >= RING.fromBytes) parts.push(`-C ${RING.fileMegabytes} -W ${RING.files}`);
  parts.push('-w better.pcap', `'${filterOf(evidence, has)}'`);
  commands.push({ command: parts.join(' '), purpose: purposeOf(has, lossy) });
  return { commands };
}

function purposeOf(has: (code: FindingCode) => boolean, lossy: boolean): string {
  const parts: string[] = [];
  if (has('cut-by-snaplen')) parts.push('whole packets (-s 0)');
  if (lossy) parts.push('a larger kernel buffer (-B, in KiB)');
  if (has('duplicates')) parts.push('one interface (-i)');
  if (has('one-sided')) parts.push('both directions');
  if (has('mid-stream')) parts.push('started before the clients');
  return parts.length === 0 ? 'the same again, whole packets and nothing else' : parts.join(', ');
}

/** The interface to capture on; null: the capture does not name any. */
function deviceOf({ captures }: RunRecord, { packets, connections }: Evidence): string | null {
  const interfaces = captures.flatMap((capture) => capture.interfaces);
  const useful = (number: number, total: number): number => {
    const census = packets?.interfaces.get(number);
    return census === undefined ? total : census.segments - census.duplicates;
  };
  const named = interfaces
    .filter(({ name }) => name !== null && /^[A-Za-z0-9_.:@-]{1,32}$/.test(name))
    .sort((a, b) => useful(b.number, b.packets) - useful(a.number, a.packets));
  const name = named[0]?.name ?? null;
  if (name !== null && name !== 'any') return name;
  const servers = [...connections.httpServers];
  return servers.length > 0 && servers.every((server) => LOOPBACK.test(server)) ? 'lo' : null;
}

/** A pcap-filter(7) expression for the HTTP servers found, in whatever they are wrapped. */
function filterOf({ connections }: Evidence, has: (code: FindingCode) => boolean): string {
  const ports = [...connections.httpPorts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([port]) => port);
  const named = ports.length > 0 && ports.length <= FILTER_PORTS;
  const inner = named ? `tcp port ${ports.sort((a, b) => a - b).join(' or tcp port ')}` : 'tcp';
  const alternatives = [inner];
  const tunnels = connections.tunnels;
  if (tunnels.has('vxlan')) alternatives.push('udp port 4789 or udp port 8472');
  if (tunnels.has('geneve')) alternatives.push('udp port 6081');
  if (tunnels.has('gre') || tunnels.has('erspan')) alternatives.push('ip proto 47');
  if (tunnels.has('ipip')) alternatives.push('ip proto 4 or ip proto 41');
  if (tunnels.has('gtp')) alternatives.push('udp port 2152');
  // After the word vlan all offsets of a filter are shifted, so it comes last.
  if (has('vlans')) alternatives.push(`(vlan and (${inner}))`);
  return alternatives.join(' or ');
}

function shellWord(text: string): string {
  return /^[\w@.:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
