import { PACKET_REASON_NAMES, type PacketReason } from '../model/ledger.ts';
import { counted, formatBytes, formatCount } from '../report/units.ts';
import { type Add, type Evidence, level, percent, reasonsText, sum } from './evidence.ts';
import type { PacketCensus } from './packet-census.ts';

/** Shares of something from which on it is a warning, or a problem. */
const SHARE = {
  midStream: { warning: 0.2, problem: 2 },
  oneSided: { warning: 0.01, problem: 0.2 },
  missing: { warning: 0.0001, problem: 0.01 },
  cut: { warning: 0, problem: 0.05 },
  tls: { warning: 0.5, problem: 2 },
  notDecoded: { warning: 0.01, problem: 0.5 },
} as const;
/** Reasons that say nothing bad about a capture: other traffic, or told of under another finding. */
const EXPECTED: ReadonlySet<PacketReason> = new Set([
  'udp',
  'icmp',
  'other-transport',
  'arp',
  'other-network',
  'fragment',
  'duplicate-sighting',
  'not-selected',
  'bad-checksum',
]);

export function aboutLosses({ run, connections, packets }: Evidence, add: Add): void {
  const { ledger } = run;
  const missing = Math.max(0, connections.gapBytes - ledger.cutBytes);
  if (missing > 0) {
    const share = missing / (missing + ledger.deliveredBytes);
    add(
      'packets-missing',
      level(share, SHARE.missing) ?? 'note',
      `${formatBytes(missing)} of TCP payload were acknowledged but are not in the capture (${percent(share)}, ${counted(connections.withGaps, 'connection')})`,
      'requests and answers in these places are lost, and some pairs are inferred',
      'the capture lost packets, not the network: a larger buffer (-B), a narrower filter, a mirror port that is not overbooked',
    );
  }
  if (ledger.cutBytes > 0) {
    const snaplen = packets === null ? null : longestCut(packets);
    const heads = connections.cutHeads;
    add(
      'cut-by-snaplen',
      level(heads / Math.max(1, connections.exchanges), SHARE.cut) ?? 'note',
      `packets are cut${snaplen === null ? '' : ` to ${formatCount(snaplen)} bytes`}: ${formatBytes(ledger.cutBytes)} of ${formatBytes(ledger.payloadBytes)} payload are missing, ${heads === 0 ? 'but no head' : `${counted(heads, 'exchange')} with a head that is cut`}`,
      heads === 0
        ? 'bodies cannot be shown; sizes and times are right'
        : 'heads that are cut lose fields; bodies cannot be shown; sizes come from sequence numbers',
      'capture whole packets: -s 0, or at least -s 2000 for the heads',
    );
  }
}

export function aboutConnections({ connections }: Evidence, add: Add): void {
  const { withPayload, oneSided, clientOnly, midStream } = connections;
  if (oneSided > 0) {
    const share = oneSided / withPayload;
    const which =
      clientOnly === oneSided
        ? "only the clients' packets"
        : clientOnly === 0
          ? "only the servers' packets"
          : 'only one direction';
    add(
      'one-sided',
      level(share, SHARE.oneSided) ?? 'note',
      `${which} of ${counted(oneSided, 'connection')} (${percent(share)})`,
      'requests without answers, or answers without requests: no durations',
      'asymmetric routing, a mirror of one direction (set it to both), or a filter with src or dst',
    );
  }
  if (midStream > 0) {
    const share = midStream / withPayload;
    add(
      'mid-stream',
      level(share, SHARE.midStream) ?? 'note',
      `${counted(midStream, 'connection')} had begun before the capture (${percent(share)})`,
      'their first message may be in part; their handshake time is unknown',
      'begin to capture before the clients start, or capture longer than connections live',
    );
  }
}

export function aboutProtocols({ connections, packets }: Evidence, add: Add): void {
  const tls = connections.protocols.get('tls');
  if (tls !== undefined) {
    const share = tls.connections / Math.max(1, connections.withPayload);
    add(
      'tls',
      level(share, SHARE.tls) ?? 'note',
      `TLS: ${counted(tls.connections, 'connection')} with ${formatBytes(tls.payloadBytes)} (${percent(share)})`,
      'the HTTP inside cannot be seen',
      'capture where it is in clear text: behind the load balancer, on the loopback of a sidecar, or in the pod',
    );
  }
  const http2 = connections.protocols.get('http2');
  if (http2 !== undefined) {
    add(
      'http2',
      'warning',
      `HTTP/2 in clear text: ${counted(http2.connections, 'connection')} with ${formatBytes(http2.payloadBytes)}`,
      'they are counted, but their requests are not shown yet',
    );
  }
  if (packets !== null && packets.quicPackets > 0) {
    add(
      'quic',
      'note',
      `${counted(packets.quicPackets, 'UDP packet')} on port 443, likely QUIC (HTTP/3)`,
      'encrypted: the HTTP inside cannot be seen',
    );
  }
  if (connections.tunnels.size > 0) {
    const kinds = [...connections.tunnels].map(
      ([kind, count]) => `${kind} (${counted(count, 'connection')})`,
    );
    add(
      'tunnels',
      'note',
      `traffic in tunnels: ${kinds.join(', ')}`,
      'nothing: they are followed to the inside',
    );
  }
  if (connections.vlans > 0) {
    add(
      'vlans',
      'note',
      `${counted(connections.vlans, 'connection')} with VLAN tags`,
      'nothing here; but a capture filter without the word vlan does not see them',
    );
  }
}

export function aboutDecoding({ run }: Evidence, add: Add): void {
  const { ledger } = run;
  const bad = sum([...PACKET_REASON_NAMES.entries()], ([index, name]) =>
    EXPECTED.has(name) ? 0 : ledger.notUsed[index],
  );
  if (bad > 0) {
    add(
      'not-decoded',
      level(bad / ledger.packetsRead, SHARE.notDecoded) ?? 'note',
      `${counted(bad, 'packet')} could not be decoded: ${reasonsText(run, (reason) => !EXPECTED.has(reason))}`,
      'what they carry is missing',
    );
  }
  const given = [
    [ledger.evictedConnections, 'connections (--max-connections)'],
    [ledger.evictedPending, 'waiting segments'],
    [ledger.evictedFragments, 'fragmented datagrams'],
  ] as const;
  const reached = given.filter(([count]) => count > 0);
  if (reached.length > 0) {
    add(
      'limits-reached',
      'warning',
      `limits were reached, given up: ${reached.map(([count, name]) => `${formatCount(count)} ${name}`).join(', ')}`,
      'requests of what was given up come out unanswered',
    );
  }
  const imbalances = ledger.imbalances();
  if (imbalances.length > 0) {
    add(
      'ledger',
      'problem',
      `the ledger does not balance: ${imbalances.join('; ')}`,
      'this is a mistake of Wirelens',
      'please report it',
    );
  }
}

function longestCut({ interfaces }: PacketCensus): number {
  return Math.max(
    0,
    ...[...interfaces.values()].filter(({ cut }) => cut > 0).map((one) => one.longestCapturedBytes),
  );
}
